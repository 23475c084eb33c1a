"""The versions of a definition: their order, and what they have in common.

Source: the Kubernetes documentation, "Versions in CustomResourceDefinitions", Version priority.
"""

import re

from litmus.sandbox.machinery.objects import Obj

_KUBE_LIKE = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_STABILITY = {None: 0, "beta": 1, "alpha": 2}


def versions(crd: Obj) -> list[Obj]:
    """The versions as they are written."""
    found: list[Obj] = (crd.get("spec") or {}).get("versions") or []
    return found


def served(crd: Obj) -> list[Obj]:
    """The versions that are served, the preferred one first."""
    return sorted(
        (version for version in versions(crd) if version.get("served")), key=lambda one: priority(one["name"])
    )


def storage_version(crd: Obj) -> str:
    """The version in which objects are stored, '' when there is none."""
    return next((version["name"] for version in versions(crd) if version.get("storage")), "")


def named(crd: Obj, name: str) -> Obj | None:
    """One version."""
    return next((version for version in versions(crd) if version["name"] == name), None)


def priority(name: str) -> tuple[int, int, int, int, str]:
    """The place of a version's name: v10, v2, v1, v11beta2, v3beta1, v12alpha1, then others by the alphabet."""
    match = _KUBE_LIKE.fullmatch(name)
    if match is None:
        return (1, 0, 0, 0, name)
    return (0, _STABILITY[match[2]], -int(match[1]), -int(match[3] or 0), "")


def hoisted(spec: Obj, part: str) -> bool:
    """Whether all versions say the same about a part; a server then keeps it once, above the versions."""
    said = [version.get(part) for version in spec.get("versions") or []]
    return bool(said) and bool(said[0]) and all(one == said[0] for one in said)
