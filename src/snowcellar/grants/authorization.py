"""Whether the statements of the SQL engine may run: queries, DML, COPY, DDL, SHOW, DESCRIBE, PUT and LIST.

What a text may do is remembered for the session's roles and names until the catalogue changes, so that a
statement that comes again pays for a look-up.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack

from sqlglot import exp

from snowcellar import binds, ddl, letter_case, relations, temporary_tables, transient_tables
from snowcellar.errors import CompilationError, NoActiveWarehouse
from snowcellar.grants import creation, visibility
from snowcellar.grants.catalogue import READS
from snowcellar.grants.key import Key, key_of
from snowcellar.grants.kinds import OWNERSHIP, RELATIONS, SELECT, USAGE
from snowcellar.grants.reads import Reads, resolve
from snowcellar.grants.rights import not_found, rights_of
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.statement import Statement
from snowcellar.translation import depends_on_binds

_LONGEST_REMEMBERED = 200_000
_MOST_REMEMBERED = 4096
_GONE = "Drop statement executed successfully (object already dropped or not authorized)."
_DML_PRIVILEGES: dict[type[exp.Expr], str] = {
    exp.Insert: "INSERT",
    exp.Update: "UPDATE",
    exp.Delete: "DELETE",
    exp.TruncateTable: "TRUNCATE",
}


def authorize(
    session: Session,
    statement: Statement,
    params: Params,
    run: Callable[[], Result],
    *,
    describe: bool = False,
) -> Result:
    """Run a statement that the session's roles may run; what it makes or drops changes the catalogue.

    describe: only the columns of its result are asked for, so that DDL makes nothing.
    """
    rights, remembered = rights_of(session), session.warehouse.grants.remembered
    place = (session.database, session.schema, session.virtual_warehouse, session.caller is None)
    key = (statement.text, *place, rights.active)
    if key in remembered:
        return run()
    tree = statement.tree
    if describe and isinstance(tree, exp.Create | exp.Drop | exp.Alter):
        return run()
    binds.name_identifiers(tree, params)
    if isinstance(tree, exp.Create):
        return _create(session, tree, run)
    if isinstance(tree, exp.Drop):
        return _drop(session, tree, run)
    if isinstance(tree, exp.Alter):
        return _alter(session, tree, run)
    if isinstance(tree, exp.Show):
        shown = visibility.filter_shown(session, str(tree.this).upper(), run())
        return temporary_tables.listed_too(
            session, statement.text, transient_tables.told(session, statement.text, shown)
        )
    reads = Reads(session)
    _check(reads, tree)
    if reads.lasting and not depends_on_binds(statement.text) and len(statement.text) < _LONGEST_REMEMBERED:
        if len(remembered) > _MOST_REMEMBERED:
            remembered.clear()
        remembered[key] = True
    return run()


def _check(reads: Reads, tree: exp.Expr) -> None:
    """Refuse a statement that makes nothing; what is unknown here is refused by the engine itself."""
    session = reads.session
    if isinstance(tree, exp.Query | exp.Insert | exp.Update | exp.Delete | exp.Merge | exp.TruncateTable):
        relations.require_context(session, tree)
    if isinstance(tree, exp.Query):
        reads.check(tree)
        if reads.relations:
            require_warehouse(session)
    elif isinstance(tree, exp.Copy):
        _check_copy(reads, tree)
    elif isinstance(tree, exp.Comment):
        _check_comment(reads, tree)
    elif isinstance(tree, exp.Describe):
        _check_describe(reads, tree)
    elif isinstance(tree, exp.Put):
        # The same text may have another stage bound to it next time.
        reads.lasting = False
        reads.stage(str(tree.args["target"].name), "WRITE")
    elif isinstance(tree, exp.ListStage):
        reads.stage(tree.this.name, "READ")
    elif (targets := _targets(tree)) is not None:
        _check_dml(reads, tree, targets)
    else:
        reads.check(tree)


def _targets(tree: exp.Expr) -> list[exp.Table] | None:
    """The tables that a DML statement writes; None for any other statement."""
    if isinstance(tree, exp.TruncateTable):
        return [table for table in tree.expressions if isinstance(table, exp.Table)]
    target = relations.dml_target(tree)
    return None if target is None else [target]


def _check_dml(reads: Reads, tree: exp.Expr, targets: list[exp.Table]) -> None:
    reads.check(tree, *targets)
    for target in targets:
        reads.relation(target, *_written_by(tree))
    require_warehouse(reads.session)


def _written_by(tree: exp.Expr) -> tuple[str, ...]:
    """The privileges on its target that a DML statement needs.

    Assumed: SELECT too where it looks at the target's rows, in a condition or in a MERGE.
    """
    if isinstance(tree, exp.Merge):
        kinds = {type(when.args["then"]) for when in tree.args["whens"].expressions}
        named = {_DML_PRIVILEGES.get(kind, "DELETE") for kind in kinds}
        return (SELECT, *sorted(named))
    privilege = _DML_PRIVILEGES[type(tree)]
    looks = isinstance(tree, exp.Update | exp.Delete) and tree.args.get("where") is not None
    if isinstance(tree, exp.Insert) and tree.args.get("overwrite"):
        return privilege, "DELETE"
    return (SELECT, privilege) if looks else (privilege,)


def _check_copy(reads: Reads, tree: exp.Copy) -> None:
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    reads.check(tree, *([table] if isinstance(table, exp.Table) else []))
    for name in tree.find_all(exp.Property):
        if name.name.upper() == "FORMAT_NAME":
            reads.file_format(name.args["value"])
    if isinstance(table, exp.Table) and isinstance(table.this, exp.Identifier):
        reads.relation(table, "INSERT")
    require_warehouse(reads.session)


def _check_comment(reads: Reads, tree: exp.Comment) -> None:
    kind = str(tree.args.get("kind") or "TABLE").upper()
    if isinstance(tree.this, exp.Column):
        parts = [part for part in (tree.this.args.get(key) for key in ("catalog", "db", "table")) if part]
        table = exp.Table(
            **dict(zip(("this", "db", "catalog"), (part.copy() for part in reversed(parts)), strict=False))
        )
        reads.relation(table, OWNERSHIP)
    elif isinstance(tree.this, exp.Table):
        _require_ownership(reads, kind, tree.this)


def _check_describe(reads: Reads, tree: exp.Describe) -> None:
    table = tree.this
    if not isinstance(table, exp.Table):
        reads.check(tree)
        return
    reads.lasting = False
    kind = str(tree.args.get("kind") or "TABLE").upper()
    if kind not in RELATIONS:
        reads.rights.require_sight(*_named(reads.session, kind, table))
        return
    name, shown = resolve(reads.session, table)
    key = reads.session.warehouse.grants.relation(name.database, name.schema, name.name)
    if name.schema.upper() == "INFORMATION_SCHEMA" or (key is None and name in reads.session.temporary):
        return
    if key is None:
        raise not_found(key_of("TABLE", name), shown)
    reads.rights.require_sight(key, shown)


def _require_ownership(reads: Reads, kind: str, table: exp.Table) -> None:
    if kind in RELATIONS:
        reads.relation(table, OWNERSHIP)
    else:
        key, shown = _named(reads.session, kind, table)
        reads.rights.require(OWNERSHIP, key, shown)


def _named(session: Session, kind: str, table: exp.Table) -> tuple[Key, str]:
    """The key of what a DDL statement names."""
    if kind == "DATABASE":
        return Key("DATABASE", relations.fold_identifier(table.this)), table.name.upper()
    if kind == "SCHEMA":
        parts = [relations.fold_identifier(part) for part in table.parts]
        database = parts[0] if len(parts) > 1 else session.database or ""
        return Key("SCHEMA", database, parts[-1]), ".".join(parts)
    name, shown = resolve(session, table)
    if kind in RELATIONS:
        found = session.warehouse.grants.relation(name.database, name.schema, name.name)
        return found or key_of(kind, name), shown
    return key_of(kind, name), shown


def _create(session: Session, tree: exp.Create, run: Callable[[], Result]) -> Result:
    kind = str(tree.kind or "TABLE").upper()
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        _refuse_unnamed(kind, table)
        return run()  # what the engine refuses by name
    reads = Reads(session)
    reads.check(tree, table)
    if isinstance(tree.expression, exp.Query) and kind == "TABLE":
        require_warehouse(session)
    key, _ = _named(session, kind, table)
    temporary = tree.find(exp.TemporaryProperty) is not None
    if temporary and kind in RELATIONS:
        return _create_temporary(session, table, run)
    known = {"replace": bool(tree.args.get("replace")), "copy_grants": _take_copy_grants(tree)}
    with ExitStack() as stack:
        if temporary:
            # It goes with the session, so that no privilege on the schema but USAGE is needed.
            reads.rights.enter(key)
            stack.enter_context(creation.recording(session, key, **known))
        else:
            stack.enter_context(creation.creating(session, key, **known))
        if kind == "VIEW" and key in session.warehouse.grants.being_made:
            _keep_reads(reads, key)
        result = run()
    if kind == "VIEW" and known["replace"]:
        _keep_reads(reads, key)
    return result


def _keep_reads(reads: Reads, view: Key) -> None:
    """What a view reads, for the check of its owner's rights whenever it is read."""
    names = [[each.database, each.schema, each.name] for each in reads.relations]
    reads.session.warehouse.grants.set(view, READS, json.dumps(names))


