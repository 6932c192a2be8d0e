"""What provokes the messages that head docs/troubleshooting.md: what is typed, and what is asked in SQL."""

import re
from typing import Final

TYPED: Final = {
    "There is no connection named ...": "caves status -c nowhere",
    "The connection file ... cannot be read: ...": "caves status --config-file missing.toml",
    "The warehouse at ... does not answer: ...": "SNOWFLAKE_CONNECTIONS_LOCAL_PORT=1 caves status",
    "The warehouse at ... refused user ...: ...": "SNOWFLAKE_CONNECTIONS_LOCAL_PASSWORD=wrong caves status",
    "Connection ... cannot log in: ...": "SNOWFLAKE_CONNECTIONS_LOCAL_PRIVATE_KEY_FILE=no.p8 caves status",
    "The local warehouse of ... is already running on port ...": "caves up",
    "Port ... is already in use.": "caves ingest --until-caught-up --metrics-port {port}",
    "The pipeline's tables cannot be read through connection ...": "caves status --database NOWHERE_DB",
    "No Kafka broker answers at ...": "caves produce --bootstrap 127.0.0.1:1 --events 1",
    "The broker at ... has no topic ...": "caves ingest --until-caught-up --topic nowhere",
    "If you want to use glob patterns in artifacts, you need to enable the Snowpark new build feature flag": (
        "snow snowpark build --ignore-anaconda"
    ),
}
ASKED: Final = {
    "Object '...' does not exist or not authorized.": "SELECT COUNT(*) FROM RAW_DATA.NOWHERE",
    "This session does not have a current schema.": "SELECT COUNT(*) FROM NOWHERE",
    "Unable to update graph with root task ... since that root task is not suspended.": (
        "ALTER TASK RAW_DATA.TASK_STAGING_TO_PROD_ORDERS SET COMMENT = 'x'"
    ),
    "Execute task cannot be called on non-root task ...": (
        "EXECUTE TASK RAW_DATA.TASK_STAGING_TO_PROD_ORDERS"
    ),
    "Warehouse '...' does not exist or not authorized.": "ALTER WAREHOUSE NOWHERE RESUME",
    "Duplicate row detected during DML action": (
        "MERGE INTO PRODUCTION.INVENTORY_CURRENT AS STOCK"
        " USING (SELECT 1 AS LEVEL UNION ALL SELECT 2) AS TWICE ON TRUE"
        " WHEN MATCHED THEN UPDATE SET CURRENT_STOCK_LEVEL = TWICE.LEVEL"
    ),
    "Unsupported feature '...'": "CREATE MATERIALIZED VIEW ANALYTICS.NOWHERE AS SELECT 1 AS ONE",
    "An empty filter would dismiss everything.": "CALL OPS.DISMISS_REJECTED('', 'why')",
    "The note is empty. Say why: it is what the audit trail will show.": (
        "CALL OPS.DISMISS_REJECTED('INVALID_QUANTITY', '')"
    ),
}


def pattern(heading: str) -> re.Pattern[str]:
    """The message that the heading stands for."""
    return re.compile(".+?".join(re.escape(part) for part in heading.split("...")))
