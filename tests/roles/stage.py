"""A deployed pipeline on which every job is done by a service of its own role, with a key pair each."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st
from snowflake.connector import SnowflakeConnection
from snowflake.snowpark import Session
from streamlit.testing.v1 import AppTest

import dashboard.session
from caves_cli import overview, verification
from caves_snowpark import names
from ingest.connections import connect
from ingest.dead_letters import dead_letters
from ingest.ingestor import run as ingest
from ingest.settings import IngestSettings
from ingest.topics import create_topic
from tests.clients.clients import Client, write_connection
from tests.deploy_files import run_files
from tests.keys import key_pair
from tests.pipeline.conftest import Pipeline

APP: Final = Path(dashboard.session.__file__).with_name("streamlit_app.py")
JOBS: Final = ("ADMIN", "INGEST", "TRANSFORM", "ANALYST", "OPERATOR")
DEAD_LETTERS: Final = "rejected_events"


@dataclass(frozen=True)
class Stage:
    """The pipeline, and a connection for each job; `caves` finds them by the job's name in lower case."""

    pipeline: Pipeline
    services: Path

    def client(self, job: str) -> Client:
        return Client(self.services, job.lower())

    @contextmanager
    def session(self, job: str) -> Iterator[Callable[[str], list[tuple[object, ...]]]]:
        """Runs statements as the service of a job, with its one role and no secondary ones."""
        connection = connect(job.lower(), self.services)
        cursor = connection.cursor()

        def run(statement: str) -> list[tuple[object, ...]]:
            cursor.execute(statement)
            return list(cursor.fetchall())

        try:
            run("USE SECONDARY ROLES NONE")
            yield run
        finally:
            connection.close()

    @contextmanager
    def administrator(self) -> Iterator[SnowflakeConnection]:
        with self.pipeline.target.open() as opened:
            yield opened


def with_services(pipeline: Pipeline, folder: Path) -> Stage:
    """Create a service user for each job, as deploy/account/020_service_users.sql does for three of them."""
    keys = {f"CAVES_{job}_PUBLIC_KEY": key_pair(job).public for job in ("INGEST", "DEPLOY", "BI")}
    users = {"ADMIN": "DEPLOY", "INGEST": "INGEST", "ANALYST": "BI"}
    with pipeline.target.open() as session:
        cursor = session.cursor()
        run_files(cursor.execute, "account/020_service_users", **keys)
        for job in ("TRANSFORM", "OPERATOR"):
            key = key_pair(job).public
            cursor.execute(
                f"CREATE USER CAVES_{job}_SERVICE TYPE = SERVICE DEFAULT_ROLE = CAVES_{job}"
                f" RSA_PUBLIC_KEY = '{key}'"
            )
            cursor.execute(f"GRANT ROLE CAVES_{job} TO USER CAVES_{job}_SERVICE")
    services = folder / "services.toml"
    for job in JOBS:
        user = users.get(job, job)
        private = key_pair(user).write(folder / f"{user.lower()}.p8")
        write_connection(
            services,
            job.lower(),
            pipeline.folder.config_file,
            user=f"CAVES_{user}_SERVICE",
            authenticator="SNOWFLAKE_JWT",
            private_key_file=str(private),
            database=names.DEFAULT_DATABASE,
            warehouse=names.DEFAULT_WAREHOUSE,
        )
    return Stage(pipeline, services)


def work(stage: Stage) -> None:
    """A day of the pipeline: load, run the graph, look, work the dead letters, read. Each by its role."""
    pipeline = stage.pipeline
    pipeline.produce(600, bad_share=0.05, duplicate_share=0.05, correction_share=0.05)
    load(stage)
    with stage.session("OPERATOR") as run:
        run(f"EXECUTE TASK {names.ROOT_TASK}")
    pipeline.drain()
    load(stage)
    operate(stage)
    with stage.session("ADMIN") as run:
        ((customer,),) = run(f"SELECT MIN(CUSTOMER_ID) FROM {names.ORDERS}")
        run(f"CALL OPS.ERASE_CUSTOMER({customer}, FALSE)")
    grow_old(stage)
    with stage.session("OPERATOR") as run:
        run("""CALL OPS.PURGE_EXPIRED('{"raw": 30, "staging": 90, "orders": 400, "logs": 30, "files": 1}')""")
    for page in ("sales", "stock", "customers"):
        show(stage, "ANALYST", page)
    show(stage, "OPERATOR", "pipeline")


def load(stage: Stage) -> None:
    """The real ingestor, and then copies of what was rejected to a topic of its own."""
    state = stage.pipeline.state
    assert state.bootstrap is not None
    ingest(
        IngestSettings(
            bootstrap=state.bootstrap,
            connection="ingest",
            config_file=stage.services,
            topic=state.topic,
            assign=True,
            until_caught_up=True,
        )
    )
    with dead_letters("ingest", stage.services, state.bootstrap, DEAD_LETTERS) as letters:
        create_topic(state.bootstrap, DEAD_LETTERS, partitions=1)
        letters.publish_new()


