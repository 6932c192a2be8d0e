"""The same work by dbt-duckdb: incremental models over the tables, and with the SQL, of bench/by_hand.

dbt runs in a warm process (`dbtRunner`, its project parsed, one run behind it), as ours does. What a run of
dbt does in one transaction is one model: a failure half-way leaves some done and some not.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bench import by_hand, peers
from bench.by_hand import ByHand, copy_of
from bench.outcome import require
from ingest.batch import Batch
from ingest.truth import Truth

DBT: Final = "dbt-duckdb"
_PROJECT: Final = peers.FOLDER / "dbt"
_MADE: Final = "CREATE OR REPLACE TEMP TABLE classified AS"


class ByDbt:
    """A project of dbt in a folder, and the environment that runs it."""

    def __init__(self, folder: Path) -> None:
        self._python = peers.python_of("dbt")
        self._project = folder / "dbt"
        shutil.copytree(_PROJECT, self._project)
        text = (Path(by_hand.__file__).parent / "classified.sql").read_text(encoding="utf-8")
        header, _, query = text.partition(_MADE)
        model = f"{header}{{{{ config(materialized='table') }}}}{query.rstrip().removesuffix(';')}\n"
        (self._project / "models" / "classified.sql").write_text(model, encoding="utf-8")

    def tick(self, prepared: Path, coming: Iterable[Batch], truth: Truth) -> float:
        """The seconds of a run over events that come to a copy of a prepared state; it is checked."""
        file = self._project.with_name("dbt.duckdb")
        turn = copy_of(prepared, file)
        turn.hold_back(coming)
        turn.close()
        answer = peers.run(self._python, "transform_dbt.py", self._project, file)
        turn = ByHand(file)
        try:
            require(DBT, turn.outcome(), truth)
        finally:
            turn.close()
            file.unlink()
        return float(answer["seconds"])
