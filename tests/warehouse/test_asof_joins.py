"""ASOF JOIN: every row of the left side, with the nearest of the right."""

from __future__ import annotations

import pytest

from snowcellar.errors import Unsupported
from tests.warehouse.conftest import Query


def test_every_left_row_has_its_nearest_right_row_or_none(query: Query) -> None:
    query("CREATE TABLE A AS SELECT COLUMN1 AS K, COLUMN2 AS T FROM VALUES (1, 10), (1, 20), (2, 5)")
    query("CREATE TABLE B AS SELECT COLUMN1 AS K, COLUMN2 AS T FROM VALUES (1, 8), (1, 15), (2, 7)")
    joined = "SELECT A.T, B.T AS N FROM A ASOF JOIN B MATCH_CONDITION ({}) ORDER BY A.T"
    assert query(joined.format("A.T >= B.T) ON (A.K = B.K")) == [
        {"T": 5, "N": None},
        {"T": 10, "N": 8},
        {"T": 20, "N": 15},
    ]
    assert [row["N"] for row in query(joined.format("A.T < B.T"))] == [7, 15, None]
    with pytest.raises(Unsupported, match=r"ASOF JOIN \.\.\. USING"):
        query(joined.format("A.T >= B.T) USING (K"))
