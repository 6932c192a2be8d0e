"""Which tests run only where they are asked for, and how `make test` shares the files among its processes."""

from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

SHARES_A_STAGE: Final = {
    **{
        f"tests/faults/test_{name}.py": "tests/faults/crash_course.py"
        for name in ("crash_points", "disk_full", "task_graph", "worker_kills")
    },
    **{
        f"tests/pipeline/test_{name}.py": "tests/pipeline/conftest.py"
        for name in ("commands", "doctor", "flow", "guide", "watch")
    },
}
"""These files take most of their time for a stage that is built once a process."""

LONGEST_FIRST: Final = (
    "tests/faults/test_crash_points.py",
    "tests/faults/test_task_graph.py",
    "tests/faults/test_worker_kills.py",
    "tests/faults/test_disk_full.py",
    "tests/pipeline/test_in_flight.py",
    "tests/roles/test_operators_day.py",
    "tests/upgrade/test_from_0_1.py",
    "tests/engines/test_erasure.py",
    "tests/engines/test_dead_letters.py",
    "tests/engines/test_any_order.py",
    "tests/pipeline/test_alerts.py",
    "tests/warehouse/test_procedures_deploy.py",
    "tests/browser/test_dashboard.py",
    "tests/ingest/test_observation.py",
    "tests/pipeline/test_demo.py",
    "tests/docs/test_blocks.py",
    "tests/unit/test_properties.py",
    "tests/engines/test_same_rows.py",
    "tests/engines/test_data_life.py",
    "tests/warehouse/test_restart.py",
    "tests/pipeline/test_data_life.py",
    "tests/roles/test_each_grant.py",
    "tests/hostile/test_flood.py",
    "tests/ingest/test_back_pressure.py",
    "tests/hostile/test_corpus_engines.py",
)
"""What takes longest comes first, so that no process is left alone with it at the end."""


class FilesThatShare(LoadFileScheduling):  # type: ignore[misc]
    """As `--dist loadfile`, with the files that share a stage in one process."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return SHARES_A_STAGE.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesThatShare | None:
    return FilesThatShare(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files come first; what needs Java, or minutes, runs where its marker asks for it."""
    rank = {file: place for place, file in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.nodeid.split("::")[0], len(rank)))
    reasons = {
        "kafka": "needs Apache Kafka: `make test-kafka`, or pytest -m kafka",
        "exhaustive": "takes minutes: pytest -m exhaustive",
    }
    for marker, reason in reasons.items():
        if marker not in str(config.option.markexpr):
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=reason))
