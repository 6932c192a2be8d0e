"""What has expired goes: in portions, each a transaction, and never what somebody still needs.

    raw events        once every one of them is accounted for; PURGED_OFFSETS says up to where
    staged events     once every stream has passed them; PURGED_ORDERS and PURGED_ADJUSTMENTS remember them
    repeats, and rejected events that were worked off    once their raw event is gone
    orders            once nothing else of them is left, and with them what was remembered of them
    logs              what is over

A day is purged whole or not at all. Every transaction begins by locking its layer's row of OPS.RETENTION, so
that of two purges at once one waits for the other and finds nothing left to do.
"""

# mypy: disable-error-code="no-any-return"
# Snowpark's decorators hide what its DataFrame methods return.

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import Any, Final

from snowflake.snowpark import Column, DataFrame, Session
from snowflake.snowpark import functions as F

from caves_snowpark import names, schemas
from caves_snowpark.loads import Counts, insert, transaction
from caves_snowpark.places import Offsets, Place, by_place, first_kept, located, within
from caves_snowpark.retention import Retention
from caves_snowpark.schemas import DATE, INTEGER, LOCAL_TIME, UTC_TIME
from caves_snowpark.staging import delivery, source_offset, source_partition, source_topic

# One transaction deletes about so many rows: days are taken together up to it, and a larger day alone.
PORTION_ROWS: Final = 1_000_000
# After this no portion is begun: a task may run for an hour, and the next purge goes on where this one ended.
LONGEST_SECONDS: Final = 1_800.0

_SOURCE: Final = ("SOURCE_TOPIC", "SOURCE_PARTITION", "SOURCE_OFFSET")


class UnaccountedRawEventsError(Exception):
    """Raw events of which nobody knows what became would be purged. They stay, and so do those after them."""

    def __init__(self, place: Place, before: int, rows: int, outcomes: int) -> None:
        topic, partition = place
        super().__init__(
            f"Of {topic}/{partition}, {rows} raw events below offset {before} have expired, and"
            f" {outcomes} are accounted for in STAGING. They are the evidence and stay:"
            " `caves verify` says which."
        )


class DisturbedError(Exception):
    """What would be deleted is not what was counted. The transaction was rolled back."""

    def __init__(self, counted: int, deleted: int) -> None:
        super().__init__(
            f"{counted} rows were to be purged and {deleted} would have been: somebody else changed them at"
            " the same moment. Nothing of this portion is purged; run it again."
        )


