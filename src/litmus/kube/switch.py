"""The switch that stops all chaos of a cluster: a ConfigMap beside the operator. While it is there, nothing runs.

Its being there is the whole message, so that in an emergency one line is enough, whoever types it and however:
``kubectl create configmap litmus-stop -n litmus``. Who set it, when and why is in its data where ``litmus stop --all``
made it, and told to everybody whose engine is stopped or refused.
"""

import getpass
import socket
from dataclasses import dataclass
from typing import Any

from litmus.api import names

from . import clock
from .objects import ConfigMap

NAME = "litmus-stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Who stopped everything, and when; empty where nobody wrote it down."""

    namespace: str
    by: str
    at: str
    why: str

    @property
    def said(self) -> str:
        """For the people whose engines do not run: what holds them, and how to lift it."""
        by = f" by {self.by}" if self.by else ""
        why = f" ({self.why})" if self.why else ""
        return (
            f"all chaos of this cluster was stopped{by} at {self.at}{why}; "
            f"to lift it: litmus stop --lift, or kubectl delete configmap {NAME} -n {self.namespace}"
        )


def read(found: ConfigMap | None, *, namespace: str) -> Switch | None:
    """The switch, None while it is not set."""
    if found is None:
        return None
    data = found.data
    at = data.get("at") or found.metadata.creation_timestamp or "an unknown time"
    return Switch(namespace=namespace, by=data.get("by", ""), at=at, why=data.get("why", ""))


def manifest(*, namespace: str, why: str) -> dict[str, Any]:
    """The switch as this person sets it now."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": namespace, "labels": {names.PART_OF: "litmus"}},
        "data": {"by": _somebody(), "at": clock.stamp(), "why": why},
    }


def _somebody() -> str:
    """The person at this terminal; a cluster before 1.27 can't tell who it thinks that is."""
    try:
        return f"{getpass.getuser()} on {socket.gethostname()}"
    except (OSError, KeyError):
        return socket.gethostname()
