"""One engine: its experiments in order, one Job each."""
