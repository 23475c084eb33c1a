"""Chaos windows for other tools: Kubernetes events, CloudEvents, OpenTelemetry traces, Grafana's annotations.

One file an outlet; what they have in common is ``windows`` (what is told), ``delivery`` (how it gets there) and
``settings`` (where to). The exporter makes ``Outlets`` of its settings and feeds it what its watches see.
"""

from . import settings
from .beside import configured
from .feeding import Outlets, of_settings
from .following import Following
from .otlp import MissingExtra
from .settings import Misused, Settings

__all__ = ["Following", "MissingExtra", "Misused", "Outlets", "Settings", "configured", "of_settings", "settings"]
