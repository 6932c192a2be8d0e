"""The worker processes: what they may import, how they die, when they are replaced (SEMANTICS 28)."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import ProgrammingError

from snowcellar.local_server import LocalServer
from tests.warehouse.conftest import Sql

_NUMBERS = itertools.count()
_CLAUSES = "LANGUAGE PYTHON RUNTIME_VERSION = '3.11'"
_SNOWPARK = "snowflake-snowpark-python"
_DEADLINE_SECONDS = 30.0


@pytest.fixture
def connection(shared_server: Any) -> Iterator[Any]:
    """A connection to a database with a table T and a stage CODE, on the server that the module shares."""
    opened = shared_server.connect()
    for statement in (
        f"CREATE DATABASE WORKERS{next(_NUMBERS)}",
        "CREATE TABLE T (A INT)",
        "CREATE STAGE CODE",
    ):
        opened.cursor().execute(statement)
    yield opened
    opened.close()


def inline(body: str, packages: str = _SNOWPARK, returns: str = "VARCHAR") -> str:
    """CREATE PROCEDURE P() with an inline handler."""
    quoted = ", ".join(f"'{package}'" for package in packages.split())
    clauses = f"{_CLAUSES} PACKAGES = ({quoted}) HANDLER = 'main'"
    return f"CREATE OR REPLACE PROCEDURE P() RETURNS {returns} {clauses} AS $$\n{body}\n$$"


def staged(name: str, handler: str, *archives: str) -> str:
    """CREATE PROCEDURE with a handler in staged archives."""
    imports = ", ".join(f"'@CODE/{archive}'" for archive in archives)
    return (
        f"CREATE OR REPLACE PROCEDURE {name}() RETURNS VARCHAR {_CLAUSES} PACKAGES = ('{_SNOWPARK}') "
        f"IMPORTS = ({imports}) HANDLER = '{handler}'"
    )


@pytest.fixture
def upload(tmp_path: Path, sql: Sql) -> Callable[[str, dict[str, str]], None]:
    """Put a zip with the given files on the stage CODE, over the one of that name."""

    def put(name: str, files: dict[str, str]) -> None:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as archive:
            for file, text in files.items():
                archive.writestr(file, text)
        sql(f"PUT file://{path} @CODE/ AUTO_COMPRESS = FALSE OVERWRITE = TRUE")

    return put


def eventually(probe: Callable[[], Any]) -> Any:
    """The first true answer of a probe."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not (answer := probe()):
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.02)
    return answer


def in_background(connection: Any, statement: str) -> tuple[threading.Thread, list[Exception]]:
    """Run a statement in a thread; the list holds how it failed."""
    failures: list[Exception] = []

    def run() -> None:
        try:
            connection.cursor().execute(statement)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, failures


HANGING = """
import os, time
def main(session):
    session.sql("INSERT INTO T VALUES (1)").collect()
    session.sql("BEGIN").collect()
    session.sql("INSERT INTO T VALUES (2)").collect()
    with open("pid", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)
"""


