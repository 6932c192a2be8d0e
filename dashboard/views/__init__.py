"""The pages: each names the filters that it uses and shows what `queries` answers."""
