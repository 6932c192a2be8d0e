"""`caves demo` as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

PROMISED = {
    *("events_produced", "raw", "stg_orders", "stg_inventory_adjustments", "rejected", "duplicates"),
    *("orders", "inventory_history", "inventory_current", "revenue_cents", "expected_revenue_cents"),
    *("invariants", "seconds", "statements", "memory_bytes"),
}


def test_the_demo_ends_well_and_says_so_in_json(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [Path(sys.executable).parent / "caves", "demo", "--events", "2000", "--json", figures],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "All seven invariants hold" in done.stdout
    assert "Traceback" not in done.stderr
    found = json.loads(figures.read_text())
    assert found.keys() >= PROMISED
    assert found["events_produced"] == found["raw"] == 2000
    outcomes = ("stg_orders", "stg_inventory_adjustments", "rejected", "duplicates")
    assert sum(found[outcome] for outcome in outcomes) == found["raw"]
    assert found["revenue_cents"] == found["expected_revenue_cents"] > 0
    assert len(found["invariants"]) == 7
    assert all(found["invariants"].values())
    assert json.loads((tmp_path / ".caves" / "demo" / "state.json").read_text())["processes"] == []
