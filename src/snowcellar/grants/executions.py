"""Whether the owner of a task, an alert or a procedure may have it run.

Source: https://docs.snowflake.com/en/user-guide/tasks-intro#task-security, .../user-guide/alerts,
.../developer-guide/stored-procedure/stored-procedures-rights
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowcellar.errors import WarehouseError
from snowcellar.grants.key import ACCOUNT, Key, callable_key, key_of
from snowcellar.grants.kinds import USAGE
from snowcellar.grants.rights import rights_of, rights_of_role
from snowcellar.names import QualifiedName

if TYPE_CHECKING:
    from snowcellar.alerts.alert import Alert
    from snowcellar.procedures.definition import Procedure
    from snowcellar.session import Session
    from snowcellar.tasks.task import Task
    from snowcellar.warehouse import Warehouse


def name_of(key: Key) -> QualifiedName:
    return QualifiedName(key.database, key.schema, key.name)


def task_owner(warehouse: Warehouse, task: Task) -> str:
    """The role that a task runs as."""
    return warehouse.grants.owner(key_of("TASK", task.name)) or task.owner


def alert_owner(warehouse: Warehouse, alert: Alert) -> str:
    """The role that an alert runs as."""
    return warehouse.grants.owner(key_of("ALERT", alert.name)) or alert.owner


def procedure_owner(warehouse: Warehouse, procedure: Procedure) -> str:
    """The role that a procedure with owner's rights runs as."""
    key = callable_key("PROCEDURE", procedure.name, procedure.types)
    return warehouse.grants.owner(key) or procedure.owner


def require_task_may_run(warehouse: Warehouse, task: Task) -> None:
    """Refuse a task whose owner lacks EXECUTE TASK, or a way to the task or its warehouse."""
    _require(warehouse, "task", key_of("TASK", task.name), task_owner(warehouse, task), task.warehouse)


def require_alert_may_run(warehouse: Warehouse, alert: Alert) -> None:
    """Refuse an alert whose owner lacks EXECUTE ALERT, or a way to the alert or its warehouse."""
    _require(warehouse, "alert", key_of("ALERT", alert.name), alert_owner(warehouse, alert), alert.warehouse)


def _require(warehouse: Warehouse, what: str, key: Key, owner: str, virtual_warehouse: str | None) -> None:
    rights = rights_of_role(warehouse.grants, owner)
    missing = ""
    managed = "" if virtual_warehouse else "MANAGED "
    needed = [f"EXECUTE {what.upper()}", *([f"EXECUTE MANAGED {what.upper()}"] if managed else [])]
    if absent := [privilege for privilege in needed if not rights.holds(privilege, ACCOUNT)]:
        missing = f"{absent[0]} privilege"
    for parent in key.parents:
        if not missing and not rights.holds(USAGE, parent):
            missing = f"USAGE privilege on the {what}'s {parent.kind.lower()}"
    if not missing and virtual_warehouse:
        used = Key("WAREHOUSE", name=virtual_warehouse)
        if warehouse.grants.exists(used) and not rights.holds(USAGE, used):
            missing = f"USAGE privilege on the {what}'s warehouse"
    if missing:
        raise WarehouseError(
            f"Cannot execute {what} , {missing} must be granted to owner role", 91089, "23001"
        )


def may_call(session: Session, procedure: Procedure, kind: str = "PROCEDURE") -> bool:
    """Whether the session's roles have USAGE on a procedure or function and on what it lies in."""
    rights, key = rights_of(session), callable_key(kind, procedure.name, procedure.types)
    return all(rights.holds(USAGE, each) for each in (*key.parents, key))
