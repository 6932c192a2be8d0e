"""One user: the properties by Snowflake's names, and what follows from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from snowcellar.errors import WarehouseError
from snowcellar.users import passwords, public_keys

TYPES: Final = ("PERSON", "SERVICE", "LEGACY_SERVICE", "NULL")
KEYS: Final = ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")
_OF_A_PERSON: Final = ("FIRST_NAME", "MIDDLE_NAME", "LAST_NAME")
NOT_FOR: Final[Mapping[str, tuple[str, ...]]] = {
    "SERVICE": ("PASSWORD", *_OF_A_PERSON),
    "LEGACY_SERVICE": _OF_A_PERSON,
}
"""What a user of a type cannot have."""


def now() -> str:
    """The present moment as it is kept."""
    return datetime.now(UTC).isoformat()


@dataclass(frozen=True)
class User:
    """A user of the account. `password` is a hash; `set_on` says when a key or the password was last set."""

    name: str
    owner: str
    created_on: str = field(default_factory=now)
    properties: dict[str, Any] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    set_on: dict[str, str] = field(default_factory=dict)

    @property
    def login_name(self) -> str:
        """What the user logs in with; folded, for it is compared without regard to case."""
        return str(self.properties.get("LOGIN_NAME") or self.name).upper()

    @property
    def type(self) -> str | None:
        kind = self.properties.get("TYPE")
        return None if kind in (None, "NULL") else str(kind)

    @property
    def disabled(self) -> bool:
        return bool(self.properties.get("DISABLED"))

    @property
    def default_role(self) -> str | None:
        return self.properties.get("DEFAULT_ROLE")

    @property
    def public_keys(self) -> list[str]:
        """The keys that may log in, as they were written."""
        return [self.properties[name] for name in KEYS if self.properties.get(name)]

    def with_properties(self, changes: Mapping[str, Any]) -> User:
        """The user with properties set, or unset where they are None; refuses what cannot be."""
        merged = {**self.properties, **changes}
        password, set_on = self.password, dict(self.set_on)
        if "PASSWORD" in changes:
            del merged["PASSWORD"]
            password = None if changes["PASSWORD"] is None else passwords.hashed(changes["PASSWORD"])
        for name in KEYS:
            if changes.get(name):
                public_keys.read(changes[name])
        for name in ("PASSWORD", *KEYS):
            if changes.get(name):
                set_on[name] = now()
        kind = str(merged.get("TYPE"))
        for name in NOT_FOR.get(kind, ()):
            if changes.get(name) is not None:
                raise WarehouseError(
                    f"SQL execution error: Cannot set {name} on users with TYPE={kind}.", 3684, "22023"
                )
        if "PASSWORD" in NOT_FOR.get(kind, ()):
            password = None
        kept = {name: value for name, value in merged.items() if value is not None}
        return replace(self, properties=kept, password=password, set_on=set_on)

    def to_json(self) -> str:
        """What is kept in the file."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(definition: str) -> User:
        """The user that was kept."""
        return User(**json.loads(definition))
