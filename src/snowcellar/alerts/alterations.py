"""ALTER ALERT.

Source: https://docs.snowflake.com/en/sql-reference/sql/alter-alert
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime

from fakesnow import statement_type

from snowcellar.alerts import options
from snowcellar.alerts.alert import Alert
from snowcellar.alerts.clauses import read_condition, read_set
from snowcellar.clause_reader import check_body
from snowcellar.errors import CompilationError, Unsupported
from snowcellar.names import NAME
from snowcellar.result import Result
from snowcellar.session import Session

_FLAGS = re.IGNORECASE | re.DOTALL
_ALTER = re.compile(
    rf"ALTER\s+ALERT\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})\s+(?P<action>\w.*)\Z", _FLAGS
)
_UNSETTABLE = ("WAREHOUSE", "COMMENT")


def alter_alert(session: Session, match: re.Match[str]) -> Result:
    """ALTER ALERT ... RESUME | SUSPEND | SET | UNSET | MODIFY CONDITION EXISTS (...) | MODIFY ACTION."""
    session.commit_before_ddl()
    name = session.qualify(match["name"])
    registry, done = session.warehouse.alerts, Result.status("Statement executed successfully.", _DDL)
    if name not in registry.alerts and match["exists"]:
        return done
    registry.find(name)
    action = match["action"].strip()
    for pattern, alter in _ACTIONS:
        if found := re.match(pattern, action, _FLAGS):
            with registry.lock:
                alert = alter(registry.find(name), action[found.end() :].strip())
                registry.save(session.warehouse, alert)
            if not alert.started and registry.scheduler is not None and alter is _suspend:
                registry.scheduler.cancel(name, f"Alert {name} was suspended while it ran.")
            return done
    raise Unsupported(f"ALTER ALERT ... {' '.join(action.split()[:2])}")


def _resume(alert: Alert, rest: str) -> Alert:
    """The interval is counted from now; one that runs already goes on as it does."""
    _nothing_after(rest)
    if alert.started:
        return alert
    return dataclasses.replace(alert, started=True, resumed_on=datetime.now(UTC))


def _suspend(alert: Alert, rest: str) -> Alert:
    _nothing_after(rest)
    return dataclasses.replace(alert, started=False)


def _set(alert: Alert, rest: str) -> Alert:
    settings = options.read(read_set(rest))
    # A new interval begins when it is set.
    resumed_on = datetime.now(UTC) if "SCHEDULE" in settings and alert.started else alert.resumed_on
    return dataclasses.replace(alert, options={**alert.options, **settings}, resumed_on=resumed_on)


def _unset(alert: Alert, rest: str) -> Alert:
    keys = {key.upper() for key in re.split(r"[\s,]+", rest) if key}
    for key in keys - set(_UNSETTABLE):
        raise options.unknown(key)
    if not keys:
        raise CompilationError("syntax error: unexpected '<EOF>'.")
    return dataclasses.replace(
        alert, options={key: value for key, value in alert.options.items() if key not in keys}
    )


def _modify_condition(alert: Alert, rest: str) -> Alert:
    return dataclasses.replace(alert, condition=read_condition(rest))


def _modify_action(alert: Alert, rest: str) -> Alert:
    return dataclasses.replace(alert, action=check_body(rest, "alert"))


def _nothing_after(rest: str) -> None:
    if rest:
        raise CompilationError(f"syntax error: unexpected '{rest.split()[0]}'.")


_DDL = statement_type.DDL
_ACTIONS: tuple[tuple[str, Callable[[Alert, str], Alert]], ...] = (
    (r"RESUME\b", _resume),
    (r"SUSPEND\b", _suspend),
    (r"SET\b(?!\s+TAG\b)", _set),
    (r"UNSET\b(?!\s+TAG\b)", _unset),
    (r"MODIFY\s+CONDITION\b", _modify_condition),
    (r"MODIFY\s+ACTION\b", _modify_action),
)
STATEMENTS = [(_ALTER, alter_alert)]
