"""Who wrote which field, and whether a write changes anything at all."""

from datetime import datetime

from .objects import Obj
from .options import Options
from .patches import managed_fields, typed
from .resources import Resource
from .schemas import Schema

_BOOKKEEPING = ("managedFields", "resourceVersion")


def same(new: Obj, old: Obj) -> bool:
    """Whether storing ``new`` would change nothing but times in its bookkeeping."""
    if {k: v for k, v in new.items() if k != "metadata"} != {k: v for k, v in old.items() if k != "metadata"}:
        return False
    if _essential(new["metadata"]) != _essential(old["metadata"]):
        return False
    return managed_fields.same(new["metadata"].get("managedFields"), old["metadata"].get("managedFields"))


def _essential(meta: Obj) -> Obj:
    return {field: value for field, value in meta.items() if field not in _BOOKKEEPING}


def record(
    resource: Resource,
    new: Obj,
    old: Obj | None,
    *,
    schema: Schema | None,
    subresource: str,
    asked: Options,
    now: datetime,
) -> None:
    """Notes in ``managedFields`` of ``new`` which manager wrote what, as a real server does for every update."""
    found = managed_fields.updated(
        old,
        new,
        schema=schema or typed.DEDUCED,
        name=asked.manager or "unknown",
        api_version=resource.group_version,
        subresource=subresource,
        now=now,
    )
    if found:
        new["metadata"]["managedFields"] = found
    else:
        new["metadata"].pop("managedFields", None)
