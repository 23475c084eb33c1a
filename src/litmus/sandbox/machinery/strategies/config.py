"""ConfigMaps and Secrets. Source: pkg/apis/core/{v1/defaults.go,validation}; documentation of both."""

import base64
import json

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes

SIZE_MAX = 1024 * 1024
"""Bytes of all values together."""
_FROZEN = "field is immutable when `immutable` is set"
# Type → keys that its data must have.
_NEEDED = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_ACCOUNT = "kubernetes.io/service-account.name"


class ConfigMaps(Strategy):
    def validate(self, obj: Obj) -> list[Cause]:
        text, binary = obj.get("data") or {}, obj.get("binaryData") or {}
        said: list[Cause] = []
        for key in sorted(text):
            said += causes.each(f"data[{key}]", key, names.config_key(key))
            if key in binary:
                why = "duplicate of key present in binaryData"
                said.append(status.invalid_value(f"data[{key}]", key, why))
        for key in sorted(binary):
            said += causes.each(f"binaryData[{key}]", key, names.config_key(key))
        if sum(len(value.encode()) for value in text.values()) + _decoded_size(binary) > SIZE_MAX:
            said.append(causes.too_long("[]", SIZE_MAX))
        return said

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        return _frozen(new, old, ("data", "binaryData"))


class Secrets(Strategy):
    def default(self, obj: Obj) -> None:
        for key, value in (obj.pop("stringData", None) or {}).items():
            obj.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()
        obj["type"] = obj.get("type") or "Opaque"

    def validate(self, obj: Obj) -> list[Cause]:
        data = obj.get("data") or {}
        said: list[Cause] = []
        for key in sorted(data):
            said += causes.each(f"data[{key}]", key, names.config_key(key))
        if _decoded_size(data) > SIZE_MAX:
            said.append(causes.too_long("data", SIZE_MAX))
        return said + _type_causes(obj["type"], data, obj["metadata"].get("annotations") or {})

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        return [*causes.immutable("type", new["type"], old["type"]), *_frozen(new, old, ("data",))]


def _frozen(new: Obj, old: Obj, fields: tuple[str, ...]) -> list[Cause]:
    if not old.get("immutable"):
        return []
    said: list[Cause] = []
    if not new.get("immutable"):
        said.append(status.forbidden_field("immutable", _FROZEN))
    changed = [field for field in fields if (new.get(field) or {}) != (old.get(field) or {})]
    return said + [status.forbidden_field(field, _FROZEN) for field in changed]


def _decoded_size(data: Obj) -> int:
    return sum(len(value) * 3 // 4 for value in data.values())


def _type_causes(kind: str, data: Obj, annotations: Obj) -> list[Cause]:
    if kind == "kubernetes.io/service-account-token":
        return [] if annotations.get(_ACCOUNT) else [status.required(f"metadata.annotations[{_ACCOUNT}]")]
    if kind == "kubernetes.io/basic-auth":
        if "username" in data or "password" in data:
            return []
        return [status.required("data[%s][username]"), status.required("data[%s][password]")]  # sic
    place = "data[%s]" if kind == "kubernetes.io/ssh-auth" else "data"  # sic
    said = [status.required(f"{place}[{key}]") for key in _NEEDED.get(kind, ()) if key not in data]
    if not said and kind.startswith("kubernetes.io/docker"):
        key = _NEEDED[kind][0]
        return _json_causes(f"data[{key}]", data[key])
    return said


def _json_causes(field: str, value: str) -> list[Cause]:
    """The content is a secret and is not shown."""
    text = base64.b64decode(value).decode(errors="replace")
    try:
        json.loads(text)
    except ValueError:
        first = text.strip()[:1]
        why = f"invalid character '{first}' looking for beginning of value" if first else "unexpected end of JSON input"
        return [status.invalid_value(field, "<secret contents redacted>", why)]
    return []
