"""What is told of alerts that fired or cleared: one line, safe in a mail and in a webhook's JSON."""

import re
from collections.abc import Sequence
from typing import Final

# (severity, alert, subject, whether it is over)
News = tuple[str, str, str, bool]

NAMED: Final = 20
# A webhook's body template takes the message as it is, between quotes; and a subject may come from an event.
_UNSAFE: Final = re.compile(r"[^\w ./:,;()+@-]")
# What Snowflake would put a secret in place of.
_PLACEHOLDER: Final = re.compile("SNOWFLAKE_(?=WEBHOOK_)", re.IGNORECASE)


def summary(news: Sequence[News]) -> str:
    """How many fired and how many cleared: the subject of a mail."""
    over = sum(is_over for *_, is_over in news)
    parts = [f"{count} {what}" for count, what in ((len(news) - over, "fired"), (over, "cleared")) if count]
    return f"Caves: {' and '.join(parts)}"


def text(news: Sequence[News]) -> str:
    """Each by name, up to a number of them."""
    named = [
        f"{'CLEARED' if is_over else severity} {alert} {subject}"
        for severity, alert, subject, is_over in news[:NAMED]
    ]
    more = [f"and {len(news) - NAMED} more in OPS.ALERT_LOG"] if len(news) > NAMED else []
    line = "; ".join([f"{summary(news)}: {named[0]}", *named[1:], *more])
    return _PLACEHOLDER.sub("SNOWFLAKE ", _UNSAFE.sub(" ", line))
