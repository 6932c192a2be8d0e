"""Alerts: a query that the warehouse runs on a schedule, and a statement that it runs when there are rows.

Source: https://docs.snowflake.com/en/user-guide/alerts

feature.py          what the warehouse loads: the parts below put together
statements.py       CREATE, DROP and EXECUTE ALERT
alterations.py      ALTER ALERT
listing.py          SHOW and DESCRIBE ALERT
clauses.py          reading the clauses of those statements
options.py          the properties of an alert and the values that they take
alert.py            one alert, and the error that its statements share
registry.py         which alerts there are, in memory and on disk
scheduler.py        the thread that starts them, on the clock that tasks use
alert_run.py        one run: the condition, then perhaps the action
context.py          SNOWFLAKE.ALERT.*, what a running alert may ask
history.py          the runs, on disk
history_function.py TABLE(INFORMATION_SCHEMA.ALERT_HISTORY(...))
"""
