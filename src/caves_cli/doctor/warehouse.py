"""The warehouse behind the connection: is it there, is everything deployed, and is it this code."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import DictCursor
from snowflake.connector.errors import ProgrammingError

from caves_cli import overview
from caves_cli.connection import Target
from caves_cli.doctor.finding import Finding, ok, problem, skipped, warning
from caves_cli.fingerprint import fingerprint
from caves_cli.overview import LoadedUpTo
from caves_snowpark import names
from ingest.errors import CredentialUnusable, IngestError, WarehouseRefusedLogin

# What deploy/ and snowflake.yml create, by the word that SHOW knows it under.
EXPECTED: Final = {
    "TABLES": (*names.TABLES, *names.ALERT_TABLES, *names.DATA_LIFE_TABLES, names.DEPLOYMENTS),
    "VIEWS": (*names.VIEWS, names.OPEN_ALERTS),
    "STAGES": names.STAGES,
    "STREAMS": names.STREAMS,
    "PROCEDURES": names.PROCEDURES,
    "TASKS": names.TASKS,
    "ALERTS": names.ALERTS,
}
_SHOWN: Final = 3


class Examined:
    """The warehouse of one target; remembers the stored offsets for whoever looks at Kafka next."""

    def __init__(self, target: Target, root: Path | None) -> None:
        self._target = target
        self._root = root
        self._redeploy = f"caves deploy -c {target.name}"
        self.loaded: list[LoadedUpTo] | None = None

    def checks(self) -> Iterator[Finding]:
        try:
            session = self._target.open()
        except IngestError as error:
            yield problem("Login", str(error), self._way_in(error))
            return
        with session:
            yield ok("Login", f"{_value(session, 'CURRENT_USER()')} at {session.host}:{session.port}")
            yield self.warehouse(session)
            there = self.database(session)
            yield there
            if there.mend is None:
                yield from self._deployed(session)

    def warehouse(self, session: SnowflakeConnection) -> Finding:
        name = self._target.warehouse
        if name.upper() not in _listed(session, "SHOW WAREHOUSES"):
            return problem("Warehouse", f"there is no {name}, or this role may not use it", self._redeploy)
        return ok("Warehouse", name)

    def database(self, session: SnowflakeConnection) -> Finding:
        name = self._target.database
        if name.upper() not in _listed(session, "SHOW DATABASES"):
            return problem("Database", f"there is no {name}, or this role may not use it", self._redeploy)
        return ok("Database", name)

    def _deployed(self, session: SnowflakeConnection) -> Iterator[Finding]:
        missing = set(self._missing(session))
        if missing:
            # What a role has no privilege on is, to it, not there.
            found = f"not there for role {session.role}: {_some(sorted(missing))}"
            yield problem("Deployed objects", found, self._redeploy)
        else:
            yield ok("Deployed objects", f"all {sum(map(len, EXPECTED.values()))}")
        if names.DEPLOYMENTS not in missing:
            yield self.code(session)
        for check in ("Tasks", "Alerts"):
            if missing.isdisjoint(EXPECTED[check.upper()]):
                yield self.running(session, check)
        if names.KAFKA_OFFSETS not in missing:
            self.loaded = overview.loaded_up_to(session)

    def _missing(self, session: SnowflakeConnection) -> Iterator[str]:
        for kind, expected in EXPECTED.items():
            there = {f"{row['schema_name']}.{row['name']}" for row in self._shown(session, kind)}
            yield from (name for name in expected if name not in there)

    def code(self, session: SnowflakeConnection) -> Finding:
        """The code that is deployed against the code that is here."""
        check = "Deployed code"
        with session.cursor() as cursor:
            cursor.execute(
                f"SELECT CODE, DEPLOYED_AT, DEPLOYED_BY FROM {names.DEPLOYMENTS}"  # noqa: S608 - our name
                " ORDER BY DEPLOYED_AT DESC LIMIT 1"
            )
            rows = cursor.fetchall()
        if not rows:
            return warning(check, "nothing tells which", self._redeploy)
        code, at, who = rows[0]
        found = f"{code}, deployed {at:%Y-%m-%d %H:%M} UTC by {who}"
        if self._root is None:
            return skipped(check, f"{found}; there is no code here to compare with")
        ours = fingerprint(self._root)
        if code != ours:
            return warning(check, f"{found}; the code here is {ours}", self._redeploy)
        return ok(check, found)

    def running(self, session: SnowflakeConnection, check: str) -> Finding:
        kind = check.upper()
        expected = EXPECTED[kind]
        idle = [
            str(row["name"])
            for row in self._shown(session, kind)
            if f"{row['schema_name']}.{row['name']}" in expected and str(row["state"]).lower() != "started"
        ]
        if idle:
            return problem(check, f"suspended: {_some(idle)}", self._redeploy)
        return ok(check, f"all {len(expected)} are resumed")

    def _shown(self, session: SnowflakeConnection, kind: str) -> list[dict[str, Any]]:
        return _rows(session, f"SHOW {kind} IN DATABASE {_quoted(self._target.database)}")

    def _way_in(self, error: IngestError) -> str:
        if isinstance(error, CredentialUnusable):
            return "as it says; docs/connections.md has more"
        if self._target.name == "local" and not isinstance(error, WarehouseRefusedLogin):
            return "caves up"
        config = f"--config-file {self._target.config_file} " if self._target.config_file else ""
        return f"snow {config}connection test -c {self._target.name}"


def _rows(session: SnowflakeConnection, statement: str) -> list[dict[str, Any]]:
    with session.cursor(DictCursor) as cursor:
        cursor.execute(statement)
        return [dict(row) for row in cursor.fetchall()]


def _listed(session: SnowflakeConnection, statement: str) -> set[str]:
    try:
        return {str(row["name"]).upper() for row in _rows(session, statement)}
    except ProgrammingError:
        return set()


def _value(session: SnowflakeConnection, expression: str) -> object:
    with session.cursor() as cursor:
        cursor.execute(f"SELECT {expression}")
        [[value]] = cursor.fetchall()
    return value


def _quoted(identifier: str) -> str:
    doubled = identifier.upper().replace('"', '""')
    return f'"{doubled}"'


def _some(found: Iterable[str]) -> str:
    shown = list(found)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