def _take_copy_grants(tree: exp.Create) -> bool:
    """Whether a CREATE says COPY GRANTS, which is taken out: the engine has nothing to do with it."""
    properties = tree.args.get("properties")
    kept = [
        each
        for each in (properties.expressions if properties else [])
        if not isinstance(each, exp.CopyGrantsProperty)
    ]
    if properties is None or len(kept) == len(properties.expressions):
        return False
    tree.set("properties", exp.Properties(expressions=kept) if kept else None)
    return True


def _create_temporary(session: Session, table: exp.Table, run: Callable[[], Result]) -> Result:
    name, _ = resolve(session, table)
    rights_of(session).enter(key_of("TABLE", name))
    for other in session.temporary:
        if (other.database, other.schema) == (name.database, name.schema):
            letter_case.refuse_beside(name.name, other.name)
    result = run()
    session.temporary.add(name)
    return result


def _refuse_unnamed(kind: str, table: object) -> None:
    """Refuse DDL of a kind that the engine knows, on something that has no plain name."""
    if kind in ddl.KINDS:
        raise CompilationError(f"syntax error: unexpected '{table}'.")


def _drop(session: Session, tree: exp.Drop, run: Callable[[], Result]) -> Result:
    kind = str(tree.args.get("kind") or "TABLE").upper()
    catalogue, rights = session.warehouse.grants, rights_of(session)
    tables = tree.args.get("tables") or [tree.this]
    keys = []
    for table in tables:
        if not isinstance(table, exp.Table):
            _refuse_unnamed(kind, table)
            continue
        key, shown = _named(session, kind, table)
        if kind in RELATIONS and not catalogue.exists(key) and _forget_temporary(session, table):
            continue
        if tree.args.get("exists") and not (catalogue.exists(key) and rights.sees(key)):
            session.commit_before_ddl()
            return Result.status(_GONE)
        # What the catalogue does not know is not there, whatever DuckDB has of that name.
        rights.require(OWNERSHIP, key, shown)
        keys.append(key)
    with creation.dropping(session, *keys):
        return run()


