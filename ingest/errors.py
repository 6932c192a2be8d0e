"""What can go wrong, one class per decision that a caller can take.

`transient` is that decision for the ingestor's loop: True means the same call may succeed later, so wait and
repeat; False means that repeating cannot help, so stop and say why. Every class takes facts and builds the
sentence: what happened, to which thing, with which value, and the way out.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar


class IngestError(Exception):
    """Root of this package's errors. `str(error)` is one or two lines that a person can act on."""

    transient: ClassVar[bool] = False


class InvalidSetting(IngestError):
    """A setting that makes no sense; nothing has been started."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name} is {value!r}; it must be {allowed}.")
        self.name = name


class ConnectionFileUnreadable(IngestError):
    """A Snowflake CLI configuration file that is there and cannot be read."""

    def __init__(self, path: object, reason: object) -> None:
        super().__init__(f"The connection file {path} cannot be read: {reason}. Mend it or name another.")


class ConnectionNotFound(IngestError):
    """No connection of that name in the files that were searched."""

    def __init__(self, name: str, searched: Iterable[object], available: Iterable[str]) -> None:
        files = ", ".join(str(path) for path in searched) or "no file"
        known = ", ".join(sorted(set(available)))
        found = f"These have: {known}." if known else "None was found there."
        super().__init__(
            f"There is no connection named {name!r} (searched: {files}). {found} "
            "Start a local warehouse with `caves up`, or add one with `snow connection add`."
        )
        self.name = name


class WarehouseUnreachable(IngestError):
    """No answer, or the connection broke. Whether the last statement took effect may be unknown."""

    transient = True

    def __init__(self, where: str, reason: object) -> None:
        super().__init__(
            f"The warehouse at {where} does not answer: {reason}. "
            "`caves up` starts the local one; for an account, look at the connection."
        )


class CredentialUnusable(IngestError):
    """A connection whose key or token cannot be used; the warehouse was not asked."""

    def __init__(self, name: str, wrong: str, way_out: str) -> None:
        super().__init__(f"Connection {name!r} cannot log in: {wrong}. {way_out}")


class WarehouseRefusedLogin(IngestError):
    """It answered, and does not let this user in."""

    # By what the warehouse says; the first that is found counts.
    _WAYS_OUT: ClassVar = {
        "JWT token is invalid": "Has the user this key (DESCRIBE USER shows its RSA_PUBLIC_KEY_FP), and are "
        "`account` and this machine's clock right? With the id, SYSTEM$GET_LOGIN_FAILURE_DETAILS tells why.",
        "OAuth access token expired": "Get a new token, into token_file_path or token.",
        "OAuth access token": "Get a token for this account from the OAuth server; "
        "with the id, SYSTEM$GET_LOGIN_FAILURE_DETAILS tells what is wrong with this one.",
        "Access Token": "Ask for a token with the scope session:role:NAME, or set `role` to one that it has.",
        "User access disabled": "An administrator enables it: ALTER USER ... SET DISABLED = FALSE.",
        "role": "Set `role` to one that the user has, or grant it: GRANT ROLE ... TO USER ...",
    }
    _WAY_OUT: ClassVar = "Check user, key or password of this connection (`snow connection test`)."

    def __init__(self, name: str, where: str, user: object, reason: object) -> None:
        said = str(reason)
        way_out = next((way for words, way in self._WAYS_OUT.items() if words in said), self._WAY_OUT)
        super().__init__(
            f"The warehouse at {where} refused user {user!r} of connection {name!r}: {said}. {way_out}"
        )


class WarehouseBusy(IngestError):
    """It answered that it cannot do this now: a lock, a cancelled statement, an internal fault."""

    transient = True

    def __init__(self, statement: str, reason: object) -> None:
        super().__init__(f"The warehouse could not run {statement!r} now: {reason}.")


class WarehouseRefused(IngestError):
    """It answered that the statement is wrong: a missing table, a missing right, a value it cannot hold."""

    def __init__(self, statement: str, reason: object) -> None:
        super().__init__(
            f"The warehouse refused {statement!r}: {reason}. "
            "Is everything deployed (`caves deploy`), and has this role the right to ingest?"
        )


class WarehouseRefusedValue(WarehouseRefused):
    """It ran the statement and met a value that it cannot hold: the other rows may be taken without it."""


class FencedError(IngestError):
    """Somebody else moved the stored offset: this writer no longer owns the partition."""

    def __init__(self, topic: str, expected: Mapping[int, int], stored: Mapping[int, int]) -> None:
        moved = ", ".join(
            f"partition {p}: expected {start}, stored {stored.get(p, 'nothing')}"
            for p, start in sorted(expected.items())
            if stored.get(p) != start
        )
        super().__init__(
            f"Another writer moved the stored offsets of topic {topic!r} ({moved or 'a row is doubled'}). "
            "Nothing of this batch was written. Run one ingestor per partition, in one consumer group."
        )


class OffsetOutOfRange(IngestError):
    """The stored offset is not in the broker's log, and nobody said what to do then."""

    _HAPPENED: ClassVar = {
        "RETENTION": "the broker deleted its beginning before it was loaded (retention)",
        "TOPIC_REPLACED": "the topic was deleted and made anew",
        "LOG_TRUNCATED": "the log lost its end (a restored broker, an unclean leader election)",
    }

    def __init__(self, topic: str, partition: int, stored: int, low: int, high: int, reason: str) -> None:
        super().__init__(
            f"Partition {partition} of topic {topic!r} holds offsets {low} to {high}, but the warehouse "
            f"asks for {stored} (RAW_DATA.KAFKA_OFFSETS): {self._HAPPENED[reason]}. "
            "Look into it, then go on with `--on-offset-reset earliest` (all that is there) or `latest` "
            "(only what comes now); what is passed over is recorded in RAW_DATA.KAFKA_OFFSET_GAPS."
        )
        self.partition = partition
        self.reason = reason


