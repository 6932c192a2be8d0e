"""The known shop behind a server, with users who have keys, tokens and roles of their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import caves as caves
from tests.clients.clients import Client, write_connection
from tests.dashboard.cellar import known_shop
from tests.engines.engine import DATABASE, Snowcellar
from tests.keys import key_pair

PASSPHRASE = "ouvre-toi"
ISSUER = "https://idp.caves.example"
USERS = f"""
CREATE USER CAVES_BI TYPE = SERVICE DEFAULT_ROLE = CAVES_ANALYST DEFAULT_WAREHOUSE = COMPUTE_WH
    DEFAULT_NAMESPACE = {DATABASE}.ANALYTICS RSA_PUBLIC_KEY = '{key_pair("analyst").public}';
CREATE USER CAVES_OWNER TYPE = SERVICE DEFAULT_ROLE = CAVES_ADMIN DEFAULT_WAREHOUSE = COMPUTE_WH
    RSA_PUBLIC_KEY = '{key_pair("owner").public}';
GRANT ROLE CAVES_ANALYST TO USER CAVES_BI;
GRANT ROLE CAVES_ADMIN TO USER CAVES_OWNER;
GRANT USAGE ON DATABASE {DATABASE} TO ROLE CAVES_ANALYST;
GRANT USAGE ON SCHEMA {DATABASE}.PRODUCTION TO ROLE CAVES_ANALYST;
GRANT USAGE ON SCHEMA {DATABASE}.ANALYTICS TO ROLE CAVES_ANALYST;
GRANT SELECT ON ALL TABLES IN SCHEMA {DATABASE}.PRODUCTION TO ROLE CAVES_ANALYST;
GRANT SELECT ON ALL VIEWS IN SCHEMA {DATABASE}.ANALYTICS TO ROLE CAVES_ANALYST;
CREATE SECURITY INTEGRATION IDP TYPE = EXTERNAL_OAUTH ENABLED = TRUE EXTERNAL_OAUTH_TYPE = CUSTOM
    EXTERNAL_OAUTH_ISSUER = '{ISSUER}' EXTERNAL_OAUTH_RSA_PUBLIC_KEY = '{key_pair("idp").public}'
    EXTERNAL_OAUTH_TOKEN_USER_MAPPING_CLAIM = 'sub'
    EXTERNAL_OAUTH_SNOWFLAKE_USER_MAPPING_ATTRIBUTE = 'LOGIN_NAME'
    EXTERNAL_OAUTH_AUDIENCE_LIST = ('{ISSUER}/audience');
"""


@dataclass(frozen=True)
class Shop:
    """The served shop, and a folder with the keys of its users."""

    engine: Snowcellar
    keys: Path

    def run(self, *statements: str) -> None:
        """As the administrator."""
        for statement in statements:
            self.engine.session.sql(statement).collect()

    def connection(self, folder: Path, name: str = "prod", **said: Any) -> Client:
        """A connection to the shop, written into a file of a folder."""
        said.setdefault("database", DATABASE)
        return write_connection(folder / f"{name}.toml", name, self.engine.config, **said)

    def keyed(self, folder: Path, who: str = "owner", **said: Any) -> Client:
        """A connection by a user's key: `owner`, or `analyst`."""
        user = {"owner": "CAVES_OWNER", "analyst": "CAVES_BI"}[who]
        key = {} if "private_key_path" in said else {"private_key_file": self.keys / f"{who}.p8"}
        return self.connection(folder, **{"user": user, "authenticator": "SNOWFLAKE_JWT", **key, **said})

    @staticmethod
    def token(**claims: Any) -> str:
        """An access token for the owner, but for what is given."""
        said = {"iss": ISSUER, "aud": f"{ISSUER}/audience", "sub": "CAVES_OWNER"}
        return key_pair("idp").token(**{**said, "scp": "session:role:CAVES_ADMIN", **claims})


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    with known_shop(folder) as engine:
        engine.deploy("070_tasks")
        served = Shop(engine, folder)
        served.run(*USERS.strip().rstrip(";").split(";"))
        for who in ("owner", "analyst"):
            key_pair(who).write(folder / f"{who}.p8")
        key_pair("owner").write(folder / "encrypted.p8", PASSPHRASE)
        yield served


@pytest.fixture
def analyst(shop: Shop, tmp_path: Path) -> Client:
    """The analyst's connection, by key pair."""
    return shop.keyed(tmp_path, "analyst")
