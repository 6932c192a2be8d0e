"""What a shell suggests for a value. A suggestion is read from files here, never asked of a server."""

from caves_snowpark.event_contract import REASONS
from ingest.connection_files import connections_by_file
from ingest.errors import ConnectionFileUnreadable


def connection_names() -> list[str]:
    """The connections that `-c` finds, by name; none when a file cannot be read."""
    try:
        names = [name for _, connections in connections_by_file() for name in connections]
    except ConnectionFileUnreadable:
        return []
    return list(dict.fromkeys(names))


def reason_codes() -> list[tuple[str, str]]:
    """The reasons of today's contract, and what each means."""
    return list(REASONS.items())


def environment_names() -> list[str]:
    """The environments in deploy/environments/; none outside the project."""
    from caves_cli import project, sql_files
    from caves_cli.errors import NotInProject

    try:
        return sql_files.environments(project.root())
    except NotInProject:
        return []
