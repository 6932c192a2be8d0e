"""The files of messages that no column could hold: which have expired, and which are whose."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from snowflake.snowpark import DataFrame, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names
from caves_snowpark.dead_letters import is_waiting
from caves_snowpark.schemas import TEXT

# Where the ingestor lays them, below its stage; it removes nothing there.
FOLDER: Final = "refused"
# The ingestor's own names, of a topic, its partition, the offset and a hash: nothing that would need quotes.
_NAME: Final = re.compile(r"[\w.-]+\.parquet", re.ASCII)


def purge_files(session: Session, kept_days: int | None) -> int:
    """Remove the files that are older, but for those whose rejected event waits to be worked; how many."""
    if kept_days is None:
        return 0
    first_kept = datetime.now(UTC) - timedelta(days=kept_days)
    old = [file for file, modified in _files(session) if modified < first_kept]
    if not old:
        return 0
    needed = files_of(session.table(names.REJECTED_EVENTS).filter(is_waiting()))
    expired = [file for file in old if file not in needed]
    for file in expired:
        remove_file(session, file)
    return len(expired)


def files_of(events: DataFrame) -> set[str]:
    """The names of the files that hold the whole of some events."""
    message = F.col("EVENT_METADATA")["message"]["file"].cast(TEXT)
    named = events.select(message.alias("FILE")).filter(F.col("FILE").is_not_null())
    files = {str(row[0]).rpartition("/")[2] for row in named.collect()}
    return {file for file in files if _NAME.fullmatch(file)}


def remove_file(session: Session, file: str) -> None:
    """Remove a file, if it is there."""
    session.sql(f"REMOVE @{names.INGEST_STAGE}/{FOLDER}/{file}").collect()


def _files(session: Session) -> Iterator[tuple[str, datetime]]:
    """Their names, and when they were laid there."""
    listed: list[Any] = session.sql(f"LIST @{names.INGEST_STAGE}/{FOLDER}/").collect()
    for row in listed:
        file = str(row[0]).rpartition("/")[2]
        if _NAME.fullmatch(file):
            modified = parsedate_to_datetime(str(row[3]))
            yield file, modified if modified.tzinfo else modified.replace(tzinfo=UTC)
