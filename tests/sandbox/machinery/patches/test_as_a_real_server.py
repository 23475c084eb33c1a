"""What a real server (1.20) answered to a hundred writes, played against our registry and compared field by field.

``kit.json`` was recorded on the kit's cluster: creates, an update, and patches of all four kinds by many managers. Left
out of it is what newer servers do otherwise: the order of merged lists, atomic selectors, empty objects as owned
fields, and the one-time adoption of what is inside a field that somebody owns as a whole.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from litmus.sandbox.machinery import assembly, patches, status
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.options import Options
from litmus.sandbox.machinery.registry import Registry

KIT = json.loads((Path(__file__).parent / "kit.json").read_text())
MEDIA_TYPES = {kind: media_type for media_type, kind in patches.MEDIA_TYPES.items()}
OTHERWISE = ("uid", "resourceVersion", "creationTimestamp", "generation", "namespace")
# Newer servers say which object it was.
NAMED = re.compile(r" \(n?/[^)]*\)")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def a_registry(clock: Clock) -> Registry:
    registry = assembly.assemble(now=clock)
    asked = Options(manager="test")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    registry.create(registry.catalogue.named("namespaces"), namespace, asked=asked)
    definitions = registry.catalogue.named("customresourcedefinitions.apiextensions.k8s.io")
    registry.create(definitions, KIT["definition"], asked=asked)
    return registry


def play(registry: Registry, step: Obj) -> tuple[int, Obj]:
    resource, key = registry.catalogue.named(step["resource"]), Key("n", step["name"])
    asked = Options(manager=step["manager"], force=step.get("force", False))
    try:
        if step["verb"] == "create":
            return 201, registry.create(resource, step["body"], namespace="n", asked=asked)
        if step["verb"] == "update":
            return 200, registry.update(resource, key, step["body"], asked=asked)
        body = json.dumps(step["body"]).encode()
        patch = patches.read(MEDIA_TYPES[step["kind"]], body, resource, shapes=registry.behaviour.schema)
        found, created = registry.patch(resource, key, patch, subresource=step.get("subresource", ""), asked=asked)
        return 201 if created else 200, found
    except status.Refusal as refusal:
        return refusal.code, refusal.status


def comparable(answer: Obj) -> Obj:
    if answer["kind"] == "Status":
        details = answer.get("details") or None  # the API server adds empty ones
        return {**answer, "message": NAMED.sub("", answer["message"]), "details": details}
    meta = {name: value for name, value in answer["metadata"].items() if name not in OTHERWISE}
    entries = [
        {name: value for name, value in entry.items() if name != "subresource"}  # newer than 1.20
        for entry in meta.get("managedFields", [])
    ]
    found = {**answer, "metadata": {**meta, "managedFields": entries}}
    if answer["kind"] == "Deployment":
        found.pop("status", None)
    return found


def by_resource() -> dict[str, list[Obj]]:
    found: dict[str, list[Obj]] = {}
    for step in KIT["steps"]:
        found.setdefault(f"{step['resource']} {step['name']}", []).append(step)
    return found


@pytest.mark.parametrize("steps", by_resource().values(), ids=by_resource().keys())
def test_every_write_ends_as_on_a_real_server(steps: list[Obj]) -> None:
    clock = Clock()
    registry = a_registry(clock)
    for number, step in enumerate(steps):
        if step.get("time"):
            clock.now = datetime.fromisoformat(step["time"])
        code, answer = play(registry, step)
        what: Any = (number, step["verb"], step.get("kind"), step["body"])
        assert (what, code, comparable(answer)) == (what, step["code"], comparable(step["answer"]))
