"""Erasing a customer by the warehouse's own procedure; what it would touch, and what it did."""

import json
import re
from typing import Final

from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from caves_cli.errors import CavesError
from caves_snowpark import names

# The procedure's refusal stands in the last line of a Python traceback.
_UNKNOWN: Final = re.compile(r"UnknownCustomerError: (.+)")
# It reads whole tables; what is cancelled has changed nothing.
_LONGEST_CALL_SECONDS: Final = 3600


class UnknownCustomer(CavesError):
    """Nothing is there of the customer."""


def preview(session: SnowflakeConnection, customer: int) -> dict[str, int]:
    """How many rows of each table tell of a customer."""
    return _call(session, customer, preview=True)


def erase(session: SnowflakeConnection, customer: int) -> dict[str, int]:
    """Make the customer nameless everywhere; how many rows of each table were changed."""
    return _call(session, customer, preview=False)


def _call(session: SnowflakeConnection, customer: int, *, preview: bool) -> dict[str, int]:
    with session.cursor() as cursor:
        try:
            cursor.execute(
                f"CALL {names.ERASE_CUSTOMER}(%s, %s)", (customer, preview), timeout=_LONGEST_CALL_SECONDS
            )
        except ProgrammingError as error:
            if said := _UNKNOWN.search(error.msg or ""):
                raise UnknownCustomer(said[1]) from error
            raise
        [row] = cursor.fetchall()
    counts: dict[str, int] = json.loads(row[0])
    return counts
