"""Scalar functions: their definitions, and their calls. Those in Python are run by the procedures' workers.

Source: https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-introduction

statements.py  CREATE, DROP, DESCRIBE and SHOW FUNCTION
calls.py       the calls in a statement: which function each means
overloads.py   which of those that take as many arguments
sql_bodies.py  what a call of an SQL function means
batches.py     what DuckDB calls: rows to a worker, values back
"""
