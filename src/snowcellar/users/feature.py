"""What the warehouse loads for users: their statements and functions, their tables."""

from __future__ import annotations

from snowcellar.users import functions, integration_statements, listing, registry, statements

STATEMENTS = [*statements.STATEMENTS, *listing.STATEMENTS, *integration_statements.STATEMENTS]
SYSTEM_FUNCTIONS = functions.SYSTEM_FUNCTIONS
GLOBAL_DDL = registry.GLOBAL_DDL
