"""Snowpark's Session, as a pipeline uses it: frames in and out, writes, joins, windows, files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from snowflake.snowpark import Session, Window
from snowflake.snowpark import functions as F
from snowflake.snowpark import types as T
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.functions import col, lit, when_matched, when_not_matched

from tests.warehouse.conftest import Server

ORDERS = [("O1", "Gamay", 2, Decimal("9.50")), ("O2", "Gamay", 1, Decimal("9.50")), ("O3", "Syrah", 6, None)]
COLUMNS = ["ID", "WINE", "BOTTLES", "PRICE"]


@pytest.fixture(scope="module")
def park(shared_server: Server) -> Iterator[Session]:
    connection = shared_server.connect()
    opened = Session.builder.configs({"connection": connection}).create()
    opened.sql("CREATE DATABASE PARK").collect()
    yield opened
    opened.close()


@pytest.fixture
def orders(park: Session) -> Any:
    """A table of three orders, new for each test."""
    schema = T.StructType(
        [
            T.StructField("ID", T.StringType()),
            T.StructField("WINE", T.StringType()),
            T.StructField("BOTTLES", T.IntegerType()),
            T.StructField("PRICE", T.DecimalType(10, 2)),
        ]
    )
    park.create_dataframe(ORDERS, schema).write.save_as_table("ORDERS", mode="overwrite")
    return park.table("ORDERS")


def rows(frame: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in frame.collect()]


TYPED: dict[str, tuple[Any, Any]] = {
    "TEXT": (T.StringType(), "é'\"\\"),
    "WHOLE": (T.LongType(), 2**40),
    "SMALL": (T.ShortType(), -5),
    "MONEY": (T.DecimalType(12, 2), Decimal("19.90")),
    "RATIO": (T.DoubleType(), 0.1),
    "SINGLE": (T.FloatType(), 1.5),
    "FLAG": (T.BooleanType(), True),
    "DAY": (T.DateType(), dt.date(1960, 2, 29)),
    "HOUR": (T.TimeType(), dt.time(21, 5, 9)),
    "NTZ": (T.TimestampType(T.TimestampTimeZone.NTZ), dt.datetime(2024, 6, 1, 21, 5, 9, 123456)),
    "LTZ": (T.TimestampType(T.TimestampTimeZone.LTZ), dt.datetime(2024, 6, 1, 21, 5, tzinfo=dt.UTC)),
    "TZ": (T.TimestampType(T.TimestampTimeZone.TZ), dt.datetime(2024, 6, 1, 21, 5, tzinfo=dt.UTC)),
    "BYTES": (T.BinaryType(), b"\x00\xff"),
    "LIST": (T.ArrayType(T.StringType()), ["a", "b"]),
    "MAPPED": (T.MapType(T.StringType(), T.StringType()), {"a": "b"}),
    "ANY": (T.VariantType(), {"a": [1, None]}),
}


@pytest.mark.parametrize("many", [False, True])
def test_values_of_every_type_come_back_as_they_went(park: Session, many: bool) -> None:
    """As literals, and beyond 512 cells as a temporary table with bound values."""
    schema = T.StructType([T.StructField(name, kind) for name, (kind, _) in TYPED.items()])
    given = [[value for _, value in TYPED.values()], [None] * len(TYPED)]
    frame = park.create_dataframe(given * (40 if many else 1), schema)
    found = frame.distinct().collect()
    assert len(found) == 2
    row = next(row for row in found if row["TEXT"] is not None).as_dict()
    assert [row.pop(name).replace("\n", "").replace(" ", "") for name in ("LIST", "MAPPED", "ANY")] == [
        '["a","b"]', '{"a":"b"}', '{"a":[1,null]}'
    ]  # fmt: skip
    assert row == {name: value for name, (_, value) in TYPED.items() if name in row}
    assert all(value is None for value in next(row for row in found if row["TEXT"] is None))


def test_save_modes(park: Session, orders: Any) -> None:
    one = park.create_dataframe([("O4", "Merlot", 1, Decimal("5.00"))], COLUMNS)
    one.write.mode("append").save_as_table("ORDERS")
    assert orders.count() == 4
    with pytest.raises(SnowparkSQLException, match="already exists"):
        one.write.save_as_table("ORDERS", mode="errorifexists")
    one.write.save_as_table("ORDERS", mode="ignore")
    assert orders.count() == 4
    one.write.save_as_table("ORDERS", mode="truncate")
    assert rows(orders) == [("O4", "Merlot", 1, Decimal("5.00"))]
    one.write.save_as_table("ORDERS", mode="overwrite", table_type="transient")
    one.write.save_as_table("ORDERS", mode="append", column_order="name")
    assert orders.count() == 2
    one.write.save_as_table("SCRATCH", mode="overwrite", table_type="temporary")
    assert park.table("SCRATCH").count() == 1
    one.write.insert_into("ORDERS", overwrite=True)
    assert orders.count() == 1


def test_merge_update_and_delete_tell_how_many(park: Session, orders: Any) -> None:
    assert tuple(orders.update({"PRICE": lit(1)}, col("PRICE").is_null())) == (1, 0)
    assert tuple(orders.delete(col("ID") == "O2")) == (1,)
    source = park.create_dataframe([("O1", 7), ("O9", 1)], ["ID", "N"])
    merged = orders.merge(
        source,
        orders["ID"] == source["ID"],
        [
            when_matched().update({"BOTTLES": source["N"]}),
            when_not_matched().insert({"ID": source["ID"], "BOTTLES": source["N"]}),
        ],
    )
    assert (merged.rows_inserted, merged.rows_updated, merged.rows_deleted) == (1, 1, 0)
    assert rows(orders.select("ID", "BOTTLES").sort("ID")) == [("O1", 7), ("O3", 6), ("O9", 1)]


def test_an_update_from_another_frame(park: Session, orders: Any) -> None:
    prices = park.create_dataframe([("Syrah", Decimal("12.00"))], ["WINE", "NEW"])
    orders.update({"PRICE": prices["NEW"]}, orders["WINE"] == prices["WINE"], prices)
    assert rows(orders.filter(col("WINE") == "Syrah").select("PRICE")) == [(Decimal("12.00"),)]
    assert orders.delete(orders["WINE"] == prices["WINE"], prices).rows_deleted == 1


@pytest.mark.parametrize(
    ("how", "expected"),
    [("inner", 2), ("left", 3), ("right", 3), ("full", 4), ("semi", 2), ("anti", 1), ("cross", 6)],
)
def test_joins(park: Session, orders: Any, how: str, expected: int) -> None:
    colours = park.create_dataframe([("Gamay", "red"), ("Viognier", "white")], ["WINE", "COLOUR"])
    joined = orders.cross_join(colours) if how == "cross" else orders.join(colours, on="WINE", how=how)
    assert joined.count() == expected


def test_groups_windows_and_pivots(park: Session, orders: Any) -> None:
    totals = orders.group_by("WINE").agg(F.sum("BOTTLES").alias("N"), F.max("PRICE"), F.count(lit(1)))
    assert rows(totals.sort("WINE")) == [("Gamay", 3, Decimal("9.50"), 2), ("Syrah", 6, None, 1)]
    place = Window.partition_by("WINE").order_by(col("BOTTLES").desc())
    ranked = orders.with_column("PLACE", F.row_number().over(place)).filter(col("PLACE") == 1)
    assert rows(ranked.select("ID").sort("ID")) == [("O1",), ("O3",)]
    running = F.sum("BOTTLES").over(Window.order_by("ID").rows_between(Window.UNBOUNDED_PRECEDING, 0))
    assert rows(orders.select("ID", running.alias("N")).sort("ID")) == [("O1", 2), ("O2", 3), ("O3", 9)]
    pivoted = orders.select("WINE", "BOTTLES").pivot("WINE", ["Gamay", "Syrah"]).sum("BOTTLES")
    assert rows(pivoted) == [(3, 6)]
    assert orders.rollup("WINE").agg(F.sum("BOTTLES")).count() == 3
    assert sorted(orders.drop_duplicates("WINE").select("WINE").to_pandas()["WINE"]) == ["Gamay", "Syrah"]


def test_sets_samples_and_nulls(park: Session, orders: Any) -> None:
    assert orders.union_all(orders).count() == 6
    assert orders.union(orders).count() == 3
    assert orders.union_all_by_name(orders.select("PRICE", "WINE", "ID", "BOTTLES")).count() == 6
    assert orders.except_(orders.limit(0)).count() == 3
    assert orders.intersect(orders).count() == 3
    assert orders.na.fill(Decimal(0), subset=["PRICE"]).filter(col("PRICE") == 0).count() == 1
    assert orders.na.drop().count() == 2
    assert orders.sample(n=2).count() == 2
    assert {row["SUMMARY"] for row in orders.describe().collect()} == {
        *("count", "mean", "stddev", "min", "max"),
    }
    assert orders.unpivot("V", "K", ["BOTTLES"]).count() == 3


def test_flatten_of_a_list_in_a_column(park: Session) -> None:
    basket = park.sql("""SELECT 1 AS ID, PARSE_JSON('{"wines": [{"n": "Gamay"}, {"n": "Syrah"}]}') AS B
                         UNION ALL SELECT 2, PARSE_JSON('{}')""")
    flat = basket.join_table_function("flatten", basket["B"]["wines"]).select(
        "ID", col("VALUE")["n"].cast("string")
    )
    assert sorted(rows(flat)) == [(1, "Gamay"), (1, "Syrah")]
    outer = basket.flatten(basket["B"]["wines"], outer=True).select("ID", "INDEX")
    assert sorted(rows(outer), key=str) == [(1, 0), (1, 1), (2, None)]
    assert park.flatten(F.parse_json(lit("[1, 2]"))).count() == 2
    assert rows(park.table_function("split_to_table", lit("a b"), lit(" ")).select("VALUE")) == [
        ("a",),
        ("b",),
    ]


def test_pandas_and_arrow_both_ways(park: Session, orders: Any) -> None:
    frame = orders.sort("ID").to_pandas()
    assert list(frame["BOTTLES"]) == [2, 1, 6]
    written = park.write_pandas(frame, "FROM_PANDAS", auto_create_table=True, overwrite=True)
    assert written.count() == 3
    park.write_pandas(frame, "FROM_PANDAS")
    assert park.table("FROM_PANDAS").count() == 6
    assert park.create_dataframe(pd.DataFrame({"A": [1, 2], "B": ["x", None]})).count() == 2
    table = pa.table({"A": pa.array([1, 2]), "B": pa.array(["x", None])})
    assert park.write_arrow(table, "FROM_ARROW", auto_create_table=True, overwrite=True).count() == 2
    assert orders.to_arrow().num_rows == 3
    assert sum(len(batch) for batch in orders.to_pandas_batches()) == 3
    assert len(list(orders.to_local_iterator())) == 3


def test_a_cached_result_and_views(park: Session, orders: Any) -> None:
    cached = orders.filter(col("BOTTLES") > 1).cache_result()
    orders.delete()
    assert cached.count() == 2
    cached.drop_table()
    orders.create_or_replace_view("V_ORDERS")
    assert park.table("V_ORDERS").count() == 0
    orders.create_or_replace_temp_view("T_ORDERS")
    assert park.table("T_ORDERS").count() == 0


def test_files_of_a_stage(park: Session, orders: Any, tmp_path: Path) -> None:
    park.sql("CREATE OR REPLACE STAGE FILES").collect()
    (tmp_path / "a.csv").write_text("ID,N\nO1,2\nO2,3\n", encoding="utf-8")
    (tmp_path / "a.json").write_text('{"ID": "O1", "N": 2}\n{"ID": "O2"}\n', encoding="utf-8")
    put = park.file.put(str(tmp_path / "a.*"), "@FILES/in", auto_compress=False)
    assert sorted((each.source, each.status) for each in put) == [
        ("a.csv", "UPLOADED"),
        ("a.json", "UPLOADED"),
    ]
    schema = T.StructType([T.StructField("ID", T.StringType()), T.StructField("N", T.IntegerType())])
    csv = park.read.option("SKIP_HEADER", 1).schema(schema).csv("@FILES/in/a.csv")
    assert rows(csv.sort("ID")) == [("O1", 2), ("O2", 3)]
    json = park.read.json("@FILES/in/a.json")
    assert sorted(rows(json.select(col("$1")["N"].cast("int"))), key=str) == [(2,), (None,)]
    csv.copy_into_table("LOADED")
    assert park.table("LOADED").count() == 2
    orders.select("ID", "BOTTLES").write.copy_into_location(
        "@FILES/out/orders.parquet", file_format_type="parquet", single=True, header=True, overwrite=True
    )
    assert park.read.parquet("@FILES/out/orders.parquet").count() == 3
    got = park.file.get("@FILES/in/a.csv", str(tmp_path / "got"))
    assert [(each.file, each.status) for each in got] == [("a.csv", "DOWNLOADED")]
    assert (tmp_path / "got" / "a.csv").read_text(encoding="utf-8") == "ID,N\nO1,2\nO2,3\n"
    with park.file.get_stream("@FILES/in/a.csv") as stream:
        assert stream.read(2) == b"ID"
    with (tmp_path / "a.csv").open("rb") as stream:
        park.file.put_stream(stream, "@FILES/in/b.csv", auto_compress=False)
    assert len(park.sql("LIST @FILES/in").collect()) == 3


def test_a_procedure_is_registered_and_called(park: Session, orders: Any) -> None:
    def pour(session: Session, wine: str, glasses: int) -> str:
        return f"{glasses} {wine} of {session.table('ORDERS').count()}"

    poured = park.sproc.register(
        pour,
        return_type=T.StringType(),
        input_types=[T.StringType(), T.IntegerType()],
        packages=["snowflake-snowpark-python"],
        name="POUR",
        replace=True,
    )
    assert poured("Gamay", 2, session=park) == park.call("POUR", "Gamay", 2) == "2 Gamay of 3"


def test_a_query_runs_in_the_background(park: Session, orders: Any) -> None:
    job = orders.filter(col("ID") == "O1").collect_nowait()
    assert [row["ID"] for row in job.result()] == ["O1"]
    assert orders.count(block=False).result() == 3


def test_transactions_and_the_query_tag(park: Session, orders: Any) -> None:
    park.sql("BEGIN").collect()
    orders.delete()
    park.sql("ROLLBACK").collect()
    assert orders.count() == 3
    park.query_tag = "harvest"
    assert park.query_tag == "harvest"
    assert (park.get_current_database(), park.get_current_schema()) == ('"PARK"', '"PUBLIC"')
    with park.query_history() as history:
        orders.count()
    assert len(history.queries) == 1


def test_what_the_frame_says_of_itself(
    park: Session, orders: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [field.datatype for field in orders.schema.fields][2:] == [T.LongType(), T.DecimalType(10, 2)]
    orders.show()
    assert "Gamay" in capsys.readouterr().out
    assert "SELECT" in orders.queries["queries"][0]
    orders.explain()
