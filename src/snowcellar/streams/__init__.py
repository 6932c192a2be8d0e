"""Streams: change capture on tables, with offsets that move in the transaction that consumed them.

Source: https://docs.snowflake.com/en/user-guide/streams-intro

registry.py   which streams there are and which tables they make us track
capture.py    what a transaction records about the rows that it writes
changes.py    the rows that a stream shows
statements.py CREATE, DROP, SHOW, DESCRIBE STREAM and SYSTEM$STREAM_HAS_DATA
"""
