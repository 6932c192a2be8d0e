"""Who may run the statements on streams, tasks, alerts, procedures, Streamlit apps and staged files.

Source: https://docs.snowflake.com/en/user-guide/security-access-control-privileges,
.../user-guide/tasks-intro#task-security, .../user-guide/alerts, .../user-guide/streams-intro
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from snowcellar import create_or_alter, staged_file_statements, streamlits
from snowcellar.alerts import alterations as alert_alterations
from snowcellar.alerts import clauses as alert_clauses
from snowcellar.alerts import listing as alert_listing
from snowcellar.alerts import statements as alerts
from snowcellar.clause_reader import Written
from snowcellar.errors import ObjectNotFound, WarehouseError
from snowcellar.grants import creation, executions, rules
from snowcellar.grants.authorization import require_warehouse
from snowcellar.grants.key import Key, callable_key, key_of
from snowcellar.grants.kinds import OWNERSHIP, SELECT, USAGE
from snowcellar.grants.reads import Reads
from snowcellar.grants.rights import not_found, rights_of
from snowcellar.grants.rules import Rule, Run
from snowcellar.grants.store import Change
from snowcellar.names import QualifiedName, qualify
from snowcellar.procedures import alterations as callable_alterations
from snowcellar.procedures import anonymous, call, grammar, package_listing
from snowcellar.procedures import statements as procedures
from snowcellar.relations import STAGE_LOCATION
from snowcellar.result import Result
from snowcellar.session import Session
from snowcellar.streams import statements as streams
from snowcellar.streams import view_changes
from snowcellar.tasks import alterations as task_alterations
from snowcellar.tasks import clauses as task_clauses
from snowcellar.tasks import listing as task_listing
from snowcellar.tasks import statements as tasks
from snowcellar.user_functions import statements as functions


def _stage(session: Session, match: re.Match[str]) -> Key:
    return key_of("STAGE", session.qualify(match["stage"]))


_STREAM, _TASK, _ALERT, _STREAMLIT = map(rules.in_schema, ("STREAM", "TASK", "ALERT", "STREAMLIT"))


def _create_stream(session: Session, match: re.Match[str], run: Run) -> Result:
    """SELECT on the source; the first stream turns change tracking on, which the table's owner does."""
    table = session.qualify(match["source"])
    key = session.warehouse.grants.relation(table.database, table.schema, table.name)
    rights = rights_of(session)
    if key is None and match["kind"].upper() == "TABLE":
        raise ObjectNotFound("Table", str(table))
    if key is not None:
        rights.require(SELECT, key)
        _require_change_tracking(session, key, table)
    return rules.creates(_STREAM)(session, match, run)


def _require_change_tracking(session: Session, source: Key, name: QualifiedName) -> None:
    names = view_changes.relations_behind(session, name) if source.kind == "VIEW" else (name,)
    catalogue, tracked, rights = (
        session.warehouse.grants,
        session.warehouse.streams.tables,
        rights_of(session),
    )
    for each in names:
        key = catalogue.relation(each.database, each.schema, each.name)
        if key is not None and key.kind == "TABLE" and each not in tracked and not rights.owns(key):
            raise WarehouseError(
                "SQL access control error:\nInsufficient privileges to operate on stream source without "
                f"CHANGE_TRACKING enabled '{key.name}'",
                3001,
                "42501",
            )


def _create_task(session: Session, match: re.Match[str], run: Run) -> Result:
    """With USAGE on its warehouse, and OWNERSHIP of or OPERATE on the tasks that it follows or finalizes."""
    name, clauses = session.qualify(match["name"]), task_clauses.read_create(match["clauses"])
    for written in (*clauses.after, *([clauses.finalize] if clauses.finalize else [])):
        before = key_of("TASK", qualify(written, name.database, name.schema))
        if session.warehouse.grants.exists(before):
            rights_of(session).require_any((OWNERSHIP, "OPERATE"), before)
    _require_warehouse_of(session, clauses.options)
    return rules.creates(_TASK)(session, match, run)


