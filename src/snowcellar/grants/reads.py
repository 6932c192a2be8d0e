"""What a statement's tree names: tables, views and streams, stages, file formats, sequences and functions.

Every name must be known to the catalogue. What is not is refused here, before DuckDB looks for it in places
that Snowflake does not have: files, its own catalogs, other spellings of a name.
"""

from __future__ import annotations

import json

from sqlglot import exp

from snowcellar import features, relations
from snowcellar.errors import AccessDenied, CompilationError, Unsupported, WarehouseError
from snowcellar.grants import visibility
from snowcellar.grants.catalogue import READS
from snowcellar.grants.key import Key, key_of
from snowcellar.grants.kinds import SELECT, USAGE
from snowcellar.grants.rights import Rights, not_found, rights_of, rights_of_role
from snowcellar.names import QualifiedName, qualify
from snowcellar.session import Session

INFORMATION_SCHEMA = "INFORMATION_SCHEMA"
_TABLE_FUNCTIONS = {"FLATTEN", "GENERATOR", "SPLIT_TO_TABLE", "STRTOK_SPLIT_TO_TABLE"}
_TABLE_FUNCTION_NODES = (exp.Explode, exp.Generator, exp.SplitToTable)

_NOT_SNOWFLAKES = {"NEXTVAL", "CURRVAL", "CURRENT_SETTING", "GETENV", "GETENV_CACHED"}
"""Functions of DuckDB that reach what no grant is on."""


class Reads:
    """The check of what one tree reads; `lasting` says whether it holds for the same text another time."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.rights = rights_of(session)
        self.lasting = True
        self.relations: list[Key] = []
        """The tables, views and streams that were read."""

    def check(self, tree: exp.Expr, *written: exp.Expr) -> None:
        """Refuse a tree that reads what the roles may not. written: nodes that it writes or names only."""
        for table in tree.find_all(exp.Table):
            if not any(table is each for each in written) and not _is_not_read(table):
                self._check_source(table)
        for lateral in tree.find_all(exp.Lateral):
            if isinstance(lateral.this, exp.Func):
                self._check_function(lateral.this)
        for rows in tree.find_all(exp.TableFromRows):
            self._check_function(rows.this)
        for call in tree.find_all(exp.Anonymous):
            if str(call.this).upper() in _NOT_SNOWFLAKES:
                raise CompilationError(f"Unknown function {str(call.this).upper()}.", 2140, "42601")
        for column in tree.find_all(exp.Column):
            if column.name.upper() == "NEXTVAL" and column.table:
                self._check_sequence(column)

    def _check_source(self, table: exp.Table) -> None:
        source = table.this
        if isinstance(source, exp.Identifier):
            if not relations.is_cte(table):
                self.relation(table, SELECT)
        elif isinstance(source, exp.Var | exp.Literal) and source.name.startswith("@"):
            self.stage(source.name, "READ")
            if (form := table.args.get("format")) is not None:
                self.file_format(form)
        elif isinstance(source, exp.Func):
            self._check_function(source)
        elif isinstance(source, exp.Literal) and "://" in source.name:
            raise Unsupported(f"files at {source.name}", "Load from a stage: FROM @stage.")
        else:
            raise CompilationError(f"syntax error: unexpected '{source.sql(dialect='snowflake')}'.")

    def relation(self, table: exp.Table, *privileges: str) -> Key | None:
        """Require privileges on a table, view or stream; its key, or None for what needs none."""
        name, shown = resolve(self.session, table)
        if name.schema.upper() == INFORMATION_SCHEMA:
            self._information_schema(name, privileges)
            return None
        key = self.session.warehouse.grants.relation(name.database, name.schema, name.name)
        if key is None:
            if name in self.session.temporary:
                self.lasting = False
                return None
            raise not_found(key_of("TABLE", name), shown)
        for privilege in privileges:
            self.rights.require(privilege, key, shown)
        self.relations.append(key)
        if SELECT in privileges:
            self._check_behind(key)
        return key

    def _information_schema(self, name: QualifiedName, privileges: tuple[str, ...]) -> None:
        """Its views are there for who may enter the database; their rows are filtered (visibility)."""
        self.lasting = False
        self.rights.require(USAGE, Key("DATABASE", name.database.upper()))
        view = key_of("VIEW", name)
        if any(privilege != SELECT for privilege in privileges):
            raise AccessDenied("view", name.name)
        named = name.name in visibility.NAMED_BY or name.name in visibility.LISTED
        known = name.schema == INFORMATION_SCHEMA and named
        if not known and not self.rights.manages_grants:
            raise not_found(view)

    def _check_behind(self, key: Key) -> None:
        """A view reads with its owner's rights; a stream needs SELECT on what it is on."""
        if key.kind == "STREAM":
            stream = self.session.warehouse.streams.streams.get(
                QualifiedName(key.database, key.schema, key.name)
            )
            if stream is not None and not stream.stale:
                source = key_of("VIEW" if stream.behind else "TABLE", stream.table)
                self.rights.require(SELECT, source)
                self._check_behind(source)
        if key.kind == "VIEW":
            check_view(self.session, key)

    def _check_function(self, call: exp.Expr) -> None:
        while isinstance(call, exp.Dot):
            call = call.expression
        if isinstance(call, _TABLE_FUNCTION_NODES):
            return
        name = call.name.upper() if isinstance(call, exp.Anonymous) else call.key.upper()
        if isinstance(call, exp.Func) and name not in _TABLE_FUNCTIONS and not features.table_function(name):
            raise CompilationError(f"Unknown table function {name}.", 2141, "42601")

    def _check_sequence(self, column: exp.Column) -> None:
        parts = [part for part in (column.args.get(key) for key in ("catalog", "db", "table")) if part]
        full = self.session.qualify(".".join(part.sql(dialect="snowflake") for part in parts))
        self.rights.require(USAGE, key_of("SEQUENCE", full))

    def stage(self, location: str, privilege: str, context: QualifiedName | None = None) -> None:
        """Require a privilege on a stage: @name/path; a user's own needs none, a table's its ownership.

        context: whose schema a name without one is in, if not the session's.
        """
        match = relations.STAGE_LOCATION.match(location.strip("'"))
        if match is None:
            raise CompilationError(f"invalid stage location '{location}'")
        if match["own"]:
            return
        place: Session | QualifiedName = context or self.session
        full = qualify(f"{match['place'] or ''}{match['name']}", place.database, place.schema)
        if match["table"]:
            table = self.session.warehouse.grants.relation(full.database, full.schema, full.name)
            if table is not None:
                self.rights.require("OWNERSHIP", table)
            return
        # An external stage has USAGE where an internal one has READ and WRITE.
        self.rights.require_any(
            (privilege, USAGE) if privilege == "READ" else (privilege,), key_of("STAGE", full)
        )

    def file_format(self, form: exp.Expr) -> None:
        """Require USAGE on a file format that is named; one written out needs nothing."""
        if isinstance(form, exp.Table):
            name = ".".join(part.sql(dialect="snowflake") for part in form.parts)
        elif isinstance(form, exp.Literal | exp.Var | exp.Identifier):
            name = form.name
        else:
            return
        self.rights.require(USAGE, key_of("FILE FORMAT", self.session.qualify(name)))