def _forget_temporary(session: Session, table: exp.Table) -> bool:
    """Whether a name was a temporary table of the session, which is no longer one."""
    name, _ = resolve(session, table)
    found = name in session.temporary
    temporary_tables.last_part(session, table)
    session.temporary.discard(name)
    return found


def _alter(session: Session, tree: exp.Alter, run: Callable[[], Result]) -> Result:
    kind = str(tree.args.get("kind") or "TABLE").upper()
    table = tree.this
    if not isinstance(table, exp.Table):
        _refuse_unnamed(kind, table)
        return run()  # what the engine refuses by name
    reads = Reads(session)
    name, shown = resolve(session, table) if kind != "SCHEMA" else (None, "")
    key, shown = _named(session, kind, table)
    if not session.warehouse.grants.exists(key):
        if name in session.temporary:
            return run()
        if tree.args.get("exists"):
            session.commit_before_ddl()
            return Result.status("Statement executed successfully.")
        raise not_found(key, shown)
    _require_ownership(reads, kind, table)
    renaming = tree.find(exp.AlterRename)
    if renaming is None:
        return run()
    if not isinstance(renaming.this, exp.Table):
        raise CompilationError(f"syntax error: unexpected '{renaming.this.sql(dialect='snowflake')}'.")
    target, _ = resolve(session, renaming.this)
    reads.rights.require_create(key.kind, key_of(key.kind, target).container)
    creation.refuse_beside(session, key_of(key.kind, target))
    result = run()
    creation.renamed(session, key, key_of(key.kind, target))
    return result


def require_warehouse(session: Session) -> None:
    """Refuse a statement that needs a warehouse, in a session whose role may not use the one it has.

    Deviation: a session without a warehouse, or with one that nobody made, is not refused.
    """
    if session.virtual_warehouse is None or session.caller is not None:
        return
    key = Key("WAREHOUSE", name=session.virtual_warehouse)
    if session.warehouse.grants.exists(key) and not rights_of(session).holds(USAGE, key):
        raise NoActiveWarehouse
