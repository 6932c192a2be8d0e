"""The warehouse: the DuckDB instance, its databases on disk, its sessions and its query history.

State on disk is FILE (what spans databases: users, stages, file formats) and FILE.d/ (one DuckDB file
for each Snowflake database, and the stages' files). A database is a file of its own because DuckDB
attaches one catalog a file and fakesnow takes a catalog for a Snowflake database; streams, tasks,
procedures and their history live in the file of the database they belong to, so that they move in the
same transaction as its data.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import fakesnow.info_schema as fakesnow_info_schema
import fakesnow.macros as fakesnow_macros
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import show as fakesnow_show
from fakesnow.transforms import stage as fakesnow_stage

from snowcellar import features, functions, upstream
from snowcellar.alerts.registry import AlertRegistry
from snowcellar.clients import FORGOTTEN_SECONDS, GRACE_SECONDS, Clients
from snowcellar.errors import DatabaseLost
from snowcellar.grants.catalogue import Catalogue
from snowcellar.grants.reconciliation import reconcile
from snowcellar.history import QueryHistory
from snowcellar.kept_descriptions import KeptDescriptions
from snowcellar.locks import LockTable
from snowcellar.names import literal, quote
from snowcellar.procedures.pool import Workers
from snowcellar.procedures.registry import ProcedureRegistry
from snowcellar.session import Session
from snowcellar.streams import registry
from snowcellar.streams.registry import StreamRegistry
from snowcellar.tasks.registry import TaskRegistry
from snowcellar.translation import TranslationCache
from snowcellar.users.refusals import FailedLogins
from snowcellar.users.registry import Integrations, Users

log = logging.getLogger(__name__)

META_SCHEMA = "_fs_information_schema"
"""Where a database's own metadata lives: fakesnow hides this schema from users already."""

FEATURES = (
    "snowcellar.transaction_statements",
    "snowcellar.script_blocks",
    "snowcellar.grants.feature",
    "snowcellar.session_statements",
    "snowcellar.background_queries",
    "snowcellar.session_variables",
    "snowcellar.databases",
    "snowcellar.database_listing",
    "snowcellar.virtual_warehouses",
    "snowcellar.users.feature",
    "snowcellar.create_or_alter",
    "snowcellar.create_or_alter_view",
    "snowcellar.multi_table_insert",
    "snowcellar.column_alterations",
    "snowcellar.execute_from_stage",
    "snowcellar.object_listing",
    "snowcellar.descriptions",
    "snowcellar.streams.statements",
    "snowcellar.tasks.feature",
    "snowcellar.alerts.feature",
    "snowcellar.procedures.statements",
    "snowcellar.procedures.anonymous",
    "snowcellar.procedures.alterations",
    "snowcellar.procedures.package_listing",
    "snowcellar.user_functions.statements",
    "snowcellar.staged_file_statements",
    "snowcellar.staged_drops",
    "snowcellar.loading.file_formats",
    "snowcellar.loading.load_history",
    "snowcellar.loading.infer_schema",
    "snowcellar.streamlits",
    "snowcellar.query_history",
    "snowcellar.notifications",
    "snowcellar.no_ops",
)
"""The modules that run statements of their own, in the order in which they are asked."""

_DUCKDB_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # fakesnow's rewrites still write lambdas with a single arrow.
    "lambda_syntax": "ENABLE_SINGLE_ARROW",
    # The default threshold of 16 MB makes a checkpoint of nearly every tick (SEMANTICS, DuckDB).
    "checkpoint_threshold": "1GB",
    "preserve_insertion_order": "false",
}


