"""CREATE, ALTER, DROP, SHOW and DESCRIBE STREAMLIT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowcellar.errors import ObjectExists, ObjectNotFound, Unsupported, WarehouseError
from snowcellar.warehouse import Warehouse

CREATE = "STREAMLIT CARTE MAIN_FILE = 'app.py' QUERY_WAREHOUSE = COMPUTE_WH TITLE = 'La carte'"


def test_an_app_is_made_described_changed_and_dropped(query: Any) -> None:
    query(f"CREATE {CREATE} COMMENT = 'Vins'")
    (app,) = query("DESCRIBE STREAMLIT CARTE")
    assert (app["main_file"], app["title"], app["comment"]) == ("app.py", "La carte", "Vins")
    assert app["query_warehouse"] == "COMPUTE_WH"
    assert app["live_version_location_uri"] is None

    query("ALTER STREAMLIT CARTE SET TITLE = 'Les vins', COMMENT = ''")
    (app,) = query("SHOW STREAMLITS LIKE 'carte'")
    assert (app["name"], app["title"], app["comment"]) == ("CARTE", "Les vins", "")

    query("DROP STREAMLIT CARTE")
    assert query("SHOW STREAMLITS") == []
    with pytest.raises(ObjectNotFound):
        query("DESCRIBE STREAMLIT CARTE")


def test_a_live_version_has_a_place_for_files_and_there_is_one(query: Any, tmp_path: Path) -> None:
    query(f"CREATE {CREATE}")
    query("ALTER STREAMLIT CARTE ADD LIVE VERSION FROM LAST")
    with pytest.raises(WarehouseError) as refused:
        query("ALTER STREAMLIT CARTE ADD LIVE VERSION FROM LAST")
    assert (refused.value.errno, refused.value.sqlstate) == (99106, "42710")
    (app,) = query("DESCRIBE STREAMLIT CARTE")
    assert app["live_version_location_uri"] == "@CELLAR_DB.PUBLIC.CARTE$LIVE/"
    assert query("LIST @CELLAR_DB.PUBLIC.CARTE$LIVE") == []
    query("DROP STREAMLIT CARTE")
    with pytest.raises(WarehouseError):
        query("LIST @CELLAR_DB.PUBLIC.CARTE$LIVE")


def test_a_name_that_is_taken_is_refused_kept_or_replaced(query: Any) -> None:
    query(f"CREATE {CREATE}")
    query("ALTER STREAMLIT CARTE ADD LIVE VERSION FROM LAST")
    with pytest.raises(ObjectExists):
        query(f"CREATE {CREATE}")
    query(f"CREATE {CREATE.replace('STREAMLIT', 'STREAMLIT IF NOT EXISTS').replace('La carte', 'Autre')}")
    assert query("DESCRIBE STREAMLIT CARTE")[0]["title"] == "La carte"
    query(f"CREATE OR REPLACE {CREATE.replace('La carte', 'Autre')}")
    (app,) = query("DESCRIBE STREAMLIT CARTE")
    assert (app["title"], app["live_version_location_uri"]) == ("Autre", None)


def test_apps_outlive_a_restart_and_not_their_schema(cellar: Warehouse, query: Any, tmp_path: Path) -> None:
    query("CREATE SCHEMA OPS")
    query(f"CREATE {CREATE.replace('CARTE', 'OPS.CARTE')}")
    query(f"CREATE {CREATE.replace('CARTE', 'PUBLIC.CARTE')}")
    cellar.close()
    again = Warehouse(tmp_path / "cellar.duckdb")
    again.start()
    try:
        session = again.open_session()
        session.execute("USE DATABASE CELLAR_DB")
        session.execute("DESCRIBE STREAMLIT OPS.CARTE")
        session.execute("DROP SCHEMA OPS")
        rows = session.execute("SHOW STREAMLITS IN DATABASE").table.to_pylist()
        assert [row["schema_name"] for row in rows] == ["PUBLIC"]
    finally:
        again.close()


@pytest.mark.parametrize(
    "sql",
    [
        f"CREATE {CREATE} ROOT_LOCATION = '@stage/app'",
        f"CREATE {CREATE} RUNTIME_NAME = 'SYSTEM$ST_CONTAINER_RUNTIME_PY3_11'",
        "CREATE STREAMLIT CARTE FROM '@stage/app' MAIN_FILE = 'app.py'",
        "ALTER STREAMLIT CARTE COMMIT",
        "ALTER STREAMLIT CARTE RENAME TO MENU",
        "EXECUTE STREAMLIT CARTE()",
    ],
)
def test_what_is_not_done_here_is_refused_by_name(query: Any, sql: str) -> None:
    with pytest.raises(Unsupported, match=r"(?i)streamlit"):
        query(sql)
