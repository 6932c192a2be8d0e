"""The reference of the command as a page of Markdown, read from the parser itself."""

from collections.abc import Iterator, Sequence
from typing import Final

import click

from caves_cli.exit_codes import MEANINGS
from caves_cli.help_pages import first_paragraph, paragraphs, visible_commands

_HEAD: Final = """\
# The `caves` command

Written from the code by `caves reference > docs/reference/cli.md`; a test compares the two.

Results go to stdout, progress and errors to stderr. Progress bars and colours are for terminals: in a pipe or
a log there are plain lines, and `NO_COLOR=1` leaves colours out everywhere. `COLUMNS` sets a width. A setting
comes from its flag, else from its environment variable, else from its default. Every command takes `--help`,
and `--debug` for tracebacks and the whole log.
"""


def page(root: click.Group) -> str:
    """The whole page."""
    context = click.Context(root, info_name="caves")
    return "\n".join([_HEAD, _overview(root), _exit_codes(), *_sections(root, context)])


def _overview(root: click.Group) -> str:
    rows = [
        (f"[`caves {name}`](#caves-{name})", first_paragraph(command))
        for name, command in visible_commands(root)
    ]
    return _table(("command", "what it does"), rows)


def _exit_codes() -> str:
    rows = [(str(code.value), code.name, meaning) for code, meaning in MEANINGS.items()]
    return f"## Exit codes\n\n{_table(('code', 'name', 'when'), rows)}"


def _sections(group: click.Group, context: click.Context) -> Iterator[str]:
    mark = "##" if context.parent is None else "###"
    for name, command in visible_commands(group):
        inner = click.Context(command, info_name=name, parent=context)
        yield f"{mark} {inner.command_path}\n\n{_text(command)}"
        if isinstance(command, click.Group):
            yield from _sections(command, inner)
            continue
        usage = " ".join(command.collect_usage_pieces(inner))
        yield f"Usage:\n\n```text\n{inner.command_path} {usage}\n```\n"
        if rows := list(_parameters(command, inner)):
            yield _table(("option", "what it does", "default", "environment"), rows)


def _text(command: click.Command) -> str:
    parts = [_block(text) if is_verbatim else text for is_verbatim, text in paragraphs(command.help)]
    return "\n\n".join(parts) + "\n"


def _block(text: str) -> str:
    lines = "\n".join(line.removeprefix("  ") for line in text.splitlines())
    return f"```text\n{lines}\n```"


def _parameters(command: click.Command, context: click.Context) -> Iterator[tuple[str, ...]]:
    for parameter in command.params:
        described = parameter.get_help_record(context)
        if described is None:
            continue
        yield (
            f"`{described[0]}`",
            str(getattr(parameter, "help", "") or "") + _range(parameter),
            _default(parameter, context),
            f"`{parameter.envvar}`" if parameter.envvar else "",
        )


def _range(parameter: click.Parameter) -> str:
    kind = parameter.type
    if not isinstance(kind, click.IntRange | click.FloatRange):
        return ""
    return f" At least {kind.min}." if kind.max is None else f" From {kind.min} to {kind.max}."


def _default(parameter: click.Parameter, context: click.Context) -> str:
    if parameter.required:
        return "required"
    value = parameter.get_default(context)
    return "" if value is None or value is False else f"`{getattr(value, 'value', value)}`"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
