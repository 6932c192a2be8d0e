"""python -m bench.scaling: write the tables of docs/scaling.md anew."""

from bench.scaling.tables import PAGE, written

PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
