"""ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers, and the histories that two of them keep.

Source: pkg/apis/apps/{v1/defaults.go,validation}, pkg/apis/core/validation (ReplicationController); documentation of
each of them.
"""

from typing import ClassVar

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes, pod_defaults, pod_spec, storage, workload

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_STATEFUL_UPDATES = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_STATEFUL_MUTABLE = (
    *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"),
    *("persistentVolumeClaimRetentionPolicy", "minReadySeconds"),
)


class Workload(Strategy):
    """Spec and status of every workload: a template with its defaults, numbers that the status always shows."""

    generation_of: ClassVar = ("spec",)
    shown: ClassVar[tuple[str, ...]] = ("replicas",)
    needs_template: ClassVar = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if self.needs_template or "template" in spec:
            pod_defaults.template(spec)
        self.default_spec(obj, spec)
        found = obj.setdefault("status", {})
        for field in self.shown:
            found.setdefault(field, 0)

    def default_spec(self, obj: Obj, spec: Obj) -> None:
        spec.setdefault("replicas", 1)


class ReplicaSets(Workload):
    def validate(self, obj: Obj) -> list[Cause]:
        said = workload.counts(obj["spec"], "replicas", "minReadySeconds")
        said += workload.selector_and_template(obj, kind="deployment")
        return said + workload.always_restarts(obj, kind="ReplicaSet")

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        return causes.immutable("spec.selector", new["spec"].get("selector"), old["spec"].get("selector"))


class StatefulSets(Workload):
    shown: ClassVar = ("replicas", "availableReplicas")

    def default_spec(self, obj: Obj, spec: Obj) -> None:
        spec.setdefault("podManagementPolicy", "OrderedReady")
        update = spec.setdefault("updateStrategy", {})
        if not update.get("type"):
            update["type"] = "RollingUpdate"
            update.setdefault("rollingUpdate", {})
        if update["type"] == "RollingUpdate" and "rollingUpdate" in update:
            update["rollingUpdate"].setdefault("partition", 0)
        retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
        retention.setdefault("whenDeleted", "Retain")
        retention.setdefault("whenScaled", "Retain")
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        for claim in spec.get("volumeClaimTemplates", ()):
            claim.setdefault("apiVersion", "v1")
            claim.setdefault("kind", "PersistentVolumeClaim")
            claim.setdefault("metadata", {})
            storage.claim_defaults(claim)

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said: list[Cause] = []
        if spec["podManagementPolicy"] not in ("OrderedReady", "Parallel"):
            why = "must be 'OrderedReady' or 'Parallel'"
            said.append(status.invalid_value("spec.podManagementPolicy", spec["podManagementPolicy"], why))
        said += _stateful_strategy(spec["updateStrategy"], "spec.updateStrategy")
        said += workload.counts(spec, "replicas", "minReadySeconds")
        said += workload.selector_and_template(_with_claims(obj), kind="statefulset", unusable="")
        return said + workload.always_restarts(obj, kind="StatefulSet")

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        kept = {**new["spec"], **{field: old["spec"].get(field) for field in _STATEFUL_MUTABLE}}
        for field in {*kept, *old["spec"]}:
            if (kept.get(field) or None) != (old["spec"].get(field) or None):
                return [status.forbidden_field("spec", _STATEFUL_UPDATES)]
        return []


def _with_claims(obj: Obj) -> Obj:
    """The set with its claims among the volumes of its pods, where containers may mount them."""
    template = obj["spec"]["template"]
    volumes = list(template["spec"].get("volumes") or [])
    named = {volume.get("name") for volume in volumes}
    claims = [objects.name(claim) for claim in obj["spec"].get("volumeClaimTemplates") or []]
    volumes += [{"name": name, "emptyDir": {}} for name in dict.fromkeys(claims) if name not in named]
    spec = {**template["spec"], "volumes": volumes}
    return {**obj, "spec": {**obj["spec"], "template": {**template, "spec": spec}}}


