"""Who may call SYSTEM$ functions: what is not listed here is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from snowcellar import features
from snowcellar.errors import NotEnoughArguments, Unsupported, WarehouseError
from snowcellar.grants.key import key_of
from snowcellar.grants.kinds import OWNERSHIP, SELECT
from snowcellar.grants.rights import rights_of

if TYPE_CHECKING:
    from snowcellar.session import Session

Check = Callable[["Session", Sequence[str]], None]


def free(session: Session, arguments: Sequence[str]) -> None:
    """Nothing is needed, or only a running task may call it."""


def _reads_stream(session: Session, arguments: Sequence[str]) -> None:
    key = key_of("STREAM", session.qualify(arguments[0]))
    if session.warehouse.grants.exists(key):
        rights_of(session).require(SELECT, key)


def _operates_task(session: Session, arguments: Sequence[str]) -> None:
    key = key_of("TASK", session.qualify(arguments[0]))
    if session.warehouse.grants.exists(key):
        rights_of(session).require_any((OWNERSHIP, "OPERATE"), key)


CHECKS: dict[str, Check] = {
    **dict.fromkeys(
        (
            *("SYSTEM$WAIT", "SYSTEM$CANCEL_QUERY", "SYSTEM$CANCEL_ALL_QUERIES"),
            "SYSTEM$SET_RETURN_VALUE",
            *("SYSTEM$GET_PREDECESSOR_RETURN_VALUE", "SYSTEM$CURRENT_USER_TASK_NAME"),
            *("SYSTEM$TASK_RUNTIME_INFO", "SYSTEM$GET_TASK_GRAPH_CONFIG"),
            *("SYSTEM$SEND_EMAIL", "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION"),
            *("SYSTEM$GET_SNOWSIGHT_HOST", "SYSTEM$RETURN_CURRENT_ORG_NAME"),
            "SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY",
            "SYSTEM$GET_LOGIN_FAILURE_DETAILS",  # looks at the roles itself
        ),
        free,
    ),
    "SYSTEM$STREAM_HAS_DATA": _reads_stream,
    "SYSTEM$TASK_DEPENDENTS_ENABLE": _operates_task,
    "SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS": _operates_task,
}


def call(session: Session, name: str, arguments: Sequence[str]) -> exp.Expr:
    """The literal that a call of SYSTEM$NAME stands for, if the session's roles may call it."""
    function = features.system_function(name)
    if function is None:
        raise Unsupported(f"{name}()")
    check = CHECKS.get(name)
    if check is None:
        raise WarehouseError(f"SQL access control error:\nno rule says who may call {name}.", 3001, "42501")
    if arguments:
        check(session, arguments)
    try:
        return function(session, arguments)
    except IndexError as error:
        raise NotEnoughArguments(name) from error
