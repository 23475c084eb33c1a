"""Probes: questions about the application that are asked before, during and after the chaos."""
