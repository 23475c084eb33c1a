"""All controllers of a sandbox."""
