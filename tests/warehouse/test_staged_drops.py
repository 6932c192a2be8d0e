"""DROP STAGE and DROP FILE FORMAT."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowcellar.errors import WarehouseError
from snowcellar.session import Session
from snowcellar.warehouse import Warehouse
from tests.warehouse.conftest import Query


def test_a_stage_goes_with_its_files(cellar: Warehouse, session: Session, query: Query) -> None:
    session.execute("CREATE STAGE FILES")
    folder = cellar.folder / "stages" / "CELLAR_DB" / "PUBLIC" / "FILES"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.csv").write_text("1")
    session.execute("DROP STAGE FILES")
    assert query("SHOW STAGES") == []
    assert not folder.exists()
    session.execute("CREATE STAGE FILES")
    assert query("LIST @FILES") == []


def test_a_file_format_goes(session: Session, query: Query) -> None:
    session.execute("CREATE FILE FORMAT LINES TYPE = CSV")
    session.execute("DROP FILE FORMAT LINES")
    assert query("SHOW FILE FORMATS") == []


@pytest.mark.parametrize("kind", ["STAGE", "FILE FORMAT"])
def test_one_that_is_not_there_is_an_error_unless_that_is_said(session: Session, kind: str) -> None:
    with pytest.raises(WarehouseError, match="does not exist"):
        session.execute(f"DROP {kind} NOWHERE")
    session.execute(f"DROP {kind} IF EXISTS NOWHERE")


@pytest.mark.parametrize("kind", ["DATABASE", "SCHEMA"])
def test_what_lies_in_a_database_or_schema_goes_with_it(query: Query, tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.txt").write_text("a")
    for _ in range(2):
        query(f"CREATE {kind} GONE")
        query("CREATE STAGE LEFT_BEHIND")
        assert query("LIST @LEFT_BEHIND") == []
        query(f"PUT file://{tmp_path}/a.txt @LEFT_BEHIND AUTO_COMPRESS = FALSE")
        query("CREATE FILE FORMAT LEFT_BEHIND TYPE = CSV")
        query(f"DROP {kind} GONE")


def test_a_name_that_leads_elsewhere_deletes_nothing_there(query: Query, cellar: Warehouse) -> None:
    query("CREATE STAGE KEPT")
    (kept := cellar.folder / "stages" / "CELLAR_DB" / "PUBLIC" / "KEPT").mkdir(parents=True, exist_ok=True)
    query('CREATE SCHEMA ".."')
    query('DROP SCHEMA ".."')
    assert kept.exists()
