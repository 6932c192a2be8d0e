"""OPS.SEND_ALERTS(INTEGRATION): what ALERT_LOG has that nobody was told, as one message."""

import json

from snowflake.snowpark import Session

from caves_snowpark.alert_message import summary, text
from caves_snowpark.loads import Counts, transaction
from caves_snowpark.names import ALERT_LOG

_CLAIM = (
    f"UPDATE {ALERT_LOG} SET FIRING_SENT_AT = COALESCE(FIRING_SENT_AT, SYSDATE()),"  # noqa: S608
    " CLEARING_SENT_AT = IFF(CLEARED_AT IS NULL, NULL, SYSDATE())"
    " WHERE FIRING_SENT_AT IS NULL OR (CLEARED_AT IS NOT NULL AND CLEARING_SENT_AT IS NULL)"
)
_UNSENT = (
    f"SELECT SEVERITY, ALERT_NAME, SUBJECT, CLEARED_AT IS NOT NULL AS IS_OVER FROM {ALERT_LOG}"  # noqa: S608
    " WHERE FIRING_SENT_AT IS NULL OR (CLEARED_AT IS NOT NULL AND CLEARING_SENT_AT IS NULL)"
    " ORDER BY IS_OVER, SEVERITY, ALERT_NAME, SUBJECT"
)


def main(session: Session, integration: str) -> Counts:
    """Send what is new through a notification integration: mail, webhook or queue.

    A message that cannot be sent is sent by the next run, whole; one whose run dies between sending and
    COMMIT is sent twice.
    """
    with transaction(session):
        news = [(row[0], row[1], row[2], bool(row[3])) for row in session.sql(_UNSENT).collect()]
        if news:
            session.sql(_CLAIM).collect()
            options = {"subject": summary(news)}
            session.sql(
                "CALL SYSTEM$SEND_SNOWFLAKE_NOTIFICATION(?, ?)",
                params=[json.dumps({"text/plain": text(news)}), json.dumps({integration: options})],
            ).collect()
    over = sum(is_over for *_, is_over in news)
    return {"fired": len(news) - over, "cleared": over}
