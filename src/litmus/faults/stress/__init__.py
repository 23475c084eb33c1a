"""Stress: stress-ng at work in the control groups of a container, or in the helper's own for the node."""
