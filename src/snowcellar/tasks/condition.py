"""WHEN: the condition under which a task runs.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-task (SEMANTICS 9, 18). It is evaluated
without a statement of the user's session: an empty tick must cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlglot
from sqlglot import exp

from snowcellar.errors import ObjectNotFound
from snowcellar.grants.executions import task_owner
from snowcellar.grants.key import key_of
from snowcellar.grants.kinds import SELECT
from snowcellar.grants.rights import rights_of_role
from snowcellar.names import qualify
from snowcellar.session import Session
from snowcellar.streams.statements import has_data
from snowcellar.tasks.task import Task, TaskError

HAS_DATA = "SYSTEM$STREAM_HAS_DATA"
RETURN_VALUE = "SYSTEM$GET_PREDECESSOR_RETURN_VALUE"

_ALLOWED: tuple[type[exp.Expression], ...] = (
    *(exp.And, exp.Or, exp.Not, exp.Paren, exp.Is, exp.In, exp.Between, exp.Neg),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ),
    *(exp.Literal, exp.Boolean, exp.Null, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam),
    *(exp.ToNumber, exp.ToBoolean, exp.Like),
)


def check(text: str) -> None:
    """Refuse an expression that a WHEN clause may not hold."""
    for node in _parse(text).walk():
        if isinstance(node, exp.Anonymous) and str(node.this).upper() in (HAS_DATA, RETURN_VALUE):
            continue
        if not isinstance(node, _ALLOWED):
            raise TaskError(
                "Invalid expression for task condition expression. Only some data type conversions and the "
                f"following functions are allowed: [{RETURN_VALUE}, {HAS_DATA}]."
            )


def holds(session: Session, task: Task, predecessor_value: Callable[[str | None], str | None]) -> bool:
    """Whether the task's condition is true now.

    predecessor_value: what SYSTEM$GET_PREDECESSOR_RETURN_VALUE answers, by the predecessor's name.
    """
    if task.condition is None:
        return True

    def value(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.Anonymous):
            return node
        argument = node.expressions[0].name if node.expressions else None
        if str(node.this).upper() == HAS_DATA:
            return exp.true() if _has_data(session, task, argument or "") else exp.false()
        text = predecessor_value(argument)
        return exp.null() if text is None else exp.Literal.string(text)

    sql = _parse(task.condition).transform(value).sql(dialect="duckdb")
    ((truth,),) = session.duck.execute(f"SELECT CAST(({sql}) AS BOOLEAN)").fetchall()
    return truth is True


def _parse(text: str) -> Any:
    return sqlglot.parse_one(text, read="snowflake")


def _has_data(session: Session, task: Task, name: str) -> bool:
    qualified = qualify(name, task.name.database, task.name.schema)
    stream = session.warehouse.streams.streams.get(qualified)
    if stream is None:
        raise ObjectNotFound("Stream", str(qualified))
    owner = rights_of_role(session.warehouse.grants, task_owner(session.warehouse, task))
    owner.require(SELECT, key_of("STREAM", qualified))
    return has_data(session, stream)
