"""What a kind writes before anything is set: the object with which a new one is compared.

A Go struct that is no pointer is always written, as is a list or number without omitempty. So the creator of a
Deployment does not own ``.spec`` as such, only what is in it, while the creator of a custom resource does.
Source: the types of k8s.io/api; apimachinery/pkg/util/managedfields, the live object of a create.
"""

from typing import Any

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.schemas.form import Schema

# Structs that are optional for clients and no pointers in Go.
_ALWAYS = frozenset(
    {
        "metadata", "spec", "status", "strategy", "updateStrategy", "template", "jobTemplate", "resources", "source",
        "loadBalancer", "daemonEndpoints", "kubeletEndpoint", "nodeInfo", "acceptedNames", "podSelector",
    }
)  # fmt: skip
_POINTERS = frozenset({("core.v1.ReplicationControllerSpec", "template"), ("core.v1.Container", "resources")})
_SCALARS: dict[str, Any] = {"string": "", "boolean": False, "int32": 0, "int64": 0, "number": 0}


def of(schema: Schema, like: Obj) -> Obj:
    """The empty object of the kind of ``like``; of a custom kind there is nothing but its name."""
    named: Obj = {name: like[name] for name in ("apiVersion", "kind") if name in like}
    if schema.struct is None or not schema.struct.definition:
        return {**named, "metadata": {}}
    return {**_struct(schema), **named}


def _struct(schema: Schema) -> Obj:
    assert schema.struct is not None  # asked for objects alone
    short = ".".join(schema.struct.definition.split(".")[-3:])
    found: Obj = {}
    for name, inside in schema.fields.items():
        required = name in schema.required
        if inside.type == "object":
            if name in _ALWAYS and (short, name) not in _POINTERS:
                found[name] = _struct(inside) if inside.struct else {}
            elif required:
                found[name] = None
        elif inside.type in ("array", "map"):
            if required or not inside.omitted:
                found[name] = None
        elif required and inside.type in _SCALARS:
            found[name] = _SCALARS[inside.type]
    return found