def _create_alert(session: Session, match: re.Match[str], run: Run) -> Result:
    """With USAGE on its warehouse."""
    _require_warehouse_of(session, alert_clauses.read_create(match["clauses"]).options)
    return rules.creates(_ALERT)(session, match, run)


def _require_warehouse_of(session: Session, options: Mapping[str, Written]) -> None:
    named = options.get("WAREHOUSE")
    key = Key("WAREHOUSE", name=named.text if named else "")
    if session.warehouse.grants.exists(key):
        rights_of(session).require(USAGE, key)


def _execute_task(session: Session, match: re.Match[str], run: Run) -> Result:
    key = _TASK(session, match)
    if session.warehouse.grants.exists(key):
        rights_of(session).require_any((OWNERSHIP, "OPERATE"), key)
        executions.require_task_may_run(
            session.warehouse, session.warehouse.tasks.find(executions.name_of(key))
        )
    return run()


def _alter_task(session: Session, match: re.Match[str], run: Run) -> Result:
    """OPERATE to resume and suspend; a task that is resumed must be one that its owner may run."""
    key, action = _TASK(session, match), match["action"].upper().split()[0]
    if session.warehouse.grants.exists(key):
        operates = ("OPERATE",) if action in ("RESUME", "SUSPEND") else ()
        rights_of(session).require_any((OWNERSHIP, *operates), key)
        if action == "RESUME":
            task = session.warehouse.tasks.find(executions.name_of(key))
            executions.require_task_may_run(session.warehouse, task)
    return run()


def _execute_alert(session: Session, match: re.Match[str], run: Run) -> Result:
    key = _ALERT(session, match)
    if session.warehouse.grants.exists(key):
        rights_of(session).require_any((OWNERSHIP, "OPERATE"), key)
        alert = session.warehouse.alerts.find(executions.name_of(key))
        executions.require_alert_may_run(session.warehouse, alert)
    return run()


def _alter_alert(session: Session, match: re.Match[str], run: Run) -> Result:
    key, action = _ALERT(session, match), match["action"].upper().split()[0]
    if session.warehouse.grants.exists(key):
        operates = ("OPERATE",) if action in ("RESUME", "SUSPEND") else ()
        rights_of(session).require_any((OWNERSHIP, *operates), key)
        if action == "RESUME":
            alert = session.warehouse.alerts.find(executions.name_of(key))
            executions.require_alert_may_run(session.warehouse, alert)
    return run()


def _create_callable(session: Session, match: re.Match[str], run: Run) -> Result:
    """With READ on the stages of its imports; a temporary one is the session's."""
    clauses = grammar.parse(match.string)
    name, reads = session.qualify(clauses.name), Reads(session)
    for location in clauses.values.get("imports", ()):
        if STAGE_LOCATION.match(location):  # else the statement is refused
            reads.stage(location, "READ", name)
    types = tuple(argument.type.name for argument in clauses.arguments)
    if clauses.temporary:
        return run()
    key = callable_key(clauses.kind, name, types)
    copies = clauses.values.get("copy_grants", False)
    with creation.creating(session, key, replace=clauses.replace, copy_grants=copies):
        return run()


def _named(kind: str, session: Session, match: re.Match[str]) -> Key:
    types = grammar.parse_types(match["types"])
    return callable_key(kind, session.qualify(match["name"]), types)


_procedure, _function = partial(_named, "PROCEDURE"), partial(_named, "FUNCTION")


def _drops_callable(name: rules.Name, own: str) -> Rule:
    """own: where a session has its temporary ones, which go first and need nothing."""

    def rule(session: Session, match: re.Match[str], run: Run) -> Result:
        types = grammar.parse_types(match["types"])
        temporary = getattr(session, own).overloads(session.qualify(match["name"]))
        if any(each.types == types for each in temporary):
            return run()
        return rules.drops(name)(session, match, run)

    return rule


