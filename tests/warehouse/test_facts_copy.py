"""What COPY INTO remembers of the files that it has loaded."""

from __future__ import annotations

import pytest

from snowcellar.session import Session
from tests.warehouse.conftest import Query

COPY = "COPY INTO WINES FROM @FILES FILE_FORMAT = (TYPE = CSV)"


@pytest.mark.fact(35)
def test_a_file_is_loaded_once_by_name_unless_forced(session: Session, query: Query) -> None:
    """The same rows under another name are loaded again: a known consequence."""

    def statuses(statement: str) -> dict[str, str]:
        return {row["file"]: row["status"] for row in query(statement)}

    query("CREATE STAGE FILES")
    query("CREATE TABLE WINES (ID INT, NAME VARCHAR)")
    folder = session.warehouse.folder / "stages" / "CELLAR_DB" / "PUBLIC" / "FILES"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("1,Gamay\n2,Syrah\n")
    assert statuses(COPY) == {"files/a.csv": "LOADED"}
    assert statuses(COPY) == {"files/a.csv": "LOAD_SKIPPED"}
    (folder / "b.csv").write_text("1,Gamay\n2,Syrah\n")
    assert statuses(COPY) == {"files/a.csv": "LOAD_SKIPPED", "files/b.csv": "LOADED"}
    assert query("SELECT COUNT(*) AS N FROM WINES") == [{"N": 4}]
    assert statuses(f"{COPY} FORCE = TRUE") == {"files/a.csv": "LOADED", "files/b.csv": "LOADED"}
    assert query("SELECT COUNT(*) AS N FROM WINES") == [{"N": 8}]