class Purge:
    """One run: what is kept how long, and how much time is left."""

    def __init__(
        self,
        session: Session,
        kept: Retention,
        *,
        portion_rows: int = PORTION_ROWS,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._session = session
        self._kept = kept
        self._portion_rows = portion_rows
        self._now = datetime.now(UTC).replace(tzinfo=None)
        self._until = time.monotonic() + longest_seconds
        self._days_left = 0

    def run(self) -> Counts:
        """Purge every layer; rows by what they were, and the expired days for which there was no time."""
        counts = {
            "raw": self._raw(),
            "orders_staged": self._staged(names.STG_ORDERS, names.PURGED_ORDERS),
            "adjustments_staged": self._staged(names.STG_INVENTORY_ADJUSTMENTS, names.PURGED_ADJUSTMENTS),
        }
        gone = self._purged_offsets()
        counts |= {
            "duplicates": self._settled(names.DUPLICATE_EVENTS, F.col("DETECTED_AT"), gone),
            "rejected": self._settled(names.REJECTED_EVENTS, _worked_at(), gone),
            "orders": self._orders(gone),
            "replay_log": self._replay_log(gone),
            "alert_log": self._alert_log(),
            "deployments": self._deployments(),
        }
        return counts | {"days_left": self._days_left}

    # Raw events

    def _raw(self) -> int:
        """A row goes when it and all before it on its partition have expired and passed the stream."""
        if self._kept.raw is None:
            return 0
        rows = located(self._session.table(names.RAW_EVENTS))
        found = (
            rows.filter(F.col("SOURCE_OFFSET").is_not_null())
            .group_by("SOURCE_TOPIC", "SOURCE_PARTITION", "DAY")
            .agg(
                F.min("SOURCE_OFFSET").alias("FIRST"),
                F.max("SOURCE_OFFSET").alias("LAST"),
                F.count(F.lit(1)).alias("AMOUNT"),
            )
            .collect()
        )
        # After the table: what came in between is in neither, and lies beyond every offset that was seen.
        waiting = self._waiting(names.STREAM_RAW_EVENTS)
        per_day: dict[date, int] = {}
        spans: dict[Place, list[tuple[date, int, int]]] = {}
        for topic, partition, day, first, last, amount in found:
            per_day[day] = per_day.get(day, 0) + int(amount)
            spans.setdefault((topic, int(partition)), []).append((day, int(first), int(last)))
        purged = 0
        for last_day in self._portions(per_day, self._kept.raw):
            limits = {place: first_kept(days, last_day, waiting.get(place)) for place, days in spans.items()}
            purged += self._purge_raw(last_day, {place: end for place, end in limits.items() if end})
        return purged

    def _purge_raw(self, last_day: date, limits: Offsets) -> int:
        if not limits:
            return 0
        table = self._session.table(names.RAW_EVENTS)
        metadata = F.col("EVENT_METADATA")
        place = source_topic(metadata), source_partition(metadata), source_offset(metadata)
        end = datetime.combine(last_day + timedelta(days=1), datetime.min.time(), UTC)
        with self._locked("RAW"):
            in_time = F.col("INGESTION_TIME") < F.lit(end).cast(LOCAL_TIME)
            expired = located(self._session.table(names.RAW_EVENTS)).filter(in_time & within(limits))
            amounts = by_place(expired)
            self._require_accounted(amounts, limits)
            self._move_watermark(expired)
            deleted = table.delete(in_time & within(limits, *place))
            _require_equal(sum(amounts.values()), int(deleted.rows_deleted))
        return int(deleted.rows_deleted)

    def _require_accounted(self, amounts: Offsets, limits: Offsets) -> None:
        """Of each place as many outcomes as raw events between the last purge and this one's end."""
        passed = self._purged_offsets()
        outcomes = [
            self._session.table(table).select(*_SOURCE)
            for table in (
                names.STG_ORDERS,
                names.STG_INVENTORY_ADJUSTMENTS,
                names.PURGED_ORDERS,
                names.PURGED_ADJUSTMENTS,
                names.DUPLICATE_EVENTS,
            )
        ]
        rejected = self._session.table(names.REJECTED_EVENTS).filter(F.col("REPLAYED_AT").is_null())
        placed = reduce(DataFrame.union_all, [*outcomes, rejected.select(*_SOURCE)])
        found = by_place(placed.filter(within(limits) & ~within(passed)))
        for place, before in limits.items():
            if amounts.get(place, 0) != found.get(place, 0):
                raise UnaccountedRawEventsError(place, before, amounts.get(place, 0), found.get(place, 0))

    def _move_watermark(self, expired: DataFrame) -> None:
        rows = expired.group_by("SOURCE_TOPIC", "SOURCE_PARTITION").agg(
            F.max("SOURCE_OFFSET").alias("LAST"), F.count(F.lit(1)).alias("PURGED_ROWS")
        )
        before = (rows["LAST"] + F.lit(1)).cast(INTEGER)
        target = self._session.table(names.PURGED_OFFSETS)
        place = {name: rows[name] for name in ("SOURCE_TOPIC", "SOURCE_PARTITION")}
        target.merge(
            rows,
            (target["SOURCE_TOPIC"] == rows["SOURCE_TOPIC"])
            & (target["SOURCE_PARTITION"] == rows["SOURCE_PARTITION"]),
            [
                F.when_matched().update(
                    {
                        "PURGED_BEFORE": before,
                        "PURGED_ROWS": target["PURGED_ROWS"] + rows["PURGED_ROWS"],
                        "UPDATED_AT": self._time(),
                    }
                ),
                F.when_not_matched().insert(
                    place
                    | {
                        "PURGED_BEFORE": before,
                        "PURGED_ROWS": rows["PURGED_ROWS"],
                        "UPDATED_AT": self._time(),
                    }
                ),
            ],
        )

    # Staged events

    def _staged(self, table: str, memory: str) -> int:
        """A row goes when it has expired and stands before all that waits in a stream on its table."""
        if self._kept.staging is None:
            return 0
        per_day = self._per_day(table, F.col("STAGED_AT"))
        streams = [stream for stream, source in names.STREAM_SOURCES.items() if source == table]
        waiting = self._waiting(*streams)
        there = reduce(Column.__and__, [F.col(name).is_not_null() for name in _SOURCE])
        purged = 0
        for last_day in self._portions(per_day, self._kept.staging):
            expired = self._until_day(F.col("STAGED_AT"), last_day) & there & ~within(waiting, from_=True)
            with self._locked("STAGING"):
                rows = self._session.table(table).filter(expired)
                columns = schemas.columns(schemas.TABLES[memory])[:-1]
                kept = insert(rows.select(*columns, self._time().alias("PURGED_AT")), memory)
                deleted = int(self._session.table(table).delete(expired).rows_deleted)
                _require_equal(kept, deleted)
            purged += deleted
        return purged

    def _settled(self, table: str, settled_at: Column, gone: Offsets) -> int:
        """Repeats, or rejected events that were worked off: they stay as long as their raw event."""
        if self._kept.staging is None or not gone:
            return 0
        per_day = self._per_day(table, settled_at)
        purged = 0
        for last_day in self._portions(per_day, self._kept.staging):
            rows = self._session.table(table)
            expired = self._until_day(settled_at, last_day) & within(gone)
            with self._locked("STAGING"):
                taken_back = 0
                if table == names.REJECTED_EVENTS:
                    # What was taken back is staged or a repeat, and counts there.
                    taken_back = int(rows.delete(expired & F.col("REPLAYED_AT").is_not_null()).rows_deleted)
                forgotten = int(rows.delete(expired).rows_deleted)
                self._forget("STAGING", forgotten)
            purged += taken_back + forgotten
        return purged

    # Orders

    def _orders(self, gone: Offsets) -> int:
        """An order goes when it has expired and nothing but the memory of its purged events is left of it."""
        if self._kept.orders is None or not gone:
            return 0
        session = self._session
        orders, memory = session.table(names.ORDERS), session.table(names.PURGED_ORDERS)
        repeated = session.table(names.DUPLICATE_EVENTS).filter(F.col("EVENT_KEY").is_not_null())
        purged = 0
        for last_day in self._portions(
            self._per_day(names.ORDERS, F.col("ORDER_TIMESTAMP")), self._kept.orders
        ):
            expired = (
                self._until_day(F.col("ORDER_TIMESTAMP"), last_day)
                & within(gone)
                & ~F.col("ORDER_ID").in_(session.table(names.STG_ORDERS).select("ORDER_ID"))
                & ~F.col("ORDER_ID").in_(repeated.select("EVENT_KEY"))
                & ~F.col("ORDER_ID").in_(memory.filter(~within(gone)).select("ORDER_ID"))
            )
            with self._locked("ORDERS"):
                ids = orders.filter(expired).select("ORDER_ID")
                forgotten = int(memory.delete(F.col("ORDER_ID").in_(ids)).rows_deleted)
                self._forget("ORDERS", forgotten)
                # Without its memory an order still is one that expired: the condition has not changed.
                purged += int(orders.delete(expired).rows_deleted)
        return purged

    # Logs

    def _replay_log(self, gone: Offsets) -> int:
        """What was done with a rejected event, once neither it nor its raw event is there."""
        if self._kept.logs is None or not gone:
            return 0
        place = delivery(F.lit(""))
        there = self._session.table(names.REJECTED_EVENTS).select(place.alias("PLACE"))
        return self._expired_logs(
            names.REPLAY_LOG, F.col("ACTED_AT"), within(gone) & ~place.in_(there), self._kept.logs
        )

    def _alert_log(self) -> int:
        if self._kept.logs is None:
            return 0
        return self._expired_logs(names.ALERT_LOG, F.col("CLEARED_AT"), F.lit(True), self._kept.logs)

    def _deployments(self) -> int:
        """But for the latest, which says what runs."""
        if self._kept.logs is None:
            return 0
        latest = self._session.table(names.DEPLOYMENTS).select(F.max("DEPLOYED_AT")).collect()[0][0]
        if latest is None:
            return 0
        earlier = F.col("DEPLOYED_AT") < F.lit(latest).cast(UTC_TIME)
        return self._expired_logs(names.DEPLOYMENTS, F.col("DEPLOYED_AT"), earlier, self._kept.logs)

    def _expired_logs(self, table: str, over_at: Column, may_go: Column, days: int) -> int:
        last_day = self._now.date() - timedelta(days=days + 1)
        with self._locked("LOGS"):
            result = self._session.table(table).delete(self._until_day(over_at, last_day) & may_go)
        return int(result.rows_deleted)

    # What all have in common

    @contextmanager
    def _locked(self, layer: str) -> Iterator[None]:
        """A transaction in which no other purge touches the layer."""
        with transaction(self._session):
            row = self._session.table(names.RETENTION)
            row.update({"PURGED_AT": self._time()}, F.col("LAYER") == F.lit(layer))
            yield

    def _forget(self, layer: str, rows: int) -> None:
        if rows:
            self._session.table(names.RETENTION).update(
                {"FORGOTTEN_ROWS": F.col("FORGOTTEN_ROWS") + F.lit(rows)}, F.col("LAYER") == F.lit(layer)
            )

    def _portions(self, per_day: dict[date, int], days: int) -> Iterator[date]:
        """The last day of each portion of the days that have expired, oldest first, while there is time."""
        expired = sorted(day for day in per_day if day < self._now.date() - timedelta(days=days))
        rows = begun = 0
        for number, day in enumerate(expired):
            rows += per_day[day]
            following = per_day[expired[number + 1]] if number + 1 < len(expired) else None
            if following is not None and rows + following <= self._portion_rows:
                continue
            if time.monotonic() > self._until:
                self._days_left += len(expired) - begun
                return
            rows, begun = 0, number + 1
            yield day

    def _per_day(self, table: str, moment: Column) -> dict[date, int]:
        """How many rows of a table there are by their day, UTC."""
        days = self._session.table(table).select(moment.cast(DATE).alias("DAY"))
        counted = (
            days.filter(F.col("DAY").is_not_null()).group_by("DAY").agg(F.count(F.lit(1)).alias("AMOUNT"))
        )
        return {row[0]: int(row[1]) for row in counted.collect()}

    def _waiting(self, *streams: str) -> Offsets:
        """By place the first offset that waits in any of the streams; asking moves none of them."""
        found: Offsets = {}
        for stream in streams:
            rows: DataFrame = self._session.table(stream)
            if stream == names.STREAM_RAW_EVENTS:
                rows = located(rows)
            first = rows.group_by("SOURCE_TOPIC", "SOURCE_PARTITION").agg(
                F.min("SOURCE_OFFSET").alias("FIRST")
            )
            for topic, partition, offset in first.collect():
                if offset is not None:
                    place = (topic, int(partition))
                    found[place] = min(int(offset), found.get(place, int(offset)))
        return found

    def _purged_offsets(self) -> Offsets:
        rows = self._session.table(names.PURGED_OFFSETS)
        found = rows.select("SOURCE_TOPIC", "SOURCE_PARTITION", "PURGED_BEFORE").collect()
        return {(topic, int(partition)): int(offset) for topic, partition, offset in found}

    def _until_day(self, moment: Column, last_day: date) -> Column:
        end = datetime.combine(last_day + timedelta(days=1), datetime.min.time())
        return moment < F.lit(end).cast(UTC_TIME)

    def _time(self) -> Column:
        return F.lit(self._now).cast(UTC_TIME)


def purge(session: Session, kept: Retention, **limits: Any) -> Counts:
    """Purge what has expired under a retention."""
    return Purge(session, kept, **limits).run()


def _worked_at() -> Column:
    """When an operator was done with a rejected event; NULL while it waits."""
    replayed, dismissed = F.col("REPLAYED_AT"), F.col("DISMISSED_AT")
    return F.coalesce(replayed, dismissed)


def _require_equal(remembered: int, deleted: int) -> None:
    if remembered != deleted:
        raise DisturbedError(remembered, deleted)
