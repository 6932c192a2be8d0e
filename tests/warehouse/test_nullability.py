"""DataFrame.schema: which columns may be NULL (a describe)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from snowcellar.session import Session
from snowcellar.warehouse import Warehouse


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    warehouse = Warehouse(tmp_path_factory.mktemp("cellar") / "cellar.duckdb")
    opened = warehouse.open_session()
    opened.execute("CREATE DATABASE CELLAR_DB")
    opened.execute('CREATE TABLE T (A INT NOT NULL, B VARCHAR, "c" INT NOT NULL)')
    opened.execute("CREATE TEMPORARY TABLE U (A INT NOT NULL)")
    yield opened
    warehouse.close()


@pytest.mark.parametrize(
    ("query", "required"),
    [
        ("SELECT * FROM T", {"A", "c"}),
        ("SELECT * FROM CELLAR_DB.PUBLIC.U", {"A"}),
        ('SELECT B, A AS X, "c", 1 AS ONE, NULL AS NONE FROM T WHERE A > 1', {"X", "c", "ONE"}),
        ("SELECT * FROM (SELECT A, B FROM (SELECT * FROM T))", {"A"}),
        ("SELECT A::VARCHAR AS A, TRY_CAST(B AS INT) AS B FROM T", {"A"}),
        ("SELECT T.A FROM T LEFT JOIN U ON T.A = U.A", set()),
        ("SELECT MAX(A) AS A FROM T", set()),
        ("SELECT A FROM T UNION ALL SELECT NULL", set()),
    ],
)
def test_a_describe_knows_what_is_never_null(session: Session, query: str, required: set[str]) -> None:
    assert session.describe(query).required == required
