"""Chaos in the tests of an application: a pytest plugin. See docs/pytest.md.

pytest finds ``plugin`` through the entry point ``litmus`` whenever this package is installed, also in projects that
make no use of it. That module therefore imports nothing of ours; everything else is imported by the first fixture that
needs it.
"""
