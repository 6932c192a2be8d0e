"""Which users and security integrations there are: in memory, and in the account's file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from snowcellar.errors import ObjectNotFound
from snowcellar.users.integration import Integration
from snowcellar.users.user import User

if TYPE_CHECKING:
    from snowcellar.warehouse import Warehouse

_META: Final = "_fs_global._fs_information_schema"
GLOBAL_DDL: Final = "".join(
    f"CREATE TABLE IF NOT EXISTS {_META}.{table} (name VARCHAR PRIMARY KEY, definition VARCHAR NOT NULL);"
    for table in ("sc_users", "sc_integrations")
)
LOCAL_USER: Final = "LOCAL"
"""Who logs in with the password that is made at every start; it has every role."""


class _Kept(Protocol):
    @property
    def name(self) -> str: ...

    def to_json(self) -> str: ...


T = TypeVar("T", bound=_Kept)


class Catalogue(Generic[T]):
    """The objects of one kind. The rows on disk are the truth at start; `all` is replaced, never changed."""

    def __init__(self, warehouse: Warehouse, kind: str, table: str, read: Callable[[str], T]) -> None:
        self._warehouse = warehouse
        self._kind = kind
        self._table = f"{_META}.{table}"
        self._read = read
        self.lock = threading.RLock()
        """Held from a check to the change that it allowed."""
        self.all: dict[str, T] = {}

    def load(self) -> None:
        """Read what is in the file."""
        with self._warehouse.cursor() as duck:
            rows = duck.execute(f"SELECT definition FROM {self._table} ORDER BY name").fetchall()
        read = [self._read(definition) for (definition,) in rows]
        self.all = {kept.name: kept for kept in read}

    def find(self, name: str) -> T:
        """The object of that folded name."""
        found = self.all.get(name)
        if found is None:
            raise ObjectNotFound(self._kind, name)
        return found

    def save(self, kept: T, instead_of: str | None = None) -> None:
        """Keep an object, new, changed, or with another name than before; whole or not at all."""
        gone = instead_of or kept.name
        with self.lock, self._warehouse.cursor() as duck:
            duck.execute("BEGIN TRANSACTION")
            duck.execute(f"DELETE FROM {self._table} WHERE name = ?", [gone])
            duck.execute(f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?)", [kept.name, kept.to_json()])
            duck.execute("COMMIT")
            others = {name: other for name, other in self.all.items() if name != gone}
            self.all = dict(sorted({**others, kept.name: kept}.items()))

    def remove(self, name: str) -> None:
        """Forget an object."""
        with self.lock, self._warehouse.cursor() as duck:
            duck.execute(f"DELETE FROM {self._table} WHERE name = ?", [name])
            self.all = {other: kept for other, kept in self.all.items() if other != name}


class Users(Catalogue[User]):
    """The users of the account; the local user is always one of them."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(warehouse, "User", "sc_users", User.from_json)

    def load(self) -> None:
        super().load()
        if LOCAL_USER not in self.all:
            self.save(
                User(
                    LOCAL_USER,
                    owner="ACCOUNTADMIN",
                    properties={
                        "DEFAULT_ROLE": "ACCOUNTADMIN",
                        "COMMENT": "Logs in with the password of the connection file.",
                    },
                )
            )

    def with_login_name(self, login_name: str) -> User | None:
        """Who logs in with a name."""
        wanted = login_name.upper()
        return next((user for user in self.all.values() if user.login_name == wanted), None)

    def with_email(self, address: str) -> User | None:
        """The one user with an address; none when several share it."""
        found = [
            user
            for user in self.all.values()
            if str(user.properties.get("EMAIL") or "").lower() == address.lower()
        ]
        return found[0] if len(found) == 1 else None


class Integrations(Catalogue[Integration]):
    """The security integrations of the account."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(warehouse, "Integration", "sc_integrations", Integration.from_json)

    def with_issuer(self, issuer: str) -> Integration | None:
        """The integration that trusts an issuer."""
        return next(
            (found for found in self.all.values() if found.text("EXTERNAL_OAUTH_ISSUER") == issuer), None
        )
