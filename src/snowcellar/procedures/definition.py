"""What a procedure is: the clauses of its CREATE PROCEDURE, and how they are kept on disk.

Source: https://docs.snowflake.com/en/sql-reference/sql/create-procedure (SEMANTICS 27, 28)
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from snowcellar.names import QualifiedName, display
from snowcellar.procedures.data_types import DataType

OWNER, CALLER = "OWNER", "CALLER"


@dataclass(frozen=True)
class Argument:
    """One declared argument; `default` is the SQL text of its DEFAULT."""

    name: str
    type: DataType
    default: str | None = None


@dataclass(frozen=True)
class Column:
    """One column of RETURNS TABLE (...)."""

    name: str
    type: DataType


@dataclass(frozen=True)
class Procedure:
    """One procedure, one of the overloads of its name."""

    name: QualifiedName
    arguments: tuple[Argument, ...]
    returns: DataType | None
    """None for RETURNS TABLE."""
    columns: tuple[Column, ...]
    """The columns of RETURNS TABLE (...); none declared means whatever the handler's rows have."""
    not_null: bool
    runtime_version: str
    packages: tuple[str, ...]
    imports: tuple[str, ...]
    handler: str
    body: str | None
    execute_as: str
    null_handling: str
    volatility: str
    comment: str
    owner: str
    created_on: datetime

    @property
    def types(self) -> tuple[str, ...]:
        """The argument types, which tell overloads apart."""
        return tuple(argument.type.name for argument in self.arguments)

    @property
    def language(self) -> str:
        """PYTHON, or for a function SQL."""
        return "PYTHON" if self.handler else "SQL"

    @property
    def returns_text(self) -> str:
        """The RETURNS clause as SHOW and DESCRIBE print it."""
        if self.returns is not None:
            return str(self.returns) if self.returns.name != "NUMBER" else _number(self.returns)
        return f"TABLE ({', '.join(f'{display(column.name)} {column.type.name}' for column in self.columns)})"

    @property
    def described_signature(self) -> str:
        """The arguments as DESCRIBE prints them: (A VARCHAR, B NUMBER)."""
        declared = [f"{display(argument.name)} {argument.type.name}" for argument in self.arguments]
        return f"({', '.join(declared)})"

    @property
    def shown_signature(self) -> str:
        """The name and types as SHOW prints them, optional arguments marked by DEFAULT."""
        types = [
            argument.type.name if argument.default is None else f"DEFAULT {argument.type.name}"
            for argument in self.arguments
        ]
        return f"{display(self.name.name)}({', '.join(types)}) RETURN {self.returns_text}"

    def to_json(self) -> str:
        """All but what the columns of sc_procedures hold themselves."""
        values = asdict(self)
        for key in ("name", "owner", "created_on"):
            del values[key]
        return json.dumps(values)


def _number(type_: DataType) -> str:
    return "NUMBER" if (type_.precision, type_.scale) == (38, 0) else str(type_)


def from_json(name: QualifiedName, text: str, owner: str, created_on: datetime) -> Procedure:
    """The procedure that `to_json` wrote."""
    values: dict[str, Any] = json.loads(text)
    values["arguments"] = tuple(
        Argument(each["name"], DataType(**each["type"]), each["default"]) for each in values["arguments"]
    )
    values["columns"] = tuple(Column(each["name"], DataType(**each["type"])) for each in values["columns"])
    values["returns"] = DataType(**values["returns"]) if values["returns"] else None
    for key in ("packages", "imports"):
        values[key] = tuple(values[key])
    return Procedure(name=name, owner=owner, created_on=created_on, **values)
