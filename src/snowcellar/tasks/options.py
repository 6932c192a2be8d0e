"""The properties of a task: which there are, what values they take, and which are refused by name.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-task
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from zoneinfo import available_timezones

from snowcellar.clause_reader import Written
from snowcellar.errors import CompilationError, Unsupported, WarehouseError
from snowcellar.session import DEFAULT_PARAMETERS
from snowcellar.tasks import schedule
from snowcellar.tasks.task import OptionValue, TaskError

OVERLAP_POLICIES = ("NO_OVERLAP", "ALLOW_CHILD_OVERLAP", "ALLOW_ALL_OVERLAP")
_SIZES = (
    "XSMALL",
    "SMALL",
    "MEDIUM",
    "LARGE",
    "XLARGE",
    "XXLARGE",
    "XXXLARGE",
    "X4LARGE",
    "X5LARGE",
    "X6LARGE",
)

NOT_HERE = {
    "ERROR_INTEGRATION": "there are no notification integrations",
    "SUCCESS_INTEGRATION": "there are no notification integrations",
    "LOG_LEVEL": "there are no event tables",
    "TRACE_LEVEL": "there are no event tables",
    "TARGET_COMPLETION_INTERVAL": "there is no serverless compute to size",
    "SERVERLESS_TASK_MIN_STATEMENT_SIZE": "there is no serverless compute to size",
    "SERVERLESS_TASK_MAX_STATEMENT_SIZE": "there is no serverless compute to size",
    "SCHEDULING_MODE": "only fixed schedules run here",
    "STATEMENT_TIMEOUT_IN_SECONDS": "use USER_TASK_TIMEOUT_MS",
    "SEARCH_PATH": "tasks take no search path",
}
"""Properties that Snowflake knows and snowcellar refuses, with what to tell."""


def read(written: Mapping[str, Written]) -> tuple[dict[str, OptionValue], dict[str, OptionValue]]:
    """(options, session parameters) that a statement sets, checked."""
    options: dict[str, OptionValue] = {}
    parameters: dict[str, OptionValue] = {}
    for name, value in written.items():
        if name in _READERS:
            options[name] = _READERS[name](name, value)
        elif name in DEFAULT_PARAMETERS:
            parameters[name] = _parameter(name, value)
        else:
            raise unknown(name)
    _merge_overlap(options)
    return options, parameters


def check_names(names: Iterable[str]) -> None:
    """Refuse to UNSET what no task has."""
    for name in names:
        if name not in _READERS and name not in DEFAULT_PARAMETERS:
            raise unknown(name)


def unknown(name: str) -> WarehouseError:
    """The refusal of a property: known to Snowflake only, or to nobody."""
    if name in NOT_HERE:
        return Unsupported(f"task property {name}", f"Leave it out: {NOT_HERE[name]}.")
    return CompilationError(f"invalid property '{name}' for 'TASK'", 1420)


def _merge_overlap(options: dict[str, OptionValue]) -> None:
    """ALLOW_OVERLAPPING_EXECUTION is the old name of OVERLAP_POLICY (SEMANTICS 15)."""
    if "ALLOW_OVERLAPPING_EXECUTION" not in options:
        return
    policy = "ALLOW_CHILD_OVERLAP" if options.pop("ALLOW_OVERLAPPING_EXECUTION") else "NO_OVERLAP"
    if options.get("OVERLAP_POLICY", policy) != policy:
        raise TaskError(
            "Cannot specify ALLOW_OVERLAPPING_EXECUTION and OVERLAP_POLICY to different values "
            "in the same command."
        )
    options["OVERLAP_POLICY"] = policy


def _invalid(name: str, value: Written) -> CompilationError:
    return CompilationError(f"invalid value [{value}] for parameter '{name}'", 1008)


def _string(name: str, value: Written) -> str:
    if not value.quoted:
        raise _invalid(name, value)
    return value.text


def _name(_: str, value: Written) -> str:
    return value.text


def _boolean(name: str, value: Written) -> bool:
    if value.quoted or value.text.upper() not in ("TRUE", "FALSE"):
        raise _invalid(name, value)
    return value.text.upper() == "TRUE"


def _integer(low: int, high: int) -> Callable[[str, Written], int]:
    def read_integer(name: str, value: Written) -> int:
        if value.quoted or not value.text.isdigit() or not low <= int(value.text) <= high:
            raise _invalid(name, value)
        return int(value.text)

    return read_integer


def _schedule(_: str, value: Written) -> str:
    schedule.check(value.text)
    return value.text


def _policy(name: str, value: Written) -> str:
    policy = value.text if value.quoted else value.text.upper()
    if policy not in OVERLAP_POLICIES:
        raise CompilationError(f"invalid value '{value.text}' for property '{name}'", 1008)
    return policy


def _size(name: str, value: Written) -> str:
    if value.text.upper().replace("-", "") not in _SIZES:
        raise CompilationError(f"invalid value [{value.text}] for parameter '{name}'", 1008)
    return value.text.upper()


def read_config(_: str, value: Written) -> str:
    """CONFIG: the text of a JSON object."""
    try:
        valid = isinstance(json.loads(value.text), dict)
    except ValueError:
        valid = False
    if not valid:
        raise TaskError("Invalid config. Must be a string representation of a valid JSON Object.")
    return value.text


def _parameter(name: str, value: Written) -> OptionValue:
    if name == "AUTOCOMMIT" and value.text.upper() == "FALSE":
        raise TaskError(
            "The parameter AUTOCOMMIT = false is not supported with Tasks. "
            "Remove the parameter and try again."
        )
    default = DEFAULT_PARAMETERS[name]
    if isinstance(default, bool):
        return _boolean(name, value)
    if isinstance(default, int):
        return _integer(0, 2**31)(name, value)
    text = _string(name, value)
    if name == "TIMEZONE" and text not in available_timezones():
        raise CompilationError(f"invalid value [{text}] for parameter 'TIMEZONE'", 1008)
    return text


_READERS: dict[str, Callable[[str, Written], OptionValue]] = {
    "WAREHOUSE": _name,
    "SCHEDULE": _schedule,
    "CONFIG": read_config,
    "COMMENT": _string,
    "ALLOW_OVERLAPPING_EXECUTION": _boolean,
    "OVERLAP_POLICY": _policy,
    "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE": _size,
    "USER_TASK_TIMEOUT_MS": _integer(0, 604_800_000),
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS": _integer(10, 604_800),
    "SUSPEND_TASK_AFTER_NUM_FAILURES": _integer(0, 2**31),
    "TASK_AUTO_RETRY_ATTEMPTS": _integer(0, 30),
}
