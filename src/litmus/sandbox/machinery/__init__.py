"""What every object obeys, whoever sends it: resources, storage, verbs, validation, patches. Synchronous, no I/O."""
