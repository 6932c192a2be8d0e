"""`caves doctor`: whether everything that the pipeline needs is there, and how to mend what is not.

finding      what a check came to
python       the interpreter and the packages beside it
programs     the snow CLI, and what some parts would like to have
machine      disk and ports
set_up       what `caves up` left in .caves, and the connection's file
warehouse    login, database, objects, the code that is deployed, tasks and alerts
kafka        broker, topic, and the offsets where loading goes on
examination  all of them in order, each with a limit of time
"""
