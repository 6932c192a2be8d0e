"""The rates and histories that the tables are made for."""

from typing import Final

VOLUMES: Final = (10, 2_000, 100_000)
"""Events a second."""
PEAK: Final = 1_000_000
HISTORIES: Final = (10_000_000, 1_000_000_000, 100_000_000_000)
"""Events kept."""
