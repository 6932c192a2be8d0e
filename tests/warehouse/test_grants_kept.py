"""The catalogue of grants: over a restart, with a state that has none, and a rule for every statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snowcellar import features
from snowcellar.errors import WarehouseError
from snowcellar.grants import functions
from snowcellar.grants.key import Key
from snowcellar.session import Session
from snowcellar.warehouse import Warehouse

_GRANTS = "_fs_global._fs_information_schema.sc_grants"


@contextmanager
def warehouse(folder: Path) -> Iterator[Warehouse]:
    opened = Warehouse(folder / "cellar.duckdb")
    yield opened
    opened.close()


def run(session: Session, *statements: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for statement in statements:
        rows = session.execute(statement).table.to_pylist()
    return rows


def test_roles_owners_and_grants_are_there_after_a_restart(tmp_path: Path) -> None:
    with warehouse(tmp_path) as first:
        run(
            first.open_session(),
            *("CREATE ROLE R COMMENT = 'r'", "GRANT ROLE R TO USER LOCAL", "CREATE DATABASE D"),
            *(
                "CREATE SCHEMA S WITH MANAGED ACCESS",
                "CREATE TABLE T (A INT)",
                "CREATE VIEW V AS SELECT * FROM T",
            ),
            *("GRANT USAGE ON DATABASE D TO ROLE R", "GRANT USAGE ON SCHEMA S TO ROLE R"),
            *("GRANT SELECT ON VIEW V TO ROLE R", "GRANT INSERT ON FUTURE TABLES IN SCHEMA S TO ROLE R"),
            *("CREATE USER U", "GRANT OWNERSHIP ON TABLE T TO ROLE R", "CREATE ROLE GONE", "DROP ROLE GONE"),
        )
    with warehouse(tmp_path) as second:
        session = second.open_session(role="R")
        assert run(session, "USE SCHEMA D.S", "SELECT * FROM T", "SHOW ROLES LIKE 'R'")[0]["comment"] == "r"
        with pytest.raises(WarehouseError, match="Failure during expansion of view 'V'"):
            run(session, "SELECT * FROM V")
        run(second.open_session(), "CREATE TABLE D.S.NEW (A INT)")
        run(session, "INSERT INTO NEW VALUES (1)")
        assert second.grants.setting(Key("SCHEMA", "D", "S"), "MANAGED ACCESS") == "TRUE"
        assert second.grants.owner(Key("USER", name="U")) == "ACCOUNTADMIN"
        assert not second.grants.exists(Key("ROLE", name="GONE"))


def test_what_has_no_owner_belongs_to_accountadmin_and_what_is_gone_has_no_grants(tmp_path: Path) -> None:
    """A state of an older snowcellar, and what a crash left: the catalogue follows what there is."""
    with warehouse(tmp_path) as first:
        session = first.open_session()
        run(
            session,
            "CREATE DATABASE D",
            "CREATE TABLE T (A INT)",
            "CREATE STREAM ST ON TABLE T",
            "CREATE STAGE SG",
        )
        run(
            session,
            "CREATE FILE FORMAT F TYPE = CSV",
            "CREATE WAREHOUSE W",
            "CREATE VIEW V AS SELECT A FROM T",
        )
        run(session, "CREATE TASK TK WAREHOUSE = W AS SELECT 1", "CREATE SEQUENCE Q")
        made = {key for key in first.grants.objects() if key.kind != "ROLE"}
        with first.cursor() as duck:
            duck.execute(f"DELETE FROM {_GRANTS}")
            duck.execute(
                f"INSERT INTO {_GRANTS} VALUES "
                "('TABLE', 'D', 'PUBLIC', 'NEVER', '', 'OWNERSHIP', 'ROLE', 'X', FALSE, 'X', now())"
            )
    with warehouse(tmp_path) as second:
        assert {key for key in second.grants.objects() if key.kind != "ROLE"} == made
        owners = {second.grants.owner(key) for key in made if key.kind != "ACCOUNT"}
        assert owners == {"ACCOUNTADMIN"}
        run(second.open_session(), "USE DATABASE D", "SELECT * FROM V", "DROP TABLE T", "DROP WAREHOUSE W")


def test_a_dropped_schema_or_database_takes_the_grants_along(tmp_path: Path) -> None:
    with warehouse(tmp_path) as cellar:
        session = cellar.open_session()
        run(session, "CREATE DATABASE D", "CREATE SCHEMA S", "CREATE TABLE T (A INT)", "DROP SCHEMA D.S")
        assert {key.schema for key in cellar.grants.objects() if key.database} == {"", "PUBLIC"}
        run(session, "DROP DATABASE D")
        assert not any(key.database for key in cellar.grants.objects())


def test_every_statement_and_function_has_a_rule(tmp_path: Path) -> None:
    with warehouse(tmp_path):
        rules = {handler for module in features.MODULES for handler in getattr(module, "RULES", {})}
        handlers = {
            handler
            for module in features.MODULES
            for listed in ("STATEMENTS", "BOUND_STATEMENTS")
            for _, handler in getattr(module, listed, ())
        }
        assert handlers
        assert {handler.__qualname__ for handler in handlers - rules} == set()
        known = {name for module in features.MODULES for name in getattr(module, "SYSTEM_FUNCTIONS", {})}
        assert known - set(functions.CHECKS) == set()


def test_a_statement_without_a_rule_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with warehouse(tmp_path) as cellar:
        module = next(each for each in features.MODULES if each.__name__ == "snowcellar.grants.feature")
        monkeypatch.setattr(module, "RULES", {})
        with pytest.raises(WarehouseError, match="no rule says who may run this statement"):
            run(cellar.open_session(), "BEGIN")


def test_a_statement_that_comes_again_is_not_looked_at_again(tmp_path: Path) -> None:
    with warehouse(tmp_path) as cellar:
        session = cellar.open_session()
        run(session, "CREATE DATABASE D", "CREATE TABLE T (A INT)", "SELECT * FROM T")
        remembered = len(cellar.grants.remembered)
        run(session, "SELECT * FROM T", "SELECT * FROM T")
        assert len(cellar.grants.remembered) == remembered
        run(session, "CREATE ROLE R")
        assert len(cellar.grants.remembered) < remembered
