"""Samples of a signal in, ``api.impact.Impact`` out: pure functions on the standard library."""

from .analysis import analyse
from .criteria import read_criteria
from .samples import Sample

__all__ = ["Sample", "analyse", "read_criteria"]
