"""Warnings to whoever uses a resource that is on its way out.

Source: the documentation "Deprecated API Migration Guide" and ``deprecationWarning`` of custom resources.
"""

from litmus.sandbox.machinery.registry import Registry
from litmus.sandbox.machinery.resources import Resource

_BUILT_IN = {
    "componentstatuses": "v1 ComponentStatus is deprecated in v1.19+",
    "endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}


def warnings(registry: Registry, resource: Resource) -> list[str]:
    """What a client that uses the resource is told, [] for most."""
    custom = registry.behaviour.custom(resource)
    said = custom.deprecation if custom else _BUILT_IN.get(resource.qualified, "")
    return [said] if said else []