def hanging_worker(server: Any) -> int:
    """The process id of the worker that sleeps in HANGING, once it does."""
    file = server.warehouse.folder / "procedures" / "scratch" / "pid"
    pid = int(eventually(lambda: file.exists() and file.read_text()))
    file.unlink()
    return pid


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet counts."""
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()[:1] in ("", "Z")


def test_a_killed_worker_fails_its_call_and_rolls_back_what_was_open(
    shared_server: Any, connection: Any, sql: Sql
) -> None:
    sql(inline(HANGING))
    thread, failures = in_background(connection, "CALL P()")
    os.kill(hanging_worker(shared_server), signal.SIGKILL)
    thread.join(_DEADLINE_SECONDS)
    assert "WORKERS" in str(failures[0])
    assert "was killed by signal 9 before it answered" in str(failures[0])
    assert sql("SELECT A FROM T") == [(1,)]
    sql(inline("def main(session): return 'alive'"))
    assert sql("CALL P()") == [("alive",)]


def test_a_worker_killed_while_its_statement_runs_leaves_a_usable_session(
    shared_server: Any, connection: Any, sql: Sql
) -> None:
    sql("CREATE TABLE MANY AS SELECT 1 AS A")
    for _ in range(14):
        sql("INSERT INTO MANY SELECT A FROM MANY")
    slow = "session.sql('SELECT COUNT(*) FROM MANY a, MANY b, MANY c WHERE a.A + b.A + c.A = 0').collect()"
    body = HANGING.replace("time.sleep(600)", slow)
    sql(inline(body))
    thread, failures = in_background(connection, "CALL P()")
    os.kill(hanging_worker(shared_server), signal.SIGKILL)
    thread.join(_DEADLINE_SECONDS)
    assert failures
    assert sql("SELECT A FROM T") == [(1,)]


def test_idle_workers_killed_a_moment_before_a_call_do_not_fail_it(shared_server: Any, sql: Sql) -> None:
    sql(inline("def main(session): return session.sql('SELECT 1 AS A').collect()[0][0]"))
    for _ in range(8):
        assert sql("CALL P()") == [("1",)]
        for pid in shared_server.warehouse.workers.pids():
            os.kill(pid, signal.SIGKILL)
    assert sql("CALL P()") == [("1",)]


@pytest.mark.parametrize("ending", ["os._exit(3)", "sys.exit(3)"])
def test_a_handler_that_ends_its_process_fails_its_call(sql: Sql, ending: str) -> None:
    sql(inline(f"import os, sys\ndef main(session): {ending}"))
    with pytest.raises(ProgrammingError, match=r"ended with exit code 3|SystemExit: 3"):
        sql("CALL P()")
    sql(inline("def main(session): return 'alive'"))
    assert sql("CALL P()") == [("alive",)]


def test_a_handler_that_leaks_fails_its_call(
    monkeypatch: pytest.MonkeyPatch, shared_server: Any, sql: Sql
) -> None:
    monkeypatch.setattr(shared_server.warehouse.workers, "memory_bytes", 800 * 1024**2)
    leaking = "def main(session):\n    held = []\n    while True: held.append(bytearray(10_000_000))"
    for pid in shared_server.warehouse.workers.pids():
        os.kill(pid, signal.SIGKILL)  # those have the limit of when they started
    sql(inline(leaking))
    with pytest.raises(ProgrammingError, match=r"memory exhausted: P took more than 800 MB") as raised:
        sql("CALL P()")
    assert raised.value.errno == 100357
    sql(inline("def main(session): return 'alive'"))
    assert sql("CALL P()") == [("alive",)]


def test_an_aborted_call_ends_its_worker(shared_server: Any, connection: Any, sql: Sql) -> None:
    sql(inline(HANGING))
    with pytest.raises(ProgrammingError):
        connection.cursor().execute("CALL P()", timeout=2)
    pid = hanging_worker(shared_server)
    eventually(lambda: gone(pid))
    assert sql("SELECT A FROM T") == [(1,)]


def test_a_call_beyond_the_statement_timeout_ends_its_worker(shared_server: Any, sql: Sql) -> None:
    sql(inline(HANGING))
    sql("ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 2")
    with pytest.raises(ProgrammingError, match=r"timeout of 2 second\(s\) and was canceled") as raised:
        sql("CALL P()")
    assert raised.value.errno == 630
    pid = hanging_worker(shared_server)
    assert pid not in shared_server.warehouse.workers.pids()


def test_a_closed_connection_ends_the_worker_of_its_call(
    shared_server: Any, connection: Any, sql: Sql
) -> None:
    sql(inline(HANGING))
    (database,) = sql("SELECT CURRENT_DATABASE()")[0]
    other = shared_server.connect(database=database, schema="PUBLIC")
    thread, failures = in_background(other, "CALL P()")
    pid = hanging_worker(shared_server)
    other.close()
    eventually(lambda: gone(pid))
    thread.join(_DEADLINE_SECONDS)
    assert failures


def test_what_a_handler_prints_disturbs_nothing(shared_server: Any, sql: Sql) -> None:
    sql(
        inline(
            "import os\ndef main(session):\n    print('fizz')\n    os.system('echo buzz')\n    return 'quiet'"
        )
    )
    assert sql("CALL P()") == [("quiet",)]
    log = (shared_server.warehouse.folder / "procedures" / "workers.log").read_text()
    assert "fizz" in log
    assert "buzz" in log


def test_a_handler_sees_nothing_of_the_servers_environment(
    monkeypatch: pytest.MonkeyPatch, sql: Sql, shared_server: Any
) -> None:
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "in vino")
    # A worker that started before has an older environment: this one has packages that none has had.
    sql(inline("import os\ndef main(session): return str(dict(os.environ))", f"{_SNOWPARK} pygments"))
    environment = sql("CALL P()")[0][0]
    assert "vino" not in environment
    assert shared_server.warehouse.password not in environment


@pytest.mark.parametrize(
    "module", ["caves_snowpark", "snowcellar", "ingest", "duckdb", "snowflake.cli", "pandas"]
)
def test_a_module_outside_imports_and_packages_is_not_found(sql: Sql, module: str) -> None:
    sql(inline(f"def main(session):\n    import {module}"))
    with pytest.raises(ProgrammingError, match=f"ModuleNotFoundError: No module named '{module}'"):
        sql("CALL P()")


@pytest.mark.parametrize(
    "module", ["json", "yaml", "cloudpickle", "google.protobuf", "snowflake.connector.cursor"]
)
def test_the_standard_library_and_what_snowpark_needs_are_found(sql: Sql, module: str) -> None:
    sql(inline(f"def main(session):\n    import {module}\n    return 'found'"))
    assert sql("CALL P()") == [("found",)]


def test_a_declared_package_is_found(sql: Sql) -> None:
    body = "import pandas\ndef main(session): return str(session.sql('SELECT 1 AS A').to_pandas()['A'].sum())"
    sql(inline(body, f"{_SNOWPARK} pandas pyarrow"))
    assert sql("CALL P()") == [("1",)]


@pytest.mark.fact(28)
def test_a_handler_in_staged_archives_finds_their_modules(sql: Sql, upload: Any) -> None:
    upload("lib.zip", {"wines/__init__.py": "", "wines/red.py": "NAME = 'Gamay'", "data.txt": "x"})
    upload("app.zip", {"handlers.py": "from wines import red\ndef pour(session): return red.NAME"})
    sql(staged("P", "handlers.pour", "app.zip", "lib.zip"))
    assert sql("CALL P()") == [("Gamay",)]


def test_a_file_missing_from_the_archives_is_not_found(sql: Sql, upload: Any) -> None:
    upload("app.zip", {"handlers.py": "from wines import red\ndef pour(session): return red.NAME"})
    sql(staged("P", "handlers.pour", "app.zip"))
    with pytest.raises(ProgrammingError) as raised:
        sql("CALL P()")
    assert 'File "app.zip/handlers.py", line 1, in <module>' in str(raised.value)
    assert "ModuleNotFoundError: No module named 'wines'" in str(raised.value)
    assert str(raised.value).endswith(" in function P with handler handlers.pour")


def test_create_with_an_archive_that_is_not_staged_fails(sql: Sql) -> None:
    with pytest.raises(ProgrammingError, match=r"Remote file '@CODE/app\.zip' was not found"):
        sql(staged("P", "handlers.pour", "app.zip"))


@pytest.mark.fact(28)
def test_archives_with_one_file_name_are_refused(sql: Sql, upload: Any) -> None:
    upload("app.zip", {"handlers.py": ""})
    with pytest.raises(ProgrammingError, match=r"several files named 'app\.zip'"):
        sql(staged("P", "handlers.pour", "app.zip", "app.zip"))


def test_a_redeployed_archive_is_used_at_once(sql: Sql, upload: Any) -> None:
    for version in ("one", "two"):
        upload("app.zip", {"handlers.py": f"def pour(session): return '{version}'"})
        sql(staged("P", "handlers.pour", "app.zip"))
        assert sql("CALL P()") == [(version,)]
    upload("app.zip", {"handlers.py": "def pour(session): return 'three'"})
    assert sql("CALL P()") == [("three",)]


def test_modules_of_one_procedures_archives_do_not_reach_another(sql: Sql, upload: Any) -> None:
    upload(
        "one.zip",
        {"handlers.py": "import cellar\ndef pour(session): return cellar.NAME", "cellar.py": "NAME = 1"},
    )
    upload("two.zip", {"handlers.py": "def pour(session):\n    import cellar"})
    sql(staged("P", "handlers.pour", "one.zip"))
    sql(staged("Q", "handlers.pour", "two.zip"))
    assert sql("CALL P()") == [("1",)]
    with pytest.raises(ProgrammingError, match="No module named 'cellar'"):
        sql("CALL Q()")
    assert sql("CALL P()") == [("1",)]


def test_at_most_four_workers_stay(shared_server: Any, sql: Sql, upload: Any) -> None:
    for number in range(6):
        upload("app.zip", {"handlers.py": f"def pour(session): return '{number}'"})
        sql(staged("P", "handlers.pour", "app.zip"))
        assert sql("CALL P()") == [(str(number),)]
    assert len(shared_server.warehouse.workers.pids()) <= 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_server(tmp_path: Path, number: signal.Signals) -> None:
    server = LocalServer(tmp_path)
    connection = server.connect()
    for statement in ("CREATE DATABASE D", "CREATE TABLE T (A INT)", inline(HANGING)):
        connection.cursor().execute(statement)
    connection.close()
    calling = (
        "import sys, json, snowflake.connector\n"
        "snowflake.connector.connect(**json.loads(sys.argv[1])).cursor().execute('CALL P()')"
    )
    settings = {**server.parameters, "database": "D", "schema": "PUBLIC"}
    # A process of its own, because a client goes on trying for minutes when its server is gone.
    client = subprocess.Popen(
        [sys.executable, "-c", calling, json.dumps(settings)], stderr=subprocess.DEVNULL
    )
    file = tmp_path / "cellar.duckdb.d" / "procedures" / "scratch" / "pid"
    pid = int(eventually(lambda: file.exists() and file.read_text()))
    server.end(number)
    client.kill()
    client.wait()
    eventually(lambda: gone(pid))