def _alters_callable(session: Session, match: re.Match[str], run: Run) -> Result:
    """Ownership; a session's temporary ones need nothing."""
    kind = match["kind"].upper()
    own = session.temporary_procedures if kind == "PROCEDURE" else session.temporary_functions
    types = grammar.parse_types(match["types"])
    if any(each.types == types for each in own.overloads(session.qualify(match["name"]))):
        return run()
    return rules.needs(partial(_named, kind), OWNERSHIP)(session, match, run)


def _describes(name: rules.Name) -> Rule:
    def rule(session: Session, match: re.Match[str], run: Run) -> Result:
        key = name(session, match)
        if session.warehouse.grants.exists(key) and not rights_of(session).sees(key):
            raise not_found(key)
        return run()

    return rule


def _call(session: Session, match: re.Match[str], run: Run) -> Result:
    """Which overload it is, and USAGE on it, is found out when the arguments have their types."""
    if not match["name"].upper().startswith("SYSTEM$"):
        require_warehouse(session)
    return run()


def _drop_streamlit(session: Session, match: re.Match[str], run: Run) -> Result:
    """With the stage of its files."""
    app = _STREAMLIT(session, match)
    result = rules.drops(_STREAMLIT)(session, match, run)
    if not session.warehouse.grants.exists(app):
        files = Key("STAGE", app.database, app.schema, f"{app.name}$LIVE")
        session.warehouse.grants.apply(Change(dropped=[files]))
    return result


def _create_or_alter_table(session: Session, match: re.Match[str], run: Run) -> Result:
    """Ownership of a table that is there; the statements that it is made of are checked one by one."""
    name = session.qualify(match["name"])
    key = session.warehouse.grants.relation(name.database, name.schema, name.name)
    if key is not None:
        rights_of(session).require(OWNERSHIP, key)
    return run()


_FREE: tuple[Callable[..., Any], ...] = (
    # They list what may be seen.
    *(streams.show_streams, task_listing.show_tasks, alert_listing.show_alerts),
    *(procedures.show_procedures, functions.show_functions, streamlits.show_streamlits),
    # They refuse, or go on to the engine.
    *(streamlits.refuse, package_listing.select_packages),
)
RULES: dict[Callable[..., Any], Rule] = {
    **dict.fromkeys(_FREE, rules.free),
    create_or_alter.create_or_alter_table: _create_or_alter_table,
    streams.create_stream: _create_stream,
    streams.drop_stream: rules.drops(_STREAM),
    streams.describe_stream: rules.shows(_STREAM),
    tasks.create_task: _create_task,
    tasks.drop_task: rules.drops(_TASK),
    tasks.execute_task: _execute_task,
    task_alterations.alter_task: _alter_task,
    task_listing.describe_task: rules.shows(_TASK),
    alerts.create_alert: _create_alert,
    alerts.drop_alert: rules.drops(_ALERT),
    alerts.execute_alert: _execute_alert,
    alert_alterations.alter_alert: _alter_alert,
    alert_listing.describe_alert: rules.shows(_ALERT),
    procedures.create_procedure: _create_callable,
    procedures.drop_procedure: _drops_callable(_procedure, "temporary_procedures"),
    callable_alterations.comment: _alters_callable,
    procedures.describe_procedure: _describes(_procedure),
    functions.create_function: _create_callable,
    functions.drop_function: _drops_callable(_function, "temporary_functions"),
    functions.describe_function: _describes(_function),
    call.call: _call,
    anonymous.call_anonymous: _call,
    staged_file_statements.remove: rules.needs(_stage, "WRITE"),
    staged_file_statements.list_path: rules.needs(_stage, "READ", USAGE),
    staged_file_statements.get: rules.needs(_stage, "READ", USAGE),
    staged_file_statements.refuse: rules.free,
    streamlits.create: rules.creates(_STREAMLIT),
    streamlits.add_live_version: rules.needs(_STREAMLIT, OWNERSHIP),
    streamlits.set_properties: rules.needs(_STREAMLIT, OWNERSHIP),
    streamlits.drop: _drop_streamlit,
    streamlits.describe: rules.shows(_STREAMLIT),
}
