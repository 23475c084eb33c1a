"""Where a cmdProbe runs its command: 1.10 names an image or writes ``inline``, 3.x has an object with an image."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from litmus.api import strict
from litmus.api.meta import EnvVar, LocalObjectReference, Shape, Toleration, present

from .contract import ProbeError

INLINE = "inline"


class Source(Shape, frozen=True, kw_only=True):
    """A pod of 3.x. ``command`` and ``args``: what runs beside the probe's command, in the same container."""

    image: Annotated[str, Meta(min_length=1)]
    host_network: bool | None = None
    inherit_inputs: bool | None = None
    args: list[str] = []
    env: list[EnvVar] = []
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    command: list[str] = []
    image_pull_policy: Annotated[str, Meta(description="Always, IfNotPresent or Never.")] = ""
    privileged: bool | None = None
    node_selector: dict[str, str] = {}
    tolerations: list[Toleration] = []
    volumes: list[dict[str, Any]] = []
    volume_mount: list[dict[str, Any]] = []
    image_pull_secrets: list[LocalObjectReference] = []


_POLICIES = ("", "Always", "IfNotPresent", "Never")


def mistakes(given: object, *, path: str) -> list[str]:
    """One sentence for each thing that is wrong with a source."""
    if given is None or given == "":
        return []
    if isinstance(given, str):
        return [] if not given.split()[1:] else [f"{path}: {given!r} is no image; write one, or inline"]
    if not isinstance(given, dict):
        return [f"{path}: {given!r} must be inline, the name of an image, or an object with an image"]
    if not given:
        return []  # as Go leaves it where nothing was said
    found = [f"{path}.{sentence}" for sentence in strict.mistakes(Source, given)]
    found = [sentence.replace(f"{path}.the manifest:", f"{path}:") for sentence in found]
    policy = given.get("imagePullPolicy") or ""
    if not found and policy not in _POLICIES:
        near = strict.closest(str(policy), list(_POLICIES))
        found.append(f"{path}.imagePullPolicy: {policy!r} is not one of {', '.join(_POLICIES[1:])}{near}")
    return found


def read(given: Any) -> Source | None:
    """None for a command that runs in the experiment's own pod. Raises ProbeError for what ``mistakes`` finds."""
    if wrong := mistakes(given, path="source"):
        raise ProbeError(wrong[0])
    if isinstance(given, str):
        return None if given.strip() in ("", INLINE) else Source(image=given.strip())
    return msgspec.convert(present(given), Source) if given else None
