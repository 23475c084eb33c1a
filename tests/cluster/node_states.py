"""Nodes as kubectl shows them: whether they are Ready, since which start of their machine, and where they are."""

import json
import socket
from typing import Any

import pytest

from tests.cluster.stage import kubectl


def need(*names: str) -> None:
    """Skips the test where the cluster does not have these nodes."""
    missing = set(names) - set(everything())
    if missing:
        pytest.skip(f"the cluster has no node {', '.join(sorted(missing))}")


def everything() -> dict[str, Any]:
    """Name → node."""
    return {node["metadata"]["name"]: node for node in json.loads(kubectl("get", "nodes", "-o", "json"))["items"]}


def ready(name: str) -> str:
    """True, False or Unknown."""
    conditions = everything()[name]["status"]["conditions"]
    return next(str(condition["status"]) for condition in conditions if condition["type"] == "Ready")


def boot_ids() -> dict[str, str]:
    """Name → boot id."""
    return {name: node["status"]["nodeInfo"]["bootID"] for name, node in everything().items()}


def alone_on_its_machine(name: str) -> str:
    """The boot id of a node that may be restarted, after a look that it shares its machine with nobody."""
    need(name)
    boots = boot_ids()
    mine = boots.pop(name)
    assert mine
    assert mine not in boots.values()
    return mine


def address_of_this_machine() -> str:
    """The address of a node that is this machine, at which the cluster's pods reach its servers; '' if none is."""
    for node in everything().values():
        for address in node["status"].get("addresses", []):
            if address["type"] == "InternalIP" and _is_ours(address["address"]):
                return str(address["address"])
    return ""


def _is_ours(address: str) -> bool:
    try:
        socket.create_server((address, 0)).close()
    except OSError:
        return False
    return True
