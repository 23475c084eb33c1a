"""Runs whose processes are killed at a chosen moment, and a look at the target itself afterwards."""
