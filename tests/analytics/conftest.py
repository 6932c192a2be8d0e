"""One warehouse for all of this folder: every view and question is asked twice, empty and with known rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from snowflake.snowpark import Session

from caves_snowpark import names
from tests.analytics.figures import Row, plain
from tests.analytics.known_data import EMPTY, KNOWN, Known, statements
from tests.engines.engine import Snowcellar

ROOT = Path(__file__).parents[2]
QUESTIONS = {path.stem: path for path in sorted((ROOT / "analytics").glob("*/*.sql"))}


@dataclass(frozen=True)
class Asked:
    """What every view and every question answered: its columns and rows, or the error as text."""

    known: Known
    answers: dict[str, tuple[list[str], list[Row]] | str]

    def rows(self, name: str) -> list[Row]:
        answer = self.answers[name]
        assert not isinstance(answer, str), answer
        return [plain(row) for row in answer[1]]

    def columns(self, name: str) -> list[str]:
        answer = self.answers[name]
        assert not isinstance(answer, str), answer
        return answer[0]


@dataclass(frozen=True)
class Warehouse:
    """The warehouse as it is at the end, and what it answered empty and then with known rows."""

    session: Session
    config: Path
    empty: Asked
    full: Asked

    def query(self, sql: str) -> list[Any]:
        return self.session.sql(sql).collect()


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with Snowcellar.serve(tmp_path_factory.mktemp("cellar")) as engine:
        empty = Asked(EMPTY, ask_everything(engine.session))
        for statement in statements(KNOWN):
            engine.session.sql(statement).collect()
        full = Asked(KNOWN, ask_everything(engine.session))
        yield Warehouse(engine.session, engine.config, empty, full)


def ask_everything(session: Session) -> dict[str, tuple[list[str], list[Row]] | str]:
    queries = {view: f"SELECT * FROM {view}" for view in names.VIEWS}
    queries |= {name: path.read_text(encoding="utf-8").rstrip(";\n") for name, path in QUESTIONS.items()}
    return {name: _ask(session, sql) for name, sql in queries.items()}


def _ask(session: Session, sql: str) -> tuple[list[str], list[Row]] | str:
    cursor = session.connection.cursor()
    try:
        cursor.execute(sql)
        return [column.name for column in cursor.description], [tuple(row) for row in cursor.fetchall()]
    except Exception as error:
        return f"{sql}\n{error}"
    finally:
        cursor.close()