def check_view(session: Session, view: Key, outer: tuple[Key, ...] = ()) -> None:
    """Refuse a view whose owner may not read what it reads."""
    grants = session.warehouse.grants
    reads = json.loads(grants.setting(view, READS) or "[]")
    owner = rights_of_role(grants, grants.owner(view))
    for database, schema, name in reads:
        source = grants.relation(database, schema, name)
        if source is None or source in outer:
            continue
        _require_of_owner(owner, source, view)
        if source.kind == "STREAM":
            stream = session.warehouse.streams.streams.get(QualifiedName(database, schema, name))
            if stream is not None and not stream.stale:
                _require_of_owner(owner, key_of("VIEW" if stream.behind else "TABLE", stream.table), view)
        if source.kind == "VIEW":
            check_view(session, source, (*outer, view))


def _require_of_owner(owner: Rights, source: Key, view: Key) -> None:
    try:
        owner.require(SELECT, source)
    except WarehouseError as error:
        raise CompilationError(
            f"Failure during expansion of view '{view.name}': {error.message}", 2037, "42601"
        ) from error


def resolve(session: Session, table: exp.Table) -> tuple[QualifiedName, str]:
    """The full name of a table that a statement names, and the name as the statement has it."""
    folded = [relations.fold_identifier(part) for part in table.parts]
    written = ".".join(part.sql(dialect="snowflake") for part in table.parts)
    name = qualify(written, session.database, session.schema)
    return name, ".".join(folded)


def _is_not_read(table: exp.Table) -> bool:
    """FILE_FORMAT => name looks like a table and is checked as a format; foreign keys are not kept."""
    named = table.arg_key == "format" or type(table.parent) is exp.Property
    return named or table.find_ancestor(exp.Reference) is not None
