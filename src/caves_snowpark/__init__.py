"""The library that runs inside the warehouse. It imports only Snowpark and the standard library.

names, schemas     what exists, spelled once
event_contract     what shops may send, and the reasons to refuse it
fields             one JSON field as a column expression
staging            transforms from RAW to STAGING
production         transforms from STAGING to PRODUCTION
rejected_filter    which rejected events an operator means
dead_letters       taking rejected events back, and dismissing them
health             what PIPELINE_HEALTH observes
loads              transactions, INSERT, MERGE, the task's return value
"""
