"""A lending library's fines."""
