"""What is told of alerts: one line that is safe wherever it is put."""

from caves_snowpark.alert_message import NAMED, summary, text

LOW = ("CRITICAL", "LOW_STOCK", "17/PARIS-BERCY", False)
OVER = ("WARNING", "PIPELINE_LAG", "INGESTOR", True)


def test_a_message_names_what_fired_and_what_cleared() -> None:
    assert summary([LOW, OVER]) == "Caves: 1 fired and 1 cleared"
    assert text([LOW, OVER]) == (
        "Caves: 1 fired and 1 cleared: CRITICAL LOW_STOCK 17/PARIS-BERCY; CLEARED PIPELINE_LAG INGESTOR"
    )


def test_a_long_message_ends_with_where_the_rest_is() -> None:
    told = text([LOW] * (NAMED + 3))
    assert told.startswith("Caves: 23 fired: CRITICAL")
    assert told.count("LOW_STOCK") == NAMED
    assert told.endswith("; and 3 more in OPS.ALERT_LOG")


def test_a_subject_from_an_event_breaks_no_json_and_asks_for_no_secret() -> None:
    told = text([("WARNING", "LOW_STOCK", '1/"}\\\n<% SNOWFLAKE_WEBHOOK_SECRET', False)])
    assert not set('"\\\n<%') & set(told)
    assert "SNOWFLAKE_WEBHOOK_SECRET" not in told
    nested = "SNOWFLAKE_SNOWFLAKE_WEBHOOK_WEBHOOK_SECRET"
    assert "SNOWFLAKE_WEBHOOK" not in text([("WARNING", "LOW_STOCK", nested, False)])
