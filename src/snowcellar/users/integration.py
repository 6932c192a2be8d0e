"""One security integration: an OAuth server outside whose tokens are taken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from snowcellar.errors import CompilationError
from snowcellar.users import public_keys
from snowcellar.users.user import now

LISTS: Final = frozenset(
    {
        "EXTERNAL_OAUTH_TOKEN_USER_MAPPING_CLAIM",
        "EXTERNAL_OAUTH_AUDIENCE_LIST",
        "EXTERNAL_OAUTH_ALLOWED_ROLES_LIST",
        "EXTERNAL_OAUTH_BLOCKED_ROLES_LIST",
    }
)
"""Properties that take ('a', 'b'), and one value as well."""
KEYS: Final = ("EXTERNAL_OAUTH_RSA_PUBLIC_KEY", "EXTERNAL_OAUTH_RSA_PUBLIC_KEY_2")
DEFAULTS: Final[Mapping[str, Any]] = {
    "ENABLED": False,
    "EXTERNAL_OAUTH_TYPE": "CUSTOM",
    "EXTERNAL_OAUTH_ISSUER": "",
    "EXTERNAL_OAUTH_RSA_PUBLIC_KEY": "",
    "EXTERNAL_OAUTH_RSA_PUBLIC_KEY_2": "",
    "EXTERNAL_OAUTH_TOKEN_USER_MAPPING_CLAIM": ["sub"],
    "EXTERNAL_OAUTH_SNOWFLAKE_USER_MAPPING_ATTRIBUTE": "LOGIN_NAME",
    "EXTERNAL_OAUTH_AUDIENCE_LIST": [],
    "EXTERNAL_OAUTH_ANY_ROLE_MODE": "DISABLE",
    "EXTERNAL_OAUTH_ALLOWED_ROLES_LIST": [],
    "EXTERNAL_OAUTH_BLOCKED_ROLES_LIST": [],
    "EXTERNAL_OAUTH_SCOPE_DELIMITER": ",",
    "EXTERNAL_OAUTH_SCOPE_MAPPING_ATTRIBUTE": "scp",
    "COMMENT": "",
}
_REQUIRED: Final = (
    "ENABLED",
    "EXTERNAL_OAUTH_TYPE",
    "EXTERNAL_OAUTH_ISSUER",
    "EXTERNAL_OAUTH_TOKEN_USER_MAPPING_CLAIM",
    "EXTERNAL_OAUTH_SNOWFLAKE_USER_MAPPING_ATTRIBUTE",
)
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "EXTERNAL_OAUTH_TYPE": ("OKTA", "AZURE", "PING_FEDERATE", "CUSTOM"),
    "EXTERNAL_OAUTH_SNOWFLAKE_USER_MAPPING_ATTRIBUTE": ("LOGIN_NAME", "EMAIL_ADDRESS"),
    "EXTERNAL_OAUTH_ANY_ROLE_MODE": ("DISABLE", "ENABLE"),
    "EXTERNAL_OAUTH_SCOPE_MAPPING_ATTRIBUTE": ("scp", "scope"),
}


@dataclass(frozen=True)
class Integration:
    """An external OAuth server that the account trusts."""

    name: str
    created_on: str = field(default_factory=now)
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def enabled(self) -> bool:
        return bool(self.value("ENABLED"))

    @property
    def keys(self) -> list[str]:
        """The public keys that a token may be signed for."""
        return [self.text(name) for name in KEYS if self.text(name)]

    def value(self, name: str) -> Any:
        """A property, or its default."""
        return self.properties.get(name, DEFAULTS[name])

    def text(self, name: str) -> str:
        return str(self.value(name))

    def texts(self, name: str) -> list[str]:
        return [str(value) for value in self.value(name)]

    def with_properties(self, changes: Mapping[str, Any]) -> Integration:
        """The integration with properties set, or back at their defaults where they are None."""
        merged = {**self.properties, **changes}
        kept = {name: value for name, value in merged.items() if value is not None}
        for name in _REQUIRED:
            if name not in kept:
                raise CompilationError(f"Missing option(s): [{name}]", 2029)
        for name, choices in _CHOICES.items():
            if name in kept and kept[name] not in choices:
                raise CompilationError(f"invalid value '{kept[name]}' for property '{name}'", 1422, "22023")
        for name in KEYS:
            if kept.get(name):
                public_keys.read(kept[name])
        return replace(self, properties=kept)

    def to_json(self) -> str:
        """What is kept in the file."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(definition: str) -> Integration:
        """The integration that was kept."""
        return Integration(**json.loads(definition))
