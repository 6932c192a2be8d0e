"""From an empty account to an empty account: the day of docs/deployment.md, typed as it stands there.

The account is snowcellar; the programs are the real `caves`, `snow` and `openssl`; each service has a key.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy.exc import ProgrammingError as RefusedByAlchemy

from caves_cli import connection, local
from caves_cli.deployment_plan import rows
from caves_cli.snow import ENVIRONMENT
from caves_cli.state import State, StateFolder
from caves_snowpark import names
from ingest.producer import produce
from ingest.settings import ProducerSettings
from tests.clients.clients import Client, write_connection
from tests.clients.jdbc.driver import Unavailable
from tests.pipeline.conftest import ROOT, wait_until

EVENTS = 1_500
SERVICES = {"deploy": "DEPLOY", "ingest": "INGEST", "analyst": "BI"}


@dataclass(frozen=True)
class Day:
    """An account without anything in it, and a folder of connections and keys."""

    folder: Path
    state: State
    admin: connection.Target

    @property
    def connections(self) -> Path:
        return self.folder / "config.toml"

    def type(self, *words: str, project: Path = ROOT, shell: Mapping[str, str] | None = None) -> str:
        """What a command prints, typed in the project's folder; it must succeed."""
        program = Path(sys.executable).with_name(words[0])
        done = subprocess.run(
            [str(program) if program.exists() else words[0], *words[1:]],
            cwd=project,
            env={**os.environ, **ENVIRONMENT, "CAVES_CONFIG_FILE": str(self.connections), **(shell or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def ask(self, statement: str) -> list[dict[str, Any]]:
        """As the administrator."""
        with self.admin.open() as session:
            return rows(session, statement)

    def client(self, name: str) -> Client:
        return Client(self.connections, name)


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    folder = StateFolder(tmp_path / ".caves")
    started = local.start(folder, minute_seconds=2, port=0)
    try:
        shutil.copy(folder.config_file, tmp_path / "config.toml")
        yield Day(tmp_path, started, connection.target("local", folder.config_file))
    finally:
        local.stop(folder)


def public_key(day: Day, name: str) -> str:
    """A new key pair by openssl, as the page says; the private half stays in a file of its owner."""
    private = day.folder / f"{name}.p8"
    made = day.type("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    private.write_text(made[made.index("-----BEGIN") :])
    private.chmod(0o600)
    text = day.type("openssl", "pkey", "-in", str(private), "-pubout")
    return "".join(line for line in text.splitlines() if "-----" not in line)


def next_version(day: Day) -> Path:
    """The project with a new column at the end of a table, as a later release may bring it."""
    folder = day.folder / "next"
    folder.mkdir()
    for name in ("snowflake.yml", "requirements.txt", "requirements.snowflake.txt"):
        shutil.copy(ROOT / name, folder)
    for name in ("deploy", "procedures", "src/caves_snowpark"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "deploy" / "060_ingest.sql"
    text = file.read_text(encoding="utf-8")
    end = "\n)\nCOMMENT = 'How far the ingestor has come'"
    assert text.count(end) == 1
    file.write_text(
        text.replace(end, f",\n    NOTE VARCHAR COMMENT 'of the next version'{end}"), encoding="utf-8"
    )
    return folder


@pytest.mark.timeout(900)
def test_a_day_from_an_empty_account_to_an_empty_account(day: Day) -> None:
    # The administrator prepares the account, once.
    day.type("caves", "bootstrap", "-c", "local")
    keys = {f"CAVES_{service}_PUBLIC_KEY": public_key(day, name) for name, service in SERVICES.items()}
    users = ("-f", "deploy/account/020_service_users.sql")
    day.type("snow", "--config-file", str(day.connections), "sql", "-c", "local", *users, shell=keys)
    for name, service in SERVICES.items():
        write_connection(
            day.connections,
            name,
            day.connections,
            user=f"CAVES_{service}_SERVICE",
            authenticator="SNOWFLAKE_JWT",
            private_key_file=str(day.folder / f"{name}.p8"),
            database=names.DEFAULT_DATABASE,
            warehouse=names.DEFAULT_WAREHOUSE,
        )

    # CI deploys by its key, with a role that owns the database and nothing beside it.
    assert "create   table RAW_DATA.RAW_EVENTS_STREAM" in day.type(
        "caves", "deploy", "-c", "deploy", "--dry-run"
    )
    day.type("caves", "deploy", "-c", "deploy")

    # Events flow, each service by its key.
    settings = ProducerSettings(day.state.bootstrap or "", day.state.topic, EVENTS)
    sent = produce(settings).truth
    ingest = ("caves", "ingest", "-c", "ingest", "--bootstrap", settings.bootstrap, "--topic", settings.topic)
    day.type(*ingest, "--assign", "--until-caught-up")
    drained(day)
    assert "BROKEN" not in day.type("caves", "verify", "-c", "deploy")

    # An analyst's tools read what they may, and nothing else.
    revenue = f"SELECT SUM(DAILY_REVENUE) AS REVENUE FROM {names.DAILY_SALES}"
    before = day.client("analyst").frame(revenue)
    assert round(float(before.iloc[0, 0]) * 100) == sent.expected_revenue_cents
    with pytest.raises(RefusedByAlchemy, match="not authorized"):
        day.client("analyst").frame(f"SELECT * FROM {names.RAW_EVENTS}")
    by_jdbc(day.client("analyst"), revenue, before)

    # An upgrade, with events waiting and the ingestor at work.
    more = produce(ProducerSettings(settings.bootstrap, settings.topic, EVENTS, seed=7)).truth
    with subprocess.Popen(
        [str(Path(sys.executable).with_name("caves")), *ingest[1:], "--assign", "--until-caught-up"],
        env={**os.environ, "CAVES_CONFIG_FILE": str(day.connections)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as ingestor:
        day.type("caves", "deploy", "-c", "deploy", project=next_version(day))
        assert ingestor.wait(120) == 0
    assert "NOTE" in {row["name"] for row in day.ask(f"DESCRIBE TABLE {names.KAFKA_OFFSETS}")}
    drained(day)
    assert "BROKEN" not in day.type("caves", "verify", "-c", "deploy")
    ((loaded,),) = [row.values() for row in day.ask(f"SELECT COUNT(*) AS LOADED FROM {names.RAW_EVENTS}")]
    assert loaded == sent.events_produced + more.events_produced

    # A customer asks to be forgotten; the totals stay.
    totals = day.client("analyst").frame(revenue)
    ((customer,),) = [
        row.values() for row in day.ask(f"SELECT MAX(CUSTOMER_ID) AS CUSTOMER FROM {names.ORDERS}")
    ]
    day.type("caves", "erase", str(customer), "-c", "deploy", "--yes")
    assert day.client("analyst").frame(revenue).equals(totals)
    asked = f"SELECT * FROM {names.ORDERS} WHERE CUSTOMER_ID = {customer}"
    assert day.client("analyst").frame(asked).empty
    assert "BROKEN" not in day.type("caves", "verify", "-c", "deploy")

    # And the account is as it was.
    day.type("caves", "teardown", "-c", "local", "--account", "--yes")
    assert names.DEFAULT_DATABASE not in {row["name"] for row in day.ask("SHOW DATABASES")}
    assert not [row for row in day.ask("SHOW ROLES") if str(row["name"]).startswith("CAVES_")]
    assert not [row for row in day.ask("SHOW USERS") if str(row["name"]).endswith("_SERVICE")]


def drained(day: Day) -> None:
    waiting = " + ".join(f"(SELECT COUNT(*) FROM {stream})" for stream in names.STREAMS)
    wait_until(lambda: [*day.ask(f"SELECT {waiting} AS WAITING")[0].values()] == [0])


def by_jdbc(client: Client, question: str, expected: pd.DataFrame) -> None:
    """The same by JDBC, where Java and the driver are; tests/clients/test_jdbc.py skips with the reason."""
    try:
        (answer,) = client.jdbc(question)
    except Unavailable:
        return
    assert str(expected.iloc[0, 0]) in str(answer)
