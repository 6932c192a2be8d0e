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


class FilesThatShare(LoadFileScheduling):  # type: ignore[misc]
    """As `--dist loadfile`, with the files that share a stage in one process."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return SHARES_A_STAGE.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesThatShare | None:
    return FilesThatShare(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long, or needs Java, runs where it is asked for by its marker."""
    reasons = {
        "kafka": "needs Apache Kafka: `make test-kafka`, or pytest -m kafka",
        "exhaustive": "takes minutes: pytest -m exhaustive",
    }
    for marker, reason in reasons.items():
        if marker not in str(config.option.markexpr):
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=reason))
