"""Access control: who owns what, what has been granted to which role, and whether a statement may run.

Source: https://docs.snowflake.com/en/user-guide/security-access-control-overview
"""
