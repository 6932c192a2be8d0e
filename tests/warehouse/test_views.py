"""Views: what CREATE VIEW says beside its query."""

from __future__ import annotations

from tests.warehouse.conftest import Query

CREATE_VIEW = """
CREATE OR REPLACE VIEW SALES (DAY COMMENT 'the shop''s day', REVENUE COMMENT 'euros and cents')
    COPY GRANTS
    COMMENT = 'one row per day'
AS
WITH SOLD AS (SELECT D, P FROM ORDERS)
SELECT D, SUM(P) FROM SOLD GROUP BY D
"""
VIEW_COMMENT = "SELECT COMMENT FROM INFORMATION_SCHEMA.VIEWS WHERE TABLE_NAME = 'SALES'"
COLUMN_COMMENTS = """
SELECT COLUMN_NAME, COMMENT FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'SALES'
ORDER BY ORDINAL_POSITION
"""


def test_a_view_keeps_its_comments_when_it_is_replaced(query: Query) -> None:
    query("CREATE TABLE ORDERS (D DATE, P NUMBER(12, 2))")
    query("INSERT INTO ORDERS VALUES ('2025-07-01', 1.10), ('2025-07-01', 2.20)")
    for _ in range(2):
        assert query(CREATE_VIEW) == [{"status": "View SALES successfully created."}]
        assert query("SELECT REVENUE::VARCHAR AS R FROM SALES") == [{"R": "3.30"}]
        assert query(VIEW_COMMENT) == [{"COMMENT": "one row per day"}]
        assert query(COLUMN_COMMENTS) == [
            {"COLUMN_NAME": "DAY", "COMMENT": "the shop's day"},
            {"COLUMN_NAME": "REVENUE", "COMMENT": "euros and cents"},
        ]
        assert [row["comment"] for row in query("SHOW VIEWS")] == ["one row per day"]


def test_a_comment_on_a_view_can_come_later(query: Query) -> None:
    query("CREATE TABLE ORDERS (D DATE, P NUMBER(12, 2))")
    query(CREATE_VIEW)
    query("COMMENT ON VIEW SALES IS 'one day''s revenue'")
    assert query(VIEW_COMMENT) == [{"COMMENT": "one day's revenue"}]


def test_a_view_without_a_comment_has_none(query: Query) -> None:
    query("CREATE TABLE ORDERS (D DATE, P NUMBER(12, 2))")
    query(CREATE_VIEW)
    query("CREATE OR REPLACE VIEW SALES COPY GRANTS AS SELECT D FROM ORDERS")
    assert query(VIEW_COMMENT) == [{"COMMENT": None}]
    assert query(COLUMN_COMMENTS) == [{"COLUMN_NAME": "D", "COMMENT": None}]
