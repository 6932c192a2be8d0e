"""Tasks: statements that the warehouse runs on a schedule, alone or as a graph.

Source: https://docs.snowflake.com/en/user-guide/tasks-intro, .../tasks-graphs

feature.py          what the warehouse loads: the parts below put together
statements.py       CREATE, DROP and EXECUTE TASK
alterations.py      ALTER TASK
listing.py          SHOW and DESCRIBE TASK
clauses.py          reading the clauses of those statements
options.py          the properties of a task and the values that they take
schedule.py         SCHEDULE = '...'
condition.py        WHEN
task.py             one task, and the error texts that tasks share
registry.py         which tasks there are, in memory and on disk
graph.py            predecessors, children, roots, and the rules of a graph
relatives.py        the predecessors and the root that a statement names
transitions.py      RESUME, SUSPEND, a graph started by hand, suspension after failures
clock.py            when the started roots are due
scheduler.py        the thread that starts graphs
graph_run.py        one run of a graph, from its root to its finalizer
task_run.py         one run of one task in it
history.py          the runs, on disk
history_function.py TABLE(INFORMATION_SCHEMA.TASK_HISTORY(...))
graph_functions.py  TABLE(INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS(...)) and COMPLETE_TASK_GRAPHS
functions.py        SYSTEM$SET_RETURN_VALUE and what else a running task may ask
"""
