"""Experiments of the Chaos Toolkit, run as they are by the Chaos Toolkit, and proven by us."""