class BrokerUnreachable(IngestError):
    """No Kafka broker answers at that address."""

    transient = True

    def __init__(self, bootstrap: str, reason: object) -> None:
        super().__init__(
            f"No Kafka broker answers at {bootstrap}: {reason}. Check it, or start one here: `caves up`."
        )


class BrokerBinaryMissing(IngestError):
    """The embedded broker is not installed, or not for this machine."""

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"The embedded broker cannot be found: {reason} "
            "Run `make install`, or give the address of another Kafka broker."
        )


class BrokerFailed(IngestError):
    """The embedded broker was started and did not come up."""

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(f"The embedded broker did not start on port {port}: {reason}")


class PortInUse(IngestError):
    """Something already listens on the port that was asked for."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} is already in use. Choose another (0 picks a free one), or stop what listens there."
        )
        self.port = port


class CannotListen(IngestError):
    """An address that this machine does not have, or may not take."""

    def __init__(self, host: str, port: int, reason: object) -> None:
        super().__init__(
            f"Cannot listen on {host!r}, port {port}: {reason}. "
            "Give an address of this machine (127.0.0.1 serves this machine only) and a port up to 65535."
        )


class TopicMissing(IngestError):
    """The broker does not know the topic."""

    def __init__(self, topic: str, bootstrap: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known)) or "none"
        super().__init__(
            f"The broker at {bootstrap} has no topic {topic!r} (it has: {names}). `caves produce` makes it."
        )


class KafkaFailed(IngestError):
    """A Kafka client that cannot go on."""

    def __init__(self, doing: str, reason: object) -> None:
        super().__init__(f"Kafka failed while {doing}: {reason}.")


class DeliveryFailed(IngestError):
    """The broker did not acknowledge every event; which ones it holds is not known."""

    def __init__(self, undelivered: int, sent: int, reason: str) -> None:
        super().__init__(
            f"{undelivered:,} of {sent:,} events were not acknowledged by the broker: {reason}. "
            "The counts of this run are not those of the topic."
        )
        self.undelivered = undelivered


class DeadLettersRefused(IngestError):
    """The broker did not acknowledge copies of rejected events; they are sent again."""

    transient = True

    def __init__(self, topic: str, letters: int, reason: str) -> None:
        super().__init__(
            f"{letters:,} rejected events could not be copied to topic {topic!r}: {reason}. "
            "They stay in STAGING.REJECTED_EVENTS; the same command goes on where it stopped."
        )
        self.letters = letters
