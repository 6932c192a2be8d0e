"""Sessions of roles on one served warehouse, for the tests of grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from snowflake.connector.errors import Error

from tests.warehouse.conftest import Server

NOT_FOUND, DENIED = 2003, 3001
ROLES = ("OWNER", "READER", "OTHER")


@dataclass
class Account:
    """A connection of the real connector for each role, and what they say."""

    server: Server
    connections: dict[str, Any]

    def run(self, role: str, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as a role; the rows of the last."""
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            rows = self._cursor(role).execute(statement).fetchall()
        return rows

    def rows(self, role: str, statement: str) -> list[dict[str, Any]]:
        """The rows of a statement by the names of their columns."""
        cursor = self._cursor(role).execute(statement)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def refusal(self, role: str, statement: str) -> tuple[int, str]:
        """Number and text of the error with which a role's statement is refused."""
        with pytest.raises(Error) as refused:
            self._cursor(role).execute(statement)
        return refused.value.errno, str(refused.value.raw_msg)

    def denies(self, role: str, statement: str, errno: int = NOT_FOUND) -> str:
        """Check that a statement is refused with a number; the text."""
        number, text = self.refusal(role, statement)
        assert number == errno, f"{role}: {statement}: {number} {text}"
        return text

    def _cursor(self, role: str) -> Any:
        if role not in self.connections:
            database = None if role == "ACCOUNTADMIN" else "SHOP"
            self.connections[role] = self.server.connect(role=role, database=database, schema="S")
        return self.connections[role].cursor()

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()


def opened(server: Server) -> Account:
    """An account with a database SHOP that OWNER owns; READER may enter it and its schema S."""
    account = Account(server, {})
    account.run(
        "ACCOUNTADMIN",
        *(f"CREATE ROLE {role}" for role in ROLES),
        # Not to SYSADMIN: what they own is out of the administrators' hierarchy.
        *(f"GRANT ROLE {role} TO USER LOCAL" for role in ROLES),
        "CREATE WAREHOUSE WH",
        "GRANT USAGE ON WAREHOUSE WH TO ROLE OWNER",
        "CREATE DATABASE SHOP",
        "GRANT OWNERSHIP ON DATABASE SHOP TO ROLE OWNER",
        "GRANT USAGE ON DATABASE SHOP TO ROLE READER",
    )
    account.run(
        "OWNER",
        "USE DATABASE SHOP",
        "CREATE SCHEMA S",
        "CREATE TABLE T (A INT, B VARCHAR)",
        "INSERT INTO T VALUES (1, 'x')",
        "GRANT USAGE ON SCHEMA SHOP.S TO ROLE READER",
    )
    return account
