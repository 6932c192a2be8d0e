"""A tick by dbt-duckdb in a warm process: dbt has parsed its project and has run it once, on nothing new.

transform_dbt.py PROJECT DATABASE. The new events wait in the table `waiting`.
"""

import json
import os
import sys
import time

import duckdb
from dbt.cli.main import dbtRunner


def main(project: str, database: str) -> None:
    os.environ["BENCH_DATABASE"] = database
    runner = dbtRunner()
    command = ["--quiet", "run", "--project-dir", project, "--profiles-dir", project]

    def run() -> None:
        done = runner.invoke(command)
        if not done.success:
            raise SystemExit(f"dbt failed: {done.exception or done.result}")

    run()
    duck = duckdb.connect(database)
    duck.execute("INSERT INTO raw_events BY NAME SELECT * FROM waiting")
    duck.close()
    begun = time.perf_counter()
    run()
    print(json.dumps({"seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
