"""Whether an engine may run at all: its application is there, and has agreed to chaos by its annotation."""

from litmus import api
from litmus.api import names, targeting
from litmus.kube import Cluster, errors, workloads

from . import steady_form


class Refused(Exception):
    """The engine must not run. The sentence says what to do."""


async def targets(cluster: Cluster, engine: api.ChaosEngine) -> list[targeting.AppTarget]:
    """The application as the experiments shall see it: with the annotation check, workload by workload.

    Raises Refused.
    """
    spec = engine.spec
    check_form(spec)
    for mistake in steady_form.mistakes(spec):
        raise Refused(mistake)
    found = targeting.of_engine(spec, namespace=engine.metadata.namespace)
    if spec.annotation_check == "false":
        return found
    return [await _willing(cluster, target) for target in found]


def check_form(spec: api.EngineSpec) -> None:
    """Raises Refused for what no cluster needs to be asked about."""
    if not spec.chaos_service_account:
        raise Refused("spec.chaosServiceAccount is empty; name a service account with the experiment's role")
    if spec.selectors and (spec.appinfo.applabel or spec.appinfo.appkind):
        raise Refused("spec.appinfo and spec.selectors both name an application; keep one of them")
    if spec.selectors and bool(spec.selectors.pods) == bool(spec.selectors.workloads):
        raise Refused("spec.selectors: give either pods or workloads")
    for workload in spec.selectors.workloads if spec.selectors else ():
        if bool(workload.names) == bool(workload.labels):
            raise Refused(f"spec.selectors.workloads: {workload.kind} in {workload.namespace} needs names or labels")
    labels = (
        [spec.appinfo.applabel, *(w.labels for w in spec.selectors.workloads)]
        if spec.selectors
        else [spec.appinfo.applabel]
    )
    for label in labels:
        if label and not targeting.is_selector(label):
            raise Refused(
                f"label selector {label!r} names no value; write {label}=VALUE, or {label}!=none for any value"
            )
    try:
        targeting.auxiliary(spec.auxiliary_app_info)
    except ValueError as error:
        raise Refused(f"spec.{error}") from error


async def _willing(cluster: Cluster, target: targeting.AppTarget) -> targeting.AppTarget:
    """The target narrowed to what carries the annotation."""
    try:
        willing, total = await workloads.annotated(cluster, target)
    except (errors.Forbidden, errors.NotFound) as error:
        raise Refused(f"the annotation of {target.describe()} can't be checked: {error}") from error
    if not total:
        raise Refused(f"nothing matches {target.describe()}; check spec.appinfo and that the application is deployed")
    if not willing:
        what = "pod" if target.kind in (targeting.ANY_OWNER, targeting.POD) else target.kind
        raise Refused(
            f"{target.describe()} does not carry the annotation {names.CHAOS_ANNOTATION}=true; "
            f'run: kubectl annotate {what} NAME {names.CHAOS_ANNOTATION}="true" -n {target.namespace}, '
            "or set spec.annotationCheck to 'false'"
        )
    kind = targeting.POD if target.kind == targeting.ANY_OWNER else target.kind
    # Pods without a workload come and go under new names: what was agreed to is the label, not today's names.
    if kind == targeting.POD and target.labels:
        return target
    return targeting.AppTarget(kind=kind, namespace=target.namespace, names=tuple(sorted(willing)))
