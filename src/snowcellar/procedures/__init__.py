"""Python stored procedures: their definitions, CALL, and the worker processes that run them.

The worker imports this package too, so nothing is imported here (docs/decisions/procedure-workers.md).
"""
