"""The library that runs inside the warehouse. It imports only Snowpark and the standard library.

names, schemas     what exists, spelled once
event_contract     what shops may send, and the reasons to refuse it
fields             one JSON field as a column expression
staging            transforms from RAW to STAGING
production         transforms from STAGING to PRODUCTION
rejected_filter    which rejected events an operator means
dead_letters       taking rejected events back, and dismissing them
health             what PIPELINE_HEALTH observes
memory             what staging remembers of its rows, those that were purged too
places             where events stand on Kafka
retention          how long each layer is kept
purge              what has expired goes
refused_files      the files of messages that no column could hold
erasure            what makes an erased customer's events nameless
erase              erasing a customer
loads              transactions, INSERT, MERGE, the task's return value
"""
