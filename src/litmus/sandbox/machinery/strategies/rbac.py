"""Roles and their bindings. Source: pkg/apis/rbac/{v1/defaults.go,validation}; documentation "Using RBAC"."""

from typing import ClassVar

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes

GROUP = "rbac.authorization.k8s.io"


class _Named(Strategy):
    create_on_update: ClassVar = True

    def name_causes(self, name: str) -> list[Cause]:
        return causes.each("metadata.name", name, names.path_segment(name))


class Roles(_Named):
    namespaced: ClassVar = True

    def default(self, obj: Obj) -> None:
        obj["rules"] = obj.get("rules") or None

    def validate(self, obj: Obj) -> list[Cause]:
        said: list[Cause] = []
        for index, rule in enumerate(obj.get("rules") or []):
            said += _rule_causes(rule, f"rules[{index}]", namespaced=self.namespaced)
        return said


class ClusterRoles(Roles):
    namespaced: ClassVar = False

    def validate(self, obj: Obj) -> list[Cause]:
        said = super().validate(obj)
        if "aggregationRule" in obj:
            field = "aggregationRule.clusterRoleSelectors"
            found = (obj["aggregationRule"] or {}).get("clusterRoleSelectors") or []
            if not found:
                said.append(
                    status.required(field, "at least one clusterRoleSelector required if aggregationRule is non-nil")
                )
            for index, selector in enumerate(found):
                said += causes.label_selector(f"{field}[{index}]", selector)
        return said


class Bindings(_Named):
    kinds: ClassVar[tuple[str, ...]] = ("Role", "ClusterRole")
    namespaced: ClassVar = True

    def default(self, obj: Obj) -> None:
        reference = obj.setdefault("roleRef", {})
        reference["apiGroup"] = reference.get("apiGroup") or GROUP
        for subject in obj.get("subjects", ()):
            if subject.get("kind") in ("User", "Group"):
                subject.setdefault("apiGroup", GROUP)

    def validate(self, obj: Obj) -> list[Cause]:
        reference = obj["roleRef"]
        said: list[Cause] = []
        if reference["apiGroup"] != GROUP:
            said.append(causes.unsupported("roleRef.apiGroup", reference["apiGroup"], (GROUP,)))
        kind, name = reference.get("kind", ""), reference.get("name", "")
        if kind not in self.kinds:
            said.append(causes.unsupported("roleRef.kind", kind, self.kinds))
        said += (
            causes.each("roleRef.name", name, names.path_segment(name)) if name else [status.required("roleRef.name")]
        )
        for index, subject in enumerate(obj.get("subjects") or []):
            said += _subject_causes(subject, f"subjects[{index}]", namespaced=self.namespaced)
        return said

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        if new["roleRef"] == old["roleRef"]:
            return []
        return [status.invalid_value("roleRef", _in_order(new["roleRef"]), "cannot change roleRef")]


class ClusterBindings(Bindings):
    kinds: ClassVar = ("ClusterRole",)
    namespaced: ClassVar = False


def _in_order(reference: Obj) -> Obj:
    """As messages show it: by the names of the fields inside the server."""
    return {"APIGroup": reference["apiGroup"], "Kind": reference.get("kind", ""), "Name": reference.get("name", "")}


def _rule_causes(rule: Obj, at: str, *, namespaced: bool) -> list[Cause]:
    said = [] if rule.get("verbs") else [status.required(f"{at}.verbs", "verbs must contain at least one value")]
    groups, resources, urls = (rule.get(field) or [] for field in ("apiGroups", "resources", "nonResourceURLs"))
    if urls:
        if namespaced:
            why = "namespaced rules cannot apply to non-resource URLs"
            said.append(status.invalid_value(f"{at}.nonResourceURLs", urls, why))
        if groups or resources or rule.get("resourceNames"):
            why = "rules cannot apply to both regular resources and non-resource URLs"
            said.append(status.invalid_value(f"{at}.nonResourceURLs", urls, why))
        return said
    if not groups:
        said.append(status.required(f"{at}.apiGroups", "resource rules must supply at least one api group"))
    if not resources:
        said.append(status.required(f"{at}.resources", "resource rules must supply at least one resource"))
    return said


def _subject_causes(subject: Obj, at: str, *, namespaced: bool) -> list[Cause]:
    kind, name, group = (subject.get(field, "") for field in ("kind", "name", "apiGroup"))
    said = [] if name else [status.required(f"{at}.name")]
    if kind == "ServiceAccount":
        if name:
            said += causes.each(f"{at}.name", name, names.subdomain(name))
        if group:
            said.append(causes.unsupported(f"{at}.apiGroup", group, ("",)))
        if not subject.get("namespace") and not namespaced:
            said.append(status.required(f"{at}.namespace"))
    elif kind in ("User", "Group"):
        if group != GROUP:
            said.append(causes.unsupported(f"{at}.apiGroup", group, (GROUP,)))
    else:
        said.append(causes.unsupported(f"{at}.kind", kind, ("ServiceAccount", "User", "Group")))
    return said
