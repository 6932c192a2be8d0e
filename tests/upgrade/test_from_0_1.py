"""Version 0.1, with events in every stream and more coming, becomes today's version and loses nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from caves_cli import connection, deploy, deployment_plan, local, overview, report, snow, sql_files
from caves_cli.connection import Target
from caves_cli.errors import DeployFailed
from caves_cli.report import Report
from caves_cli.state import State, StateFolder
from caves_snowpark import names
from ingest.ingestor import run as ingest
from ingest.producer import produce
from ingest.settings import IngestSettings, ProducerSettings
from tests.pipeline.conftest import ROOT, wait_until
from tests.upgrade import old_version

EVENTS = 3_000
HAND_OVER = Path("deploy/account/012_hand_over.sql")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[State, Target]]:
    folder = StateFolder(tmp_path_factory.mktemp("upgrade"))
    started = local.start(folder, minute_seconds=2, port=0)
    try:
        yield started, connection.target("local", folder.config_file)
    finally:
        local.stop(folder)


def broken_copy(folder: Path) -> Path:
    """Today's project with a statement in the middle that no warehouse takes."""
    for name in ("snowflake.yml", "requirements.txt", "requirements.snowflake.txt"):
        shutil.copy(ROOT / name, folder)
    for name in ("deploy", "procedures", "src/caves_snowpark"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "deploy" / "080_analytics.sql").open("a") as file:
        file.write("\nSELECT NOTHING FROM ANALYTICS.MISSING;\n")
    return folder


@pytest.mark.timeout(600)
def test_an_upgrade_in_full_flow_and_a_failed_one_before_it_lose_and_double_nothing(
    running: tuple[State, Target], tmp_path: Path
) -> None:
    state, target = running
    assert state.bootstrap is not None
    old_version.deploy(target)
    # Only what is JSON: how version 0.1 kept the rest is not what is tried here.
    settings = ProducerSettings(state.bootstrap, state.topic, EVENTS, partitions=2, bad_share=0)
    sent = produce(settings).truth
    with target.open() as loading, target.open() as session:
        old = old_version.Ingestor(loading, state.bootstrap, state.topic, partitions=2)
        with old.running():
            # Rows wait behind the tasks while version 0.1 still runs.
            wait_until(lambda: old.rows >= EVENTS // 4 or old.failure is not None)
            columns = deployment_plan.rows(session, f"DESCRIBE TABLE {names.KAFKA_OFFSETS}")
            assert "TOPIC_ID" not in {row["name"] for row in columns}
            deploy.bootstrap(target, ROOT, lambda _: None)
            handed = snow.run(
                ("--config-file", str(target.config_file), "sql", "-c", "local", "-f", str(HAND_OVER)),
                folder=ROOT,
                environment=deploy.values(ROOT, target),
            )
            assert handed.code == 0, handed.reason
            with pytest.raises(DeployFailed, match=r"080_analytics\.sql"):
                deploy.deploy(target, broken_copy(tmp_path), lambda _: None)
            assert {task.state for task in overview.task_states(session)} == {"suspended"}
            loaded = old.rows
            # The same command again goes on from there.
            deploy.deploy(target, ROOT, lambda _: None)
            wait_until(lambda: old.rows > loaded or old.rows == EVENTS or old.failure is not None)
        assert old.failure is None
        assert 0 < loaded <= old.rows
    # Today's ingestor takes over where the old one stood.
    ingest(
        IngestSettings(
            bootstrap=state.bootstrap,
            connection="local",
            config_file=target.config_file,
            topic=state.topic,
            assign=True,
            until_caught_up=True,
        )
    )
    with target.open() as session:
        wait_until(lambda: not any(overview.rows_waiting(session).values()))
        outcome = Report(sent, report.read(session), {})
        assert outcome.mismatches == []
        assert outcome.holds
        assert {task.state for task in overview.task_states(session)} == {"started"}
        owners = {
            kind: {
                row["owner"]
                for row in deployment_plan.rows(session, f"SHOW {kind} IN DATABASE {target.database}")
            }
            for kind in ("TABLES", "STREAMS", "TASKS", "ALERTS")
        }
        admin, transform = {target.role("ADMIN")}, {target.role("TRANSFORM")}
        assert owners["TABLES"] == owners["STREAMS"] == admin
        assert owners["TASKS"] == owners["ALERTS"] == transform


def test_what_was_deployed_last_is_what_the_plan_calls_unchanged(running: tuple[State, Target]) -> None:
    _, target = running
    values = deploy.values(ROOT, target)
    statements = list(sql_files.statements(ROOT, deploy.sql_files_of(ROOT), values))
    with target.open() as session:
        changes = list(deployment_plan.plan(session, target.database, statements))
        assert {change.action for change in changes if change.thing.startswith(("table", "stream"))} == {
            "keep"
        }
        assert deployment_plan.lost_columns(session, target.database, statements) == {}
