"""Pods: what a server says about them, and the little that may change once they exist.

Source: pkg/registry/core/pod/strategy.go and pkg/apis/core/validation of Kubernetes; documentation "Pod Lifecycle" and
"Pod update and replacement". Resizing in place is not offered.
"""

from typing import ClassVar

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes, containers, placement, pod_defaults, pod_spec, qos

OVER = ("Succeeded", "Failed")
_UPDATABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_MIRROR = "kubernetes.io/config.mirror"


class Pods(Strategy):
    """The spec is nearly immutable; the status belongs to the node's kubelet."""

    generation_of: ClassVar = ("spec",)
    graceful: ClassVar = True

    def default(self, obj: Obj) -> None:
        pod_defaults.pod(obj)
        obj.setdefault("status", {}).setdefault("phase", "Pending")
        for condition in obj["status"].get("conditions") or []:
            condition.setdefault("lastProbeTime", None)  # Go writes it although it is unknown

    def prepare_create(self, obj: Obj) -> None:
        super().prepare_create(obj)
        obj["status"] = {"phase": "Pending", "qosClass": qos.of(obj)}
        if obj["spec"].get("schedulingGates"):
            gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
            obj["status"]["conditions"] = [
                {**gated, "message": "Scheduling is blocked due to non-empty scheduling gates"}
            ]

    def validate(self, obj: Obj) -> list[Cause]:
        said: list[Cause] = []
        if _MIRROR in objects.annotations(obj) and not obj["spec"].get("nodeName"):
            why = "must set spec.nodeName if mirror pod annotation is set"
            said.append(
                status.invalid_value(f"metadata.annotations[{_MIRROR}]", objects.annotations(obj)[_MIRROR], why)
            )
        return [*said, *pod_spec.causes_of(obj["spec"], "spec"), *containers.only_in_pods(obj["spec"], "spec")]

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        spec, known = new["spec"], old["spec"]
        for kind in ("containers", "initContainers"):
            if len(spec.get(kind) or []) != len(known.get(kind) or []):
                return [status.forbidden_field(f"spec.{kind}", "pod updates may not add or remove containers")]
        return [
            *_deadline_causes(spec.get("activeDeadlineSeconds"), known.get("activeDeadlineSeconds")),
            *_toleration_causes(spec.get("tolerations") or [], known.get("tolerations") or []),
            *_spec_causes(spec, known),
        ]

    def validate_status_update(self, new: Obj, old: Obj) -> list[Cause]:
        """A container that may not start again stays terminated."""
        policy = old["spec"].get("restartPolicy")
        if policy == "Always":
            return []
        said: list[Cause] = []
        for kind in ("containerStatuses", "initContainerStatuses"):
            now = {one.get("name"): one for one in (new.get("status") or {}).get(kind) or []}
            for index, before in enumerate((old.get("status") or {}).get(kind) or []):
                ended = (before.get("state") or {}).get("terminated")
                if ended is None or (policy == "OnFailure" and ended.get("exitCode")):
                    continue
                after = now.get(before.get("name"))
                if after is not None and (after.get("state") or {}).get("terminated") is None:
                    why = "may not be transitioned to non-terminated state"
                    said.append(status.forbidden_field(f"status.{kind}[{index}].state", why))
        return said

    def grace_s(self, obj: Obj, asked: int | None) -> int:
        """The spec's own period unless asked otherwise; none for a pod that is nowhere or over."""
        if not obj["spec"].get("nodeName") or (obj.get("status") or {}).get("phase") in OVER:
            return 0
        own = obj["spec"].get("terminationGracePeriodSeconds")
        grace_s = asked if asked is not None else pod_defaults.GRACE_S if own is None else own
        return 1 if grace_s < 0 else grace_s


def bind(pod: Obj, binding: Obj) -> None:
    """What ``pods/binding`` changes: the node, the annotations of the binding, the condition PodScheduled.

    Raises Refusal 500 for a malformed binding and 409 for a pod that has a node or is leaving.
    Source: pkg/registry/core/pod/storage/storage.go, BindingREST.
    """
    target, name = binding.get("target") or {}, objects.name(pod)
    said: list[Cause] = []
    if target.get("kind") not in (None, "", "Node"):
        said.append(causes.unsupported("target.kind", target["kind"], ("Node", "<empty>")))
    if not target.get("name"):
        said.append(status.required("target.name"))
    if said:  # a real server gives no reason here
        raise status.Refusal(500, "", str(said[0]) if len(said) == 1 else f"[{', '.join(map(str, said))}]")
    if objects.leaving(pod):
        raise _not_bound(name, f"pod {name} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        raise _not_bound(name, f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"')
    if pod["spec"].get("schedulingGates"):
        raise _not_bound(name, f"pod {name} has non-empty .spec.schedulingGates")
    pod["spec"]["nodeName"] = target["name"]
    if annotations := objects.annotations(binding):
        pod["metadata"].setdefault("annotations", {}).update(annotations)
    conditions = [one for one in pod["status"].get("conditions") or [] if one.get("type") != "PodScheduled"]
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": objects.timestamp(),
    }
    pod["status"]["conditions"] = [*conditions, scheduled]


def _not_bound(name: str, why: str) -> status.Refusal:
    return status.conflict("pods/binding", "", name, why)


def _deadline_causes(new: int | None, old: int | None) -> list[Cause]:
    field = "spec.activeDeadlineSeconds"
    if old is not None and new is None:
        return [status.invalid_value(field, new, "must not update from a positive integer to nil value")]
    if old is not None and new is not None and new > old:
        return [status.invalid_value(field, new, "must be less than or equal to previous value")]
    return []


def _toleration_causes(new: list[Obj], old: list[Obj]) -> list[Cause]:
    def bare(toleration: Obj) -> Obj:
        return {name: value for name, value in toleration.items() if name != "tolerationSeconds"}

    kept = [bare(toleration) for toleration in new]
    if any(bare(toleration) not in kept for toleration in old):
        why = "existing toleration can not be modified except its tolerationSeconds"
        return [status.forbidden_field("spec.tolerations", why)]
    return placement.tolerations(new, "spec.tolerations") if new != old else []


def _spec_causes(new: Obj, old: Obj) -> list[Cause]:
    """Compares what is left once the fields that may change are taken as they were."""
    like = {**new, "tolerations": old.get("tolerations"), "activeDeadlineSeconds": old.get("activeDeadlineSeconds")}
    for kind in ("containers", "initContainers"):
        known = old.get(kind) or []
        pairs = zip(new.get(kind) or [], known, strict=True)
        like[kind] = [{**container, "image": before.get("image")} for container, before in pairs]
    if (old.get("terminationGracePeriodSeconds") or 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        like["terminationGracePeriodSeconds"] = old["terminationGracePeriodSeconds"]
    if old.get("schedulingGates") and not old.get("nodeName"):
        like["schedulingGates"] = old["schedulingGates"]
    changed = [name for name in sorted({*like, *old}) if (like.get(name) or None) != (old.get(name) or None)]
    if not changed:
        return []
    lines = "".join(f"\n  {name}: {_brief(old.get(name))} → {_brief(like.get(name))}" for name in changed)
    return [status.forbidden_field("spec", _UPDATABLE + lines)]


def _brief(value: object) -> str:
    shown = status.shown(value)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"
