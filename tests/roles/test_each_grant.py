"""No grant is missing and none too many: a day of work runs under them, and none can be taken away."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from snowflake.connector.errors import ProgrammingError

from caves_snowpark import names
from tests.roles.granted import Grant, grants
from tests.roles.stage import JOBS, Stage, sent_by_role

ALL: Final = list(grants())
FUTURE: Final = [grant for grant in ALL if "ON FUTURE" in grant.on]
ROLES: Final = [grant for grant in ALL if not grant.on]
ACCOUNT: Final = [grant for grant in ALL if grant.on == "ON ACCOUNT"]
# CAVES_ADMIN creates what is in the database; without owning it, nothing of it could be there.
OWNED: Final = [grant for grant in ALL if grant.privilege == "OWNERSHIP" and grant not in FUTURE]
OBJECTS: Final = [grant for grant in ALL if grant not in (*FUTURE, *ROLES, *ACCOUNT, *OWNED)]
_DENIED: Final = re.compile(
    r"not authorized|insufficient privileges|access control|Unknown (?:user-defined )?function"
    r"|No active warehouse|does not have a current database",
    re.IGNORECASE,
)
# What sets up a session or ends a transaction says nothing of a grant; the file of a PUT is gone.
_IDLE: Final = re.compile(
    r"(BEGIN|COMMIT|ROLLBACK|USE|ALTER SESSION|PUT|SHOW|CALL SYSTEM\$|select system\$)\b", re.IGNORECASE
)
_VERBS: Final = {"INSERT": ("INSERT", "MERGE"), "UPDATE": ("UPDATE", "MERGE"), "DELETE": ("DELETE",)}
# What the day did not come to: a gap in Kafka's log (ingest/offsets.py), an event that is corrected, and an
# alert's MERGE, since the result of its condition is for its own session alone (deploy/086_alert_*.sql).
_GAP: Final = (
    f"INSERT INTO {names.KAFKA_OFFSET_GAPS}"
    " (TOPIC, LOG_GENERATION, PARTITION, FROM_OFFSET, REASON, DETECTED_AT)"
    " SELECT 'T', 0, 0, 0, 'NOT_IN_LOG', SYSDATE()"
)
_CORRECTION: Final = "CALL OPS.CORRECT_REJECTED('sales_events/0/0', '{}', 'a note')"
_FOUND: Final = (
    "MERGE INTO OPS.ALERT_LOG AS KEPT USING (SELECT 'A' AS ALERT_NAME) AS CHANGED"
    " ON KEPT.ALERT_NAME = CHANGED.ALERT_NAME WHEN MATCHED THEN UPDATE SET DETAILS = NULL"
    " WHEN NOT MATCHED THEN INSERT (ALERT_NAME, SUBJECT, SEVERITY, FIRED_AT)"
    " VALUES (CHANGED.ALERT_NAME, 'S', 'WARNING', SYSDATE())"
)
EXTRA: Final = {"INGEST": [_GAP], "TRANSFORM": [_FOUND], "ANALYST": [], "OPERATOR": [_CORRECTION]}


@pytest.fixture(scope="module")
def sent(stage: Stage) -> dict[str, list[str]]:
    """By job: the statements of the day that mean something by themselves, and the few of other days."""
    with stage.administrator() as connection:
        by_role = sent_by_role(connection)
    return {
        job: [text for text in by_role[f"CAVES_{job}"] if not _IDLE.match(text)] + extra
        for job, extra in EXTRA.items()
    }


def denied(run: Callable[[str], object], statement: str) -> bool:
    """Whether the role may not do it. What fails otherwise was let through, and whatever it did is undone."""
    run("BEGIN")
    try:
        run(statement)
    except ProgrammingError as error:
        return bool(_DENIED.search(str(error.msg)))
    finally:
        run("ROLLBACK")
    return False


def likely(statements: list[str], grant: Grant) -> list[str]:
    """Those that name the object, the right verb first, and short ones before long ones."""
    name = grant.name
    if re.match(r"ON (DATABASE|WAREHOUSE)", grant.on):
        found = [text for text in statements if text.startswith(("SELECT", "INSERT"))]
    elif grant.on.startswith("ON SCHEMA"):
        found = [text for text in statements if f"{name}." in text]
    elif grant.on.startswith("ON FILE FORMAT"):
        found = [text for text in statements if "@" in text]
    else:
        found = [text for text in statements if name in text]
    verbs = _VERBS.get(grant.privilege, ("",))
    return sorted(found, key=lambda text: (not text.lstrip(" (").startswith(verbs), len(text)))


@pytest.mark.parametrize("job", EXTRA)
def test_a_day_of_work_is_allowed_to_its_role(stage: Stage, sent: dict[str, list[str]], job: str) -> None:
    assert len(sent[job]) > 5
    with stage.session(job) as run:
        assert [text[:200] for text in sent[job] if denied(run, text)] == []


@pytest.mark.parametrize("grant", OBJECTS, ids=str)
def test_without_a_grant_on_an_object_something_of_the_day_is_refused(
    stage: Stage, sent: dict[str, list[str]], grant: Grant
) -> None:
    candidates = likely(sent[grant.job], grant)
    assert candidates, "nothing of the day speaks of it"
    with stage.administrator() as connection:
        cursor = connection.cursor()
        cursor.execute(f"USE ROLE {'ACCOUNTADMIN' if grant.of_account else 'CAVES_ADMIN'}")
        cursor.execute(grant.taking)
        try:
            with stage.session(grant.job) as run:
                assert any(denied(run, text) for text in candidates)
        finally:
            cursor.execute(grant.giving)


@pytest.mark.parametrize("grant", FUTURE, ids=str)
def test_without_a_future_grant_what_is_created_next_is_not_given(
    stage: Stage, grant: Grant, tmp_path: Path
) -> None:
    """And with it, it is, from the moment that it is there."""
    with stage.administrator() as connection, stage.session(grant.job) as run:
        cursor = connection.cursor()

        def role(name: str) -> None:
            cursor.execute(f"USE ROLE {name}")

        def given() -> bool:
            role("CAVES_ADMIN")
            return created_and_given(cursor.execute, run, grant)

        assert given()
        role("ACCOUNTADMIN" if grant.of_account else "CAVES_ADMIN")
        cursor.execute(grant.taking)
        try:
            assert not given()
        finally:
            role("ACCOUNTADMIN" if grant.of_account else "CAVES_ADMIN")
            cursor.execute(grant.giving)


def created_and_given(
    create: Callable[[str], object], run: Callable[[str], list[tuple[object, ...]]], grant: Grant
) -> bool:
    kind = re.findall(r"FUTURE (\w+)S\b", grant.on)[0]
    schema = grant.name if "IN SCHEMA" in grant.on else names.OPS
    name = f"{schema}.NEXT_ONE"
    statement = {
        "TABLE": f"CREATE TABLE {name} (A INTEGER)",
        "VIEW": f"CREATE VIEW {name} AS SELECT 1 AS A",
        "STREAM": f"CREATE STREAM {name} ON TABLE {names.RAW_EVENTS}",
        "STREAMLIT": f"CREATE STREAMLIT {name} MAIN_FILE = 'app.py'",
        "TASK": f"CREATE TASK {name} SCHEDULE = '60 MINUTE' AS SELECT 1",
        "ALERT": f"CREATE ALERT {name} SCHEDULE = '60 MINUTE' IF (EXISTS (SELECT 1)) THEN SELECT 1",
        "PROCEDURE": f"CREATE PROCEDURE {name}() RETURNS VARCHAR LANGUAGE PYTHON RUNTIME_VERSION = '3.11'"
        " PACKAGES = ('snowflake-snowpark-python') HANDLER = 'main' AS 'def main(session):\n    return 1'",
    }[kind]
    create(statement)
    try:
        if grant.privilege == "SELECT":
            return not denied(run, f"SELECT * FROM {name}")
        # An owner may describe it, and USAGE on a Streamlit shows it; nobody else sees it.
        return not denied(run, f"DESCRIBE {kind} {name}{'()' if kind == 'PROCEDURE' else ''}")
    finally:
        create(f"DROP {kind} {name}{'()' if kind == 'PROCEDURE' else ''}")


@pytest.mark.parametrize("grant", ACCOUNT, ids=str)
def test_without_a_privilege_on_the_account_nothing_runs(stage: Stage, grant: Grant) -> None:
    resume = {
        "EXECUTE TASK": f"ALTER TASK {names.TASK_ORDERS} RESUME",
        "EXECUTE ALERT": f"ALTER ALERT {names.ALERT_LOW_STOCK} RESUME",
        "EXECUTE MANAGED ALERT": f"ALTER ALERT {names.ALERT_LOW_STOCK} RESUME",
    }[grant.privilege]
    with stage.administrator() as connection, stage.session("ADMIN") as run:
        cursor = connection.cursor()
        cursor.execute("USE ROLE ACCOUNTADMIN")
        run(f"ALTER TASK {names.ROOT_TASK} SUSPEND")
        run(resume.replace("RESUME", "SUSPEND"))
        cursor.execute(grant.taking)
        try:
            with pytest.raises(ProgrammingError, match=r"EXECUTE (MANAGED )?(TASK|ALERT)"):
                run(resume)
        finally:
            cursor.execute(grant.giving)
            run(resume)
            run(f"ALTER TASK {names.ROOT_TASK} RESUME")


@pytest.mark.parametrize("grant", [grant for grant in ROLES if grant.privilege.startswith("ROLE")], ids=str)
def test_without_a_grant_of_a_role_its_holder_cannot_do_its_work(stage: Stage, grant: Grant) -> None:
    given = grant.privilege.split()[-1]
    with stage.administrator() as connection:
        cursor = connection.cursor()
        holder = f"CREATE USER HOLDER DEFAULT_ROLE = {grant.role}"
        for statement in ("USE ROLE ACCOUNTADMIN", holder, f"GRANT ROLE {grant.role} TO USER HOLDER"):
            cursor.execute(statement)
        try:
            assert given in held(cursor, grant.role)
            cursor.execute(grant.taking)
            try:
                assert given not in held(cursor, grant.role)
            finally:
                cursor.execute(grant.giving)
        finally:
            cursor.execute("DROP USER HOLDER")


def test_without_the_database_role_an_alert_cannot_read_what_its_condition_found(stage: Stage) -> None:
    """A finding that is open, though nothing is found, makes the condition true."""
    (grant,) = (grant for grant in ROLES if grant.name == "SNOWFLAKE.ALERT_VIEWER")
    gone = (
        f"INSERT INTO {names.ALERT_LOG} (ALERT_NAME, SUBJECT, SEVERITY, FIRED_AT)"
        " VALUES ('LOW_STOCK', 'gone', 'WARNING', SYSDATE())"
    )
    with stage.administrator() as connection, stage.session("ADMIN") as run:
        cursor = connection.cursor()
        cursor.execute("USE ROLE ACCOUNTADMIN")
        run(gone)
        cursor.execute(grant.taking)
        try:
            assert executed(run, names.ALERT_LOW_STOCK) == "ACTION_FAILED"
        finally:
            cursor.execute(grant.giving)
        assert executed(run, names.ALERT_LOW_STOCK) == "TRIGGERED"


def executed(run: Callable[[str], list[tuple[object, ...]]], alert: str) -> str:
    """The state in which an alert ends that is executed now."""
    name = alert.rpartition(".")[2]
    ended = (
        "SELECT STATE, COMPLETED_TIME FROM TABLE(INFORMATION_SCHEMA.ALERT_HISTORY())"
        f" WHERE NAME = '{name}' AND COMPLETED_TIME IS NOT NULL ORDER BY COMPLETED_TIME DESC"
    )
    before = run(ended)
    run(f"EXECUTE ALERT {alert}")
    deadline = time.monotonic() + 60
    while run(ended)[:1] == before[:1]:
        assert time.monotonic() < deadline, "the alert never ended"
        time.sleep(0.1)
    return str(run(ended)[0][0])


def held(cursor: object, role: str) -> set[str]:
    """The roles that a role holds."""
    rows = cursor.execute(f"SHOW GRANTS TO ROLE {role}").fetchall()  # type: ignore[attr-defined]
    return {str(row[3]) for row in rows}


def test_every_grant_is_tried() -> None:
    tried = (*OBJECTS, *FUTURE, *ACCOUNT, *ROLES, *OWNED)
    assert sorted(map(str, tried)) == sorted(map(str, ALL))
    assert {grant.job for grant in OBJECTS} == set(JOBS) - {"ADMIN"}
    assert [str(grant) for grant in OWNED] == [
        f"OWNERSHIP ON DATABASE {names.DEFAULT_DATABASE} TO CAVES_ADMIN"
    ]
