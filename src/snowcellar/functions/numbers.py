"""WIDTH_BUCKET: the number of the equally wide bucket that a value lies in.

Source: https://docs.snowflake.com/en/sql-reference/functions/width_bucket
"""

from __future__ import annotations

from snowcellar.functions.calls import Call, by_macro

MACROS = """
CREATE OR REPLACE MACRO memory.main.sc_width_bucket(x, low, high, buckets) AS CAST(CASE
    WHEN x < low THEN 0 WHEN x >= high THEN buckets + 1
    ELSE floor((x::DOUBLE - low) / (high - low) * buckets) + 1 END AS BIGINT);
"""

CALLS: dict[str, Call] = {"WIDTH_BUCKET": by_macro("width_bucket")}
