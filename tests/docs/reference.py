"""docs/reference/, but for cli.md: written from deploy/, snowflake.yml, procedures/ and the settings.

`python -m tests.docs.reference` writes it anew; a test compares.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import click
import typer
import yaml

from caves_cli import main, sql_files
from caves_snowpark import names
from tests.docs import sql
from tests.docs.pages import ROOT

FOLDER: Final = ROOT / "docs" / "reference"
# The keys of the JSON object that a procedure returns; a test calls each.
RETURNS: Final = {
    "DISTRIBUTE_RAW_EVENTS": ("read", "duplicates", "orders", "adjustments", "rejected"),
    "MERGE_ORDERS": ("read", "inserted", "updated"),
    "APPEND_INVENTORY_HISTORY": ("read", "inserted", "updated"),
    "MERGE_INVENTORY_CURRENT": ("inserted", "updated"),
    "REPLAY_REJECTED": ("read", "replayed", "orders", "adjustments", "duplicates", "rejected"),
    "CORRECT_REJECTED": ("replayed", "orders", "adjustments", "duplicates"),
    "DISMISS_REJECTED": ("dismissed",),
    "PIPELINE_HEALTH": ("tables", "streams", "rejected", "offsets", "gaps"),
    "SEND_ALERTS": ("fired", "cleared"),
    "PURGE_EXPIRED": (
        "raw",
        "orders_staged",
        "adjustments_staged",
        "duplicates",
        "rejected",
        "orders",
        "replay_log",
        "alert_log",
        "deployments",
        "days_left",
        "files",
    ),
    "ERASE_CUSTOMER": (
        "STAGING.DUPLICATE_EVENTS",
        "STAGING.REPLAY_LOG",
        "STAGING.REJECTED_EVENTS",
        "RAW_DATA.RAW_EVENTS_STREAM",
        "STAGING.STG_ORDERS",
        "STAGING.PURGED_ORDERS",
        "PRODUCTION.ORDERS",
        "files",
    ),
}
# Variables that no flag of `caves` stands for.
OTHER_VARIABLES: Final = {
    "CAVES_DEBUG": "1: tracebacks and the whole log, as `--debug`",
    "SNOWFLAKE_HOME": "the Snowflake CLI's folder of `connections.toml`, `config.toml`; else `~/.snowflake`"
    " and, where that is not there, the system's own place (`~/.config/snowflake` on Linux)",
    "SNOWFLAKE_CONNECTIONS_<NAME>_<KEY>": "one key of a connection, such as"
    " `SNOWFLAKE_CONNECTIONS_PROD_ROLE`; wins over the file, so that no secret has to stand in it",
    "SNOWFLAKE_<KEY>": "one key of every connection that does not say it itself, such as `SNOWFLAKE_ACCOUNT`",
    "PRIVATE_KEY_PASSPHRASE": "passphrase of the connection's private key; wins over the file",
}
_COMPOSE_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::-([^}]*)|:\?([^}]*))?\}")


@cache
def pages() -> dict[str, str]:
    """Each page of the folder that is written here, by its file name."""
    written = {
        "tables.md": _tables(),
        "views.md": _views(),
        "streams-and-tasks.md": _streams_and_tasks(),
        "procedures.md": _procedures(),
        "alerts.md": _alerts(),
        "settings.md": _settings(),
    }
    return {name: "\n\n".join(parts) + "\n" for name, parts in written.items()}


ENVIRONMENTS: Final = ("dev", "test", "prod")
_DEPLOY_VARIABLE: Final = re.compile(r"  (CAVES_\w+): ")


def _head(title: str, source: str) -> list[str]:
    return [
        f"# {title}",
        f"Written from {source} by `python -m tests.docs.reference`; a test compares the two.",
    ]


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _link(name: str, page: str) -> str:
    return f"[{name}]({page}#{name.lower().replace('.', '')})"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _tables() -> list[str]:
    parts = _head("Tables", "deploy/")
    for table in sql.relations("TABLE"):
        parts += [f"## {table.name}", _sentence(table.comment)]
        rows = [
            (f"`{column.name}`", column.type, "" if column.required else "yes", column.comment)
            for column in table.columns
        ]
        parts.append(_grid(("column", "type", "null", "meaning"), rows))
    return parts


def _views() -> list[str]:
    parts = _head("Views", "deploy/")
    parts.append("The columns of ANALYTICS are in [analytics.md](../analytics.md#views).")
    views = sql.relations("VIEW")
    rows = [
        (f"[{view.name}](../analytics.md#{view.name.partition('.')[2].lower()})", _sentence(view.comment))
        for view in views
        if view.name.startswith(f"{names.ANALYTICS}.")
    ]
    parts.append(_grid(("view", "what it holds"), rows))
    for view in views:
        if not view.name.startswith(f"{names.ANALYTICS}."):
            parts += [f"## {view.name}", _sentence(view.comment)]
            columns = [(f"`{column.name}`", column.comment) for column in view.columns]
            parts.append(_grid(("column", "meaning"), columns))
    return parts


def _streams_and_tasks() -> list[str]:
    parts = _head("Streams and tasks", "deploy/050_streams.sql and deploy/070_tasks.sql")
    parts.append("How they hang together: [architecture.md](../architecture.md#the-task-graph).")
    rows = [
        (
            f"`{stream.name}`",
            _link(stream.table, "tables.md"),
            "inserts" if stream.append_only else "all changes",
            stream.comment,
        )
        for stream in sql.streams()
    ]
    parts += ["## Streams", _grid(("stream", "on", "shows", "holds"), rows)]
    graph = [
        (
            f"`{task.name}`",
            task.schedule or f"after `{task.after[0]}`",
            _code(stream.partition(".")[2] for stream in task.watches),
            _link(task.calls, "procedures.md"),
            task.comment,
        )
        for task in sql.tasks()
    ]
    head = ("task", "runs", "when one of these has rows", "calls", "what for")
    return [*parts, "## Tasks", _grid(head, graph)]


def _procedures() -> list[str]:
    parts = _head("Procedures", "snowflake.yml and procedures/")
    parts.append(
        "Each returns one JSON object. The four that tasks call set it as the task's return value too. All"
        " run with their owner's rights, and can be called by hand at any moment."
    )
    entities = yaml.safe_load((ROOT / "snowflake.yml").read_text(encoding="utf-8"))["entities"]
    for entity in entities.values():
        if entity["type"] != "procedure":
            continue
        name = entity["identifier"]["name"]
        arguments = ", ".join(_argument(argument) for argument in entity["signature"] or [])
        module = ROOT / "procedures" / f"{entity['handler'].partition('.')[0]}.py"
        tree = ast.parse(module.read_text(encoding="utf-8"))
        main_function = next(
            node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"
        )
        summary = (ast.get_docstring(tree) or "").partition(": ")[2]
        how = (ast.get_docstring(main_function) or "").replace("\n\n", "\0").replace("\n", " ")
        parts += [
            f"## {names.OPS}.{name}",
            f"`{name}({arguments})`. {_sentence(summary.replace(chr(10), ' '))}",
            re.sub(" +", " ", how).replace("\0", "\n\n"),
            f"Returns {_code(RETURNS[name])}. Code: [{module.name}](../../procedures/{module.name}).",
        ]
    return parts


def _argument(argument: dict[str, str]) -> str:
    default = f" = {argument['default'].upper()}" if "default" in argument else ""
    return f"{argument['name']} {argument['type'].upper()}{default}"


def _alerts() -> list[str]:
    parts = _head("Alerts", "deploy/085_alert_log.sql and deploy/086_*.sql")
    parts.append("What to do about each: [operations.md](../operations.md).")
    rows = [
        (
            f"[{alert.name}](../operations.md#{alert.name.partition('ALERT_')[2].lower()})",
            alert.schedule.replace("MINUTE", "min"),
            _sentence(alert.comment),
        )
        for alert in sql.alerts()
    ]
    parts.append(_grid(("alert", "looks every", "fires when"), rows))
    thresholds = [
        (f"`{setting}`", value, unit, meaning) for setting, value, unit, meaning in sql.thresholds()
    ]
    parts += [
        "## Thresholds",
        f"Rows of {_link(names.ALERT_SETTINGS, 'tables.md')}; an operator's change stays.",
    ]
    return [*parts, _grid(("setting", "at first", "unit", "meaning"), thresholds)]


def _settings() -> list[str]:
    parts = _head("Settings", "the code, deploy/ and ingest/compose.yaml")
    parts += [
        "A setting is its flag, else its environment variable, else its default.",
        "Flags are in [cli.md](cli.md), the alerts' thresholds in [alerts.md](alerts.md#thresholds).",
        "## Environment variables",
        _grid(("variable", "flag", "of", "meaning"), _variables()),
        "Beside these:",
        _grid(("variable", "meaning"), [(f"`{name}`", text) for name, text in OTHER_VARIABLES.items()]),
        "## Variables of deploy/",
        "The same files serve every environment: `--env NAME` takes these from deploy/environments/NAME.env.",
        _grid(("variable", "default", *ENVIRONMENTS, "meaning"), _deploy_variables()),
        "## Variables of ingest/compose.yaml",
        _grid(("variable", "default"), _compose_variables()),
        "What each is for: [monitoring.md](../monitoring.md#start-it-in-containers).",
        "## Inside the ingestor",
        "`ingest.settings.IngestSettings`: what `caves ingest` has no flag for.",
        _grid(("setting", "value", "meaning"), _inner_settings()),
        "## Names",
        _grid(("what", "name"), _names()),
    ]
    return parts


def commands(group: click.Command, path: str = "caves") -> Iterator[tuple[str, click.Command]]:
    """Every command under a group, by how it is typed."""
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from commands(command, f"{path} {name}")
    else:
        yield path, group


def _variables() -> list[tuple[str, ...]]:
    found: dict[str, tuple[str, str, list[str]]] = {}
    for path, command in commands(typer.main.get_command(main.app)):
        for option in command.params:
            if isinstance(option, click.Option) and isinstance(option.envvar, str):
                text = re.sub(r"\[/?\w+\]", "", option.help or "")
                found.setdefault(option.envvar, (option.opts[0], text, []))[2].append(path)
    every = len({path for _, _, paths in found.values() for path in paths})
    return [
        (
            f"`{variable}`",
            f"`{flag}`",
            _code(paths) if len(paths) <= every // 2 else "most commands",
            text,
        )
        for variable, (flag, text, paths) in sorted(found.items())
    ]


def _deploy_variables() -> Iterator[tuple[str, ...]]:
    """The variables of snowflake.yml, each with the comment above it."""
    values = [sql_files.of_environment(ROOT, name) for name in ENVIRONMENTS]
    comment: list[str] = []
    for line in (ROOT / "snowflake.yml").read_text(encoding="utf-8").splitlines():
        if line.startswith("  # "):
            comment.append(line.removeprefix("  # "))
        elif match := _DEPLOY_VARIABLE.match(line):
            name = match[1]
            told = [f"`{of[name]}`" if name in of else "" for of in values]
            default = sql_files.defaults(ROOT)[name]
            yield f"`{name}`", f"`{default}`" if default else "", *told, " ".join(comment)
            comment = []
        elif line.startswith("mixins:"):
            return


def _compose_variables() -> list[tuple[str, str]]:
    text = (ROOT / "ingest" / "compose.yaml").read_text(encoding="utf-8")
    found = {name: default or "none: must be set" for name, default, _ in _COMPOSE_VARIABLE.findall(text)}
    return [(f"`{name}`", default) for name, default in sorted(found.items())]


def _inner_settings() -> list[tuple[str, str, str]]:
    """The fields whose comment above says what they are, and that no flag sets."""
    path = ROOT / "ingest" / "settings.py"
    lines = path.read_text(encoding="utf-8").splitlines()
    tree = ast.parse("\n".join(lines))
    (settings,) = (
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "IngestSettings"
    )
    ingest = dict(commands(typer.main.get_command(main.app)))["caves ingest"]
    flags = {str(option.name) for option in ingest.params} | {"buffer_bytes", "bootstrap", "connection"}
    found = []
    comment = ""
    for field in settings.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        above = lines[field.lineno - 2].strip()
        comment = above.removeprefix("# ") if above.startswith("# ") else comment
        if field.target.id not in flags and isinstance(field.value, ast.Constant):
            found.append((f"`{field.target.id}`", str(field.value.value), comment))
    return found


def _names() -> list[tuple[str, str]]:
    from caves_cli.project import STATE_FOLDER
    from ingest.settings import DEFAULT_GROUP
    from ingest.topics import DEFAULT_PARTITIONS, DEFAULT_TOPIC

    return [
        ("database", f"`{names.DEFAULT_DATABASE}`, or `CAVES_DATABASE`"),
        ("warehouse of the tasks", f"`{names.DEFAULT_WAREHOUSE}`, or `CAVES_WAREHOUSE`"),
        ("schemas", _code(names.SCHEMAS)),
        ("stages", _code(names.STAGES)),
        ("Kafka topic", f"`{DEFAULT_TOPIC}`, {DEFAULT_PARTITIONS} partitions where `caves produce` makes it"),
        ("consumer group", f"`{DEFAULT_GROUP}`"),
        (
            "local state",
            f"`{STATE_FOLDER}/`: the warehouse's data, logs, and `config.toml` with the connection",
        ),
    ]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        Path(FOLDER / name).write_text(text, encoding="utf-8")
