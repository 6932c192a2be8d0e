"""INFORMATION_SCHEMA.PACKAGES: what PACKAGES may name. `snow snowpark build` asks it.

Source: https://docs.snowflake.com/en/sql-reference/info-schema/packages
Deviation: Snowflake lists its Anaconda channel; here it is what is installed beside the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pyarrow as pa
from sqlglot import exp

from snowcellar import engine, relations
from snowcellar.names import PART
from snowcellar.procedures import packages
from snowcellar.procedures.grammar import RUNTIME_VERSION
from snowcellar.result import Result
from snowcellar.session import Params, Session
from snowcellar.statement import Statement

_VIEW = rf"(?:{PART}\s*\.\s*)?INFORMATION_SCHEMA\s*\.\s*PACKAGES\b"
_READS_VIEW = re.compile(rf"SELECT\b.*\b{_VIEW}", re.IGNORECASE | re.DOTALL)
_FUNCTION = "SNOWCELLAR_PACKAGES"


def select_packages(session: Session, match: re.Match[str], params: Params) -> Result:
    """A query of the view, run on the table function that has its rows."""
    text = re.sub(_VIEW, f"TABLE({_FUNCTION}())", match.string, flags=re.IGNORECASE)
    return engine.run(session, Statement(text), params)


def package_rows(session: Session, _: Mapping[str, exp.Expression]) -> exp.Query:
    """One row for each package, in its one version."""
    rows = packages.available()
    text = pa.string()
    table = pa.table(
        {
            "PACKAGE_NAME": pa.array([name for name, _ in rows], text),
            "VERSION": pa.array([version for _, version in rows], text),
            "LANGUAGE": pa.array(["python"] * len(rows), text),
            "RUNTIME_VERSION": pa.array([RUNTIME_VERSION] * len(rows), text),
        }
    )
    return relations.arrow_query(session, table)


def default_repository(session: Session, arguments: Sequence[str]) -> exp.Expr:
    """SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY(...): Snowpark asks before it registers anything."""
    return exp.Literal.string("snowflake.snowpark.anaconda_shared_repository")


RUN_TO_DESCRIBE = [_READS_VIEW]
BOUND_STATEMENTS = [(_READS_VIEW, select_packages)]
TABLE_FUNCTIONS = {_FUNCTION: package_rows}
SYSTEM_FUNCTIONS = {"SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY": default_repository}
