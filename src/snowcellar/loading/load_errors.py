"""What is wrong with a row of a file, as COPY INTO tells it.

Source: https://docs.snowflake.com/en/user-guide/data-load-bulk-ts
"""

from __future__ import annotations

from dataclasses import dataclass

from snowcellar.errors import WarehouseError

_ADVICE = (
    "If you would like to continue loading when an error is encountered, use other values such as "
    "'SKIP_FILE' or 'CONTINUE' for the ON_ERROR option. For more information on loading options, please run "
    "'info loading_data' in a SQL client."
)
_NOT_RECOGNIZED = {
    "NUMBER": ("Numeric value '{}' is not recognized", 100038, "22018"),
    "BOOLEAN": ("Boolean value '{}' is not recognized", 100037, "22018"),
    "DATE": ("Date '{}' is not recognized", 100040, "22007"),
    "TIME": ("Time '{}' is not recognized", 100108, "22007"),
    "TIMESTAMP": ("Timestamp '{}' is not recognized", 100035, "22007"),
    "JSON": ("Error parsing JSON: {}", 100069, "22P02"),
}


@dataclass(frozen=True)
class LoadError:
    """The first fault of a file."""

    message: str
    row: int
    column: str
    errno: int = 100038
    sqlstate: str = "22018"

    def as_failure(self, file: str) -> WarehouseError:
        """The failure of a COPY that does not go on."""
        return WarehouseError(
            f"{self.message}\n  File '{file}', line {self.row}, character 1\n"
            f"  Row {self.row}, column {self.column}\n  {_ADVICE}",
            self.errno,
            self.sqlstate,
        )


def not_recognized(value: str, duck_type: str, row: int, column: str) -> LoadError:
    """A value that its column's type cannot hold."""
    if duck_type.startswith(("DECIMAL", "BIGINT", "HUGEINT", "DOUBLE", "INTEGER", "FLOAT")):
        kind = "NUMBER"
    else:
        kind = next((name for name in _NOT_RECOGNIZED if duck_type.startswith(name)), "JSON")
    text, errno, sqlstate = _NOT_RECOGNIZED[kind]
    return LoadError(text.format(value), row, column, errno, sqlstate)


def column_count(found: int, wanted: int) -> LoadError:
    """A file with more fields, or fewer, than the table has columns."""
    return LoadError(
        f"Number of columns in file ({found}) does not match that of the corresponding table ({wanted}), "
        "use file format option error_on_column_count_mismatch=false to ignore this error",
        1,
        f'"{found}"',
        100080,
        "22000",
    )


def null_in(row: int, column: str) -> LoadError:
    """A value that is missing where there must be one."""
    return LoadError("NULL result in a non-nullable column", row, column, 100072, "22000")
