"""Who wrote which field, and whether a write changes anything at all."""

from datetime import datetime

from .objects import Obj
from .options import Options
from .resources import Resource

_BOOKKEEPING = ("managedFields", "resourceVersion")


def same(new: Obj, old: Obj) -> bool:
    """Whether storing ``new`` would change nothing but bookkeeping."""
    if {k: v for k, v in new.items() if k != "metadata"} != {k: v for k, v in old.items() if k != "metadata"}:
        return False
    return _essential(new["metadata"]) == _essential(old["metadata"])


def _essential(meta: Obj) -> Obj:
    return {field: value for field, value in meta.items() if field not in _BOOKKEEPING}


def record(resource: Resource, new: Obj, old: Obj | None, *, subresource: str, asked: Options, now: datetime) -> None:
    """Notes in ``managedFields`` which manager wrote what."""
    if old is not None and "managedFields" in old["metadata"]:
        new["metadata"]["managedFields"] = old["metadata"]["managedFields"]
    else:
        new["metadata"].pop("managedFields", None)
