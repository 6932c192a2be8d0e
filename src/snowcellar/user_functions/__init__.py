"""Scalar Python functions: their definitions, and their calls in queries, which the procedures' workers run.

Source: https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-introduction

statements.py  CREATE, DROP, DESCRIBE and SHOW FUNCTION
calls.py       the calls in a statement: which function each means
batches.py     what DuckDB calls: rows to a worker, values back
"""
