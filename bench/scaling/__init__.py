"""How the pipeline grows beyond one machine: the arithmetic behind docs/scaling.md.

It times nothing and needs no account: from what was measured here, what Snowflake publishes and what is
assumed (`parameters`) follow partitions, warehouses and costs. `python -m bench.scaling` writes the tables
of the page anew.
"""