def operate(stage: Stage) -> None:
    """What `caves status`, `verify` and `rejected` ask, every alert, and every procedure by hand."""
    connection = connect("operator", stage.services)
    with connection:
        overview.look(connection)
        verification.verify(connection)
    with stage.session("OPERATOR") as run:
        for alert in names.ALERTS:
            run(f"ALTER ALERT {alert} SUSPEND")
            run(f"EXECUTE ALERT {alert}")
            run(f"ALTER ALERT {alert} RESUME")
        run(f"ALTER TASK {names.ROOT_TASK} SUSPEND")
        for task in names.CHILD_TASKS:
            run(f"ALTER TASK {task} SUSPEND")
            run(f"ALTER TASK {task} RESUME")
        run(f"ALTER TASK {names.ROOT_TASK} RESUME")
        run(f"SELECT * FROM {names.PIPELINE_FRESHNESS}")
        run(f"SELECT * FROM {names.DATA_QUALITY}")
        run("UPDATE OPS.ALERT_SETTINGS SET THRESHOLD = THRESHOLD WHERE SETTING = 'LOW_STOCK_BOTTLES'")
        ((topic, partition, offset), *_) = run(
            "SELECT SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET FROM STAGING.REJECTED_EVENTS"
        )
        run("CALL OPS.REPLAY_REJECTED()")
        run(f"CALL OPS.DISMISS_REJECTED('{topic}/{partition}/{offset}', 'of no value')")
        run("CALL OPS.PIPELINE_HEALTH()")
        run("CALL OPS.PURGE_EXPIRED()")


def grow_old(stage: Stage) -> None:
    """Let everything look years old, so that a purge has something to do in every layer."""
    times = {
        names.RAW_EVENTS: ("INGESTION_TIME",),
        names.STG_ORDERS: ("STAGED_AT",),
        names.STG_INVENTORY_ADJUSTMENTS: ("STAGED_AT",),
        names.DUPLICATE_EVENTS: ("DETECTED_AT",),
        names.REJECTED_EVENTS: ("DISMISSED_AT",),
        names.REPLAY_LOG: ("ACTED_AT",),
        names.ORDERS: ("ORDER_TIMESTAMP",),
        names.ALERT_LOG: ("CLEARED_AT",),
        names.DEPLOYMENTS: ("DEPLOYED_AT",),
    }
    with stage.administrator() as connection:
        cursor = connection.cursor()
        cursor.execute(f"INSERT INTO {names.DEPLOYMENTS} SELECT 'later', SYSDATE(), 'CAVES'")
        cursor.execute(f"UPDATE {names.ALERT_LOG} SET CLEARED_AT = SYSDATE()")
        for table, columns in times.items():
            for column in columns:
                where = " WHERE CODE <> 'later'" if table == names.DEPLOYMENTS else ""
                cursor.execute(f"UPDATE {table} SET {column} = DATEADD('year', -3, {column}){where}")
        file = stage.services.with_name("too_large.parquet")
        file.write_bytes(b"x")
        cursor.execute(f"PUT file://{file} @{names.INGEST_STAGE}/refused AUTO_COMPRESS = FALSE")
    for path in stage.pipeline.folder.path.rglob("too_large.parquet"):
        os.utime(path, (0, 0))


def show(stage: Stage, job: str, page: str) -> AppTest:
    """A page of the dashboard as somebody of this role sees it."""
    st.cache_data.clear()
    st.cache_resource.clear()
    session = Session.builder.configs({"connection": connect(job.lower(), stage.services)}).create()
    try:
        session.sql("USE SECONDARY ROLES NONE").collect()
        dashboard.session.open_with(lambda: session)
        app = AppTest.from_file(str(APP), default_timeout=60)
        app.query_params["page"] = page
        return app.run()
    finally:
        dashboard.session._openers.clear()
        session.close()


def sent_by_role(connection: SnowflakeConnection) -> dict[str, list[str]]:
    """From the query history: one statement of each form that ran under each role, procedures' included."""
    cursor = connection.cursor()
    cursor.execute(
        "SELECT ROLE_NAME, QUERY_TEXT FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10000))"
        " WHERE QUERY_TYPE <> 'DESCRIBE_QUERY' AND ERROR_CODE IS NULL"
    )
    found: dict[str, dict[str, str]] = {}
    for role, text in cursor.fetchall():
        form = re.sub(r"SNOWPARK_[A-Z0-9_]+|'[^']*'|\d+", "?", text)
        found.setdefault(str(role), {})[form] = str(text)
    return {role: list(forms.values()) for role, forms in found.items()}
