"""The ``litmus`` command for people: thin, each sub-command calls into one room."""