class Warehouse:
    """All databases of one local account."""

    def __init__(self, file: Path, minute_seconds: float = 60.0) -> None:
        """Open the state in `file` and `file`.d/, making them if need be.

        minute_seconds: how long a MINUTE of a task's schedule takes here.
        """
        self.file = file.resolve()
        self.folder = self.file.with_name(self.file.name + ".d")
        self.results_folder = self.folder / "results"
        """Where large results lie as long as somebody may ask for them."""
        self.minute_seconds = minute_seconds
        self.password = secrets.token_urlsafe(24)
        self.account: str = "local"
        self.history = QueryHistory()
        self.locks = LockTable()
        self.streams = StreamRegistry()
        self.translations = TranslationCache()
        self.descriptions = KeptDescriptions()
        self.tasks = TaskRegistry(self)
        self.alerts = AlertRegistry(self)
        self.users = Users(self)
        self.integrations = Integrations(self)
        self.failed_logins = FailedLogins()
        self.procedures = ProcedureRegistry()
        self.functions = ProcedureRegistry("Function", "sc_functions")
        self.grants = Catalogue(self)
        self.workers = Workers(self.folder / "procedures")
        self.address: tuple[str, int] | None = None
        self.clients: Clients | None = None
        """Which clients are connected, once the warehouse is served."""
        self.on_lost: Callable[[], object] = lambda: None
        """Ends the server, because a database cannot be used before its file is opened anew."""
        self._sessions: dict[str, Session] = {}
        self._offered_scopes: dict[str, Session] = {}
        self._databases_lock = threading.RLock()
        self._files: dict[str, Path] = {}
        """The file of every database that there is, or was since the start."""
        self._next_session = int(time.time())
        self._open()

    def _open(self) -> None:
        features.load(FEATURES)
        upstream.apply()
        self.folder.mkdir(parents=True, exist_ok=True)
        fakesnow_stage.LOCAL_BUCKET_PATH = str(self.folder / "stages")
        (self.folder / "stages").mkdir(exist_ok=True)
        self.duck = duckdb.connect(":memory:", config=_DUCKDB_CONFIG)
        self.duck.execute("SET GLOBAL TimeZone = 'UTC'")
        # What does not fit into memory goes there, and not into a folder where the server happens to run.
        self.duck.execute(f"SET temp_directory = {literal(str(self.folder / 'overflow'))}")
        self.duck.execute(f"ATTACH {literal(str(self.file))} AS {GLOBAL_DATABASE_NAME}")
        self.duck.execute(fakesnow_info_schema.fs_global_creation_sql())
        self.duck.execute(fakesnow_show.fs_global_creation_sql())
        self.duck.execute(upstream.GLOBAL_VIEWS)
        functions.make_known(self.duck)
        for feature in features.MODULES:
            if ddl := getattr(feature, "GLOBAL_DDL", None):
                self.duck.execute(ddl)
        self.users.load()
        self.integrations.load()
        for path in sorted(self.folder.glob("*.db")):
            database = path.name.partition(".")[0]
            self._files[database] = path
            self.attach(database)
        # A DROP that a kill has cut short must not have its log read into the next database of its name.
        for path in self.folder.glob("*.db.wal"):
            if not path.with_suffix("").exists():
                path.unlink()
        self.grants.load()
        reconcile(self)

    def limit_memory(self, megabytes: int) -> None:
        """Have DuckDB keep to so much memory; the rest of what a statement needs goes to disk."""
        self.duck.execute(f"SET memory_limit = '{megabytes}MiB'")

    def close(self) -> None:
        """Stop the features' threads and workers, end the sessions and close the files."""
        for feature in features.MODULES:
            if stop := getattr(feature, "stop", None):
                stop(self)
        sessions = list(self._sessions.values())
        # All are stopped before any is closed: a freed lock must not let a waiting statement through.
        for session in sessions:
            session.stop()
        for session in sessions:
            self.close_session(session)
        self.duck.close()

    def lost(self, error: DatabaseLost) -> None:
        """A database cannot be used any more: say so and end."""
        log.critical("%s", error.message)
        self.on_lost()

    def start(self) -> None:
        """Start what runs in the background: the task scheduler, the procedures' workers."""
        for feature in features.MODULES:
            if start := getattr(feature, "start", None):
                start(self)

    # Databases

    def databases(self) -> list[str]:
        """The names of the attached Snowflake databases."""
        rows = (
            self.duck.cursor()
            .execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal")
            .fetchall()
        )
        return sorted(name for (name,) in rows if name not in (GLOBAL_DATABASE_NAME, "memory"))

    def attach(self, database: str) -> None:
        """Attach a database's file, making it and its metadata tables if need be."""
        with self._databases_lock:
            duck = self.duck.cursor()
            path = self._files.setdefault(database, self.folder / f"{database}.db")
            duck.execute(f"ATTACH IF NOT EXISTS {literal(str(path))} AS {quote(database)}")
            duck.execute(fakesnow_info_schema.per_db_creation_sql(database))
            duck.execute(fakesnow_macros.creation_sql(database))
            for feature in features.MODULES:
                if ddl := getattr(feature, "CATALOG_DDL", None):
                    duck.execute(ddl.replace("{meta}", self.meta(database)))
            duck.execute(registry.CATALOG_DDL.replace("{meta}", self.meta(database)))
            self.streams.load(duck, database, self.meta(database))
            for feature in features.MODULES:
                if on_attach := getattr(feature, "on_attach", None):
                    on_attach(self, database)

    def drop(self, database: str) -> None:
        """Detach a database and delete its file."""
        with self._databases_lock:
            self.duck.cursor().execute(f"DETACH {quote(database)}")
            self.streams.forget(database)
            for feature in features.MODULES:
                if on_drop := getattr(feature, "on_drop", None):
                    on_drop(self, database)
            path = self._files[database]
            for each in (path, _log_of(path)):
                each.unlink(missing_ok=True)
            # A transaction that has read the database keeps its file in use, and removes the log in the end.
            self._files[database] = self.folder / f"{database}.{time.time_ns()}.db"

    @staticmethod
    def meta(database: str) -> str:
        """The schema that holds a database's metadata tables, quoted for DuckDB."""
        return f"{quote(database)}.{META_SCHEMA}"

    # Sessions

    def open_session(
        self,
        database: str | None = None,
        schema: str | None = None,
        *,
        user: str = "LOCAL",
        role: str = "ACCOUNTADMIN",
    ) -> Session:
        """A session of its own connection; `close_session` ends it."""
        with self._databases_lock:
            self._next_session += 1
            number = self._next_session
        session = Session(self, number, self.duck.cursor(), database, schema, user=user, role=role)
        self._close_forgotten()
        self._sessions[session.token] = session
        return session

    def _close_forgotten(self) -> None:
        """Close the sessions whose clients went away without a word, and long ago."""
        for session in list(self._sessions.values()):
            if session.caller is None and not self.has_client(session, FORGOTTEN_SECONDS):
                self.close_session(session)

    def register(self, session: Session) -> None:
        """Let a session be reached by its token (a procedure's scope within its caller's session)."""
        self._sessions[session.token] = session

    def offer_scope(self, session: Session) -> str:
        """A password that is good for one login, which then speaks for the given procedure's scope."""
        secret = secrets.token_urlsafe(32)
        self._offered_scopes[secret] = session
        return secret

    def scope_for_secret(self, secret: str) -> Session | None:
        """The scope that a one-time password was made for."""
        return self._offered_scopes.pop(secret, None)

    def is_offered(self, session: Session) -> bool:
        """Whether a scope has been offered and nobody has come for it."""
        return any(scope is session for scope in list(self._offered_scopes.values()))

    def session(self, token: str) -> Session | None:
        """The open session that a token speaks for."""
        return self._sessions.get(token)

    def sessions(self) -> list[Session]:
        """The open sessions."""
        return list(self._sessions.values())

    def close_session(self, session: Session) -> None:
        """Roll back what the session has open and forget it."""
        self._sessions.pop(session.token, None)
        for secret in [secret for secret, scope in list(self._offered_scopes.items()) if scope is session]:
            self._offered_scopes.pop(secret, None)
        if self.clients is not None:
            self.clients.forget(session.token)
        session.close()

    def end_sessions(self, user: str, *, but: Session) -> None:
        """End the sessions of a user that may not be here any more, but for the one that says so."""
        for session in list(self._sessions.values()):
            if session.user == user and session.caller is None and session is not but:
                session.stop()
                self.close_session(session)

    def has_client(self, session: Session, grace_seconds: float = GRACE_SECONDS) -> bool:
        """Whether someone may still speak for a session; no one can tell for those that no client opened."""
        return self.clients is None or self.clients.may_return(session.token, grace_seconds)

    @contextlib.contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection outside any session's transaction, for the features' bookkeeping."""
        duck = self.duck.cursor()
        try:
            yield duck
        finally:
            duck.close()


def _log_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")
