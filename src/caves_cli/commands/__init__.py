"""One module a command. Each reads its flags, calls the module that does the work, and prints."""
