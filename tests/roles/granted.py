"""The grants of deploy/, one privilege each, and the statement that takes it away again."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from caves_cli import sql_files
from tests.deploy_files import ROOT

# Given to what is there already when version 0.1 is upgraded; on a new account there is nothing.
HAND_OVER: Final = "012_hand_over.sql"
_GRANT: Final = re.compile(
    r"GRANT (?P<privileges>.+?) (?P<on>ON .+?) TO ROLE (?P<role>\w+)(?P<copy> COPY CURRENT GRANTS)?\Z",
    re.DOTALL,
)
_ROLE: Final = re.compile(r"GRANT (?P<what>(?:DATABASE )?ROLE [\w.]+) TO ROLE (?P<role>\w+)\Z")


@dataclass(frozen=True)
class Grant:
    """One privilege: `SELECT`, `ON TABLE RAW_DATA.KAFKA_OFFSETS`, `CAVES_INGEST`. A role has no ON."""

    privilege: str
    on: str
    role: str
    of_account: bool

    def __str__(self) -> str:
        return " ".join(f"{self.privilege} {self.on} TO {self.role}".split())

    @property
    def job(self) -> str:
        return self.role.rpartition("_")[2]

    @property
    def name(self) -> str:
        """The object without its kind and arguments: RAW_DATA.KAFKA_OFFSETS; a schema or kind for FUTURE."""
        return self.on.partition("(")[0].split()[-1] if self.on else self.privilege.split()[-1]

    @property
    def giving(self) -> str:
        return f"GRANT {self.privilege} {self.on} TO ROLE {self.role}"

    @property
    def taking(self) -> str:
        return f"REVOKE {self.privilege} {self.on} FROM ROLE {self.role}"


def grants() -> Iterator[Grant]:
    """Every grant of a deployment, of the account's files and of the numbered ones."""
    account = sorted((ROOT / "deploy" / "account").glob("*.sql"))
    numbered = sorted((ROOT / "deploy").glob("[0-9]*.sql"))
    for path in (*account, *numbered):
        if path.name == HAND_OVER:
            continue
        for statement in _statements(path):
            if match := _ROLE.match(statement):
                yield Grant(match["what"], "", match["role"], of_account=True)
            elif match := _GRANT.match(statement):
                for privilege in re.split(r",\s*", match["privileges"]):
                    yield Grant(privilege, match["on"], match["role"], of_account=path in account)


def _statements(path: Path) -> Iterator[str]:
    for _, statement in sql_files.statements(ROOT, [path], sql_files.defaults(ROOT)):
        if statement.startswith("GRANT "):
            yield " ".join(statement.split())
