"""Events in flight: while they flow, when the pipeline is deployed again, and after a step failed."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from snowflake.connector import SnowflakeConnection

from caves_cli import local, overview, state, verification
from caves_cli.errors import DeployFailed
from caves_snowpark import names
from tests.pipeline.conftest import ROOT, Pipeline, wait_until

ORDERS_TASK = names.TASK_ORDERS


@pytest.fixture
def still(still_pipeline: Pipeline) -> Iterator[SnowflakeConnection]:
    with still_pipeline.target.open() as opened:
        yield opened


def run(session: SnowflakeConnection, *statements: str) -> None:
    with session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def assert_all_hold(session: SnowflakeConnection) -> None:
    assert [v.offenders[:3] for v in verification.verify(session) if not v.holds] == []


def test_a_redeploy_keeps_what_waits_in_every_stream(
    still_pipeline: Pipeline, still: SnowflakeConnection
) -> None:
    """PITFALL 13. Rows wait before and after the first step, and the tasks were running."""
    still_pipeline.produce(600, seed=1)
    still_pipeline.ingest()
    run(still, f"CALL {names.DISTRIBUTE_RAW_EVENTS}()")
    still_pipeline.produce(400, seed=2)
    still_pipeline.ingest()
    before = overview.rows_waiting(still)
    assert all(before.values())
    still_pipeline.deploy()
    assert overview.rows_waiting(still) == before
    # What waits is not yet processed, and no fault.
    assert {task.state for task in overview.task_states(still)} == {"started"}
    assert_all_hold(still)
    for procedure in names.TASK_PROCEDURES.values():
        run(still, f"CALL {procedure}()")
    assert not any(overview.rows_waiting(still).values())
    assert_all_hold(still)


def test_a_failed_deployment_names_file_and_statement_and_stops_there(
    still_pipeline: Pipeline, tmp_path: Path
) -> None:
    """PITFALL 36."""
    for name in ("snowflake.yml", "requirements.txt", "requirements.snowflake.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    with (tmp_path / "deploy" / "030_staging.sql").open("a") as file:
        file.write(
            "\nCREATE TABLE IF NOT EXISTS STAGING.GOOD (A VARCHAR);\nSELECT NOTHING\nFROM STAGING.MISSING;\n"
        )
    with pytest.raises(DeployFailed) as failure:
        still_pipeline.deploy(tmp_path)
    assert failure.value.file == Path("deploy/030_staging.sql")
    assert failure.value.statement == "SELECT NOTHING FROM STAGING.MISSING"
    assert len(str(failure.value).splitlines()) == 2
    assert "MISSING" in str(failure.value).splitlines()[1]


def test_a_redeploy_of_changed_code_takes_effect(still_pipeline: Pipeline, tmp_path: Path) -> None:
    """The definition is the same, so the CLI uploads the new code and leaves the procedure as it is."""
    for name in ("snowflake.yml", "requirements.txt", "requirements.snowflake.txt"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("deploy", "procedures", "src/caves_snowpark"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    health = tmp_path / "procedures" / "pipeline_health.py"
    health.write_text(
        f"{health.read_text()}\n\ndef main(session: Session) -> object:\n    return {{'new': True}}\n"
    )
    with still_pipeline.target.open() as session, session.cursor() as cursor:
        cursor.execute(f"CALL {names.PIPELINE_HEALTH}()")
        assert "new" not in str(cursor.fetchall())
        still_pipeline.deploy(tmp_path)
        cursor.execute(f"CALL {names.PIPELINE_HEALTH}()")
        assert "new" in str(cursor.fetchall())


def test_a_killed_warehouse_starts_again_with_everything_that_was_committed(
    still_pipeline: Pipeline, still: SnowflakeConnection
) -> None:
    """The broker's log is gone with it, so the events go on in a topic of their own."""
    still_pipeline.produce(300, seed=3)
    still_pipeline.ingest()
    before = overview.rows_by_layer(still), overview.rows_waiting(still)
    warehouse = state.load(still_pipeline.folder).process("warehouse")
    assert warehouse is not None
    os.kill(warehouse.pid, signal.SIGKILL)
    wait_until(lambda: not warehouse.running)
    assert local.crashed(state.load(still_pipeline.folder))
    again = local.start(still_pipeline.folder, minute_seconds=3600, port=0)
    assert again.topic != still_pipeline.state.topic
    with still_pipeline.target.open() as session:
        assert (overview.rows_by_layer(session), overview.rows_waiting(session)) == before
        reborn = Pipeline(still_pipeline.folder, again, still_pipeline.target)
        reborn.produce(200, seed=4)
        assert reborn.ingest() == 200
        for procedure in names.TASK_PROCEDURES.values():
            run(session, f"CALL {procedure}()")
        assert_all_hold(session)


def test_the_invariants_hold_at_every_moment_of_a_flow(
    pipeline: Pipeline, session: SnowflakeConnection
) -> None:
    pipeline.produce(3_000, seed=6, bad_share=0.05, duplicate_share=0.1, correction_share=0.1)
    pipeline.ingest()
    while any(overview.rows_waiting(session).values()):
        assert_all_hold(session)
    assert_all_hold(session)


def test_a_backlog_drains_without_new_raw_events(pipeline: Pipeline, session: SnowflakeConnection) -> None:
    """PITFALL 14. One step stood still while the others went on; then nothing new comes."""
    run(session, f"ALTER TASK {names.ROOT_TASK} SUSPEND", f"ALTER TASK {ORDERS_TASK} SUSPEND")
    run(session, f"ALTER TASK {names.ROOT_TASK} RESUME")
    pipeline.produce(300, seed=5)
    pipeline.ingest()

    def only_orders_wait() -> bool:
        waiting = overview.rows_waiting(session)
        return [name for name, rows in waiting.items() if rows] == ["STREAM_STG_ORDERS"]

    wait_until(only_orders_wait)
    run(session, f"ALTER TASK {names.ROOT_TASK} SUSPEND", f"ALTER TASK {ORDERS_TASK} RESUME")
    run(session, f"ALTER TASK {names.ROOT_TASK} RESUME")
    pipeline.drain()
    assert_all_hold(session)
