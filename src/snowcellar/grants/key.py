"""Which object a grant is on."""

from __future__ import annotations

from dataclasses import dataclass

from snowcellar.grants.kinds import HAS_ARGUMENTS
from snowcellar.names import QualifiedName, display


@dataclass(frozen=True, order=True)
class Key:
    """An object by kind and folded name; a procedure's name goes with its types, as in P(VARCHAR)."""

    kind: str
    database: str = ""
    schema: str = ""
    name: str = ""

    @property
    def parents(self) -> tuple[Key, ...]:
        """The database and the schema that it lies in, outermost first."""
        if not self.database or self.kind == "DATABASE":
            return ()
        if self.kind == "SCHEMA":
            return (Key("DATABASE", self.database),)
        return Key("DATABASE", self.database), Key("SCHEMA", self.database, self.schema)

    @property
    def container(self) -> Key:
        """What a privilege to create it is on."""
        return self.parents[-1] if self.parents else ACCOUNT

    @property
    def short(self) -> str:
        """Its own name, as in `Insufficient privileges to operate on table 'T'`."""
        if self.kind == "ACCOUNT":
            return "LOCAL"
        return self.name or self.schema or self.database

    def __str__(self) -> str:
        """Its full name, quoted where it must be."""
        if self.kind in HAS_ARGUMENTS:
            name, bracket, types = self.name.partition("(")
            return ".".join(map(display, (self.database, self.schema, name))) + bracket + types
        return ".".join(display(part) for part in (self.database, self.schema, self.name) if part)


ACCOUNT = Key("ACCOUNT")


def key_of(kind: str, name: QualifiedName) -> Key:
    """The key of an object in a schema."""
    return Key(kind, name.database, name.schema, name.name)


def role_key(role: str) -> Key:
    return Key("ROLE", name=role)


def callable_key(kind: str, name: QualifiedName, types: tuple[str, ...]) -> Key:
    """The key of a procedure or function."""
    return Key(kind, name.database, name.schema, f"{name.name}({', '.join(types)})")
