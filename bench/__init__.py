"""What we claim about speed, for anyone to repeat: `make bench`, or `caves bench NAME`.

A bench is a module with a function `run(options) -> Iterator[Comparison]`. It does seeded work whose outcome
is known, checks that outcome after every run, and puts ours beside its limit and its peers in the same run.
"""