class DaemonSets(Workload):
    """Its annotation counts the templates; it comes from times when the API had a field for that."""

    shown: ClassVar = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")

    def prepare_create(self, obj: Obj) -> None:
        super().prepare_create(obj)
        obj["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = "1"

    def prepare_update(self, new: Obj, old: Obj) -> None:
        super().prepare_update(new, old)
        count = int(objects.annotations(old).get(TEMPLATE_GENERATION, "0"))
        count += new["spec"]["template"] != old["spec"]["template"]
        new["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = str(count)

    def default_spec(self, obj: Obj, spec: Obj) -> None:
        update = spec.setdefault("updateStrategy", {})
        update["type"] = update.get("type") or "RollingUpdate"
        if update["type"] == "RollingUpdate":
            rolling = update.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)
        spec.setdefault("revisionHistoryLimit", 10)

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        selector, labels = spec.get("selector"), spec["template"]["metadata"].get("labels") or {}
        said = workload.selector_causes(selector, kind="daemonset") if selector is not None else []
        if not said:
            said = workload.mismatch_causes(selector, labels)
        said += pod_spec.template_causes(spec["template"], "spec.template")
        said += workload.always_restarts(obj, kind="DaemonSet")
        said += workload.counts(spec, "minReadySeconds")
        said += _daemon_strategy(spec["updateStrategy"], "spec.updateStrategy")
        return said + workload.counts(spec, "revisionHistoryLimit")

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        return causes.immutable("spec.selector", new["spec"].get("selector"), old["spec"].get("selector"))


class ReplicationControllers(Workload):
    """Its selector is a plain map and comes from the labels of the template when it is left out."""

    needs_template: ClassVar = False

    def default_spec(self, obj: Obj, spec: Obj) -> None:
        spec.setdefault("replicas", 1)
        labels = spec.get("template", {}).get("metadata", {}).get("labels")
        if labels and not spec.get("selector"):
            spec["selector"] = dict(labels)
        if labels and not objects.labels(obj):
            obj["metadata"]["labels"] = dict(labels)

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said = workload.counts(spec, "minReadySeconds")
        selector = spec.get("selector") or {}
        if not selector:
            said.append(status.required("spec.selector"))
        said += workload.counts(spec, "replicas")
        if "template" not in spec:
            return [*said, status.required("spec.template")]
        labels = spec["template"]["metadata"].get("labels") or {}
        if selector:
            said += workload.mismatch_causes({"matchLabels": selector}, labels)
        said += pod_spec.template_causes(spec["template"], "spec.template")
        return said + workload.always_restarts(obj, kind="ReplicationController")


class ControllerRevisions(Strategy):
    """A state of a template as it once was; it never changes."""

    def default(self, obj: Obj) -> None:
        obj.setdefault("revision", 0)

    def validate(self, obj: Obj) -> list[Cause]:
        said = [] if obj.get("data") is not None else [status.required("data", "data is mandatory")]
        return said + causes.non_negative("revision", obj["revision"])

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        return causes.immutable("data", new.get("data"), old.get("data"))


class PodTemplates(Strategy):
    generation_of: ClassVar = ("template",)
    create_on_update: ClassVar = True

    def default(self, obj: Obj) -> None:
        pod_defaults.template(obj)

    def validate(self, obj: Obj) -> list[Cause]:
        return pod_spec.template_causes(obj["template"], "template")


def _stateful_strategy(update: Obj, at: str) -> list[Cause]:
    rolling = update.get("rollingUpdate")
    if update["type"] == "OnDelete":
        if rolling is None:
            return []
        why = "only allowed for updateStrategy 'RollingUpdate'"
        return [status.invalid_value(f"{at}.rollingUpdate", rolling, why)]
    if update["type"] != "RollingUpdate":
        return [status.invalid_value(at, update, "must be 'RollingUpdate' or 'OnDelete'")]
    return causes.non_negative(f"{at}.rollingUpdate.partition", (rolling or {}).get("partition"))


def _daemon_strategy(update: Obj, at: str) -> list[Cause]:
    if update["type"] == "OnDelete":
        return []
    if update["type"] != "RollingUpdate":
        shown = {"Type": update["type"], "RollingUpdate": update.get("rollingUpdate")}
        return [causes.unsupported(at, shown, ("RollingUpdate", "OnDelete"))]
    rolling, field = update["rollingUpdate"], f"{at}.rollingUpdate"
    unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
    said: list[Cause] = []
    for name in ("maxUnavailable", "maxSurge"):
        said += workload.int_or_percent(rolling[name], f"{field}.{name}")
        said += workload.at_most_all(rolling[name], f"{field}.{name}")
    if workload.is_zero(unavailable) and workload.is_zero(surge):
        said.append(status.required(f"{field}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    if not workload.is_zero(unavailable) and not workload.is_zero(surge):
        said.append(status.invalid_value(f"{field}.maxSurge", surge, "may not be set when maxUnavailable is non-zero"))
    return said
