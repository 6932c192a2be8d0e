"""The `caves` command: what a person types to run, deploy and check the pipeline, here or on an account."""
