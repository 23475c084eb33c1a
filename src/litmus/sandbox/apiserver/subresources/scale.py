"""``/scale``: how many replicas an object has and should have, whatever its kind.

Source: the documentation "Scale subresource" (custom resources) and k8s.io/kubernetes/pkg/registry/apps/deployment
(ScaleREST). A write of it is a write of ``spec.replicas`` of the object.
"""

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, definitions
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.apiserver.definitions import ScalePaths
from litmus.sandbox.machinery import metadata, objects, selectors, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options
from litmus.sandbox.machinery.patches.reading import go_kind
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Refusal

SCALE = Resource(group="autoscaling", version="v1", plural="scales", singular="scale", kind="Scale")
_BUILT_IN = ScalePaths(".spec.replicas", ".status.replicas")
# What a read says about a missing object of some kinds: that its scale is missing, in this group.
_NOT_FOUND_IN = {"deployments.apps": "apps", "replicasets.apps": "apps", "replicationcontrollers": "autoscaling"}
_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


async def get(call: Call) -> Response:
    """Raises Refusal 404."""
    return _answer(call, _shown(call, _target(call, reading=True)))


async def update(call: Call) -> Response:
    """Raises Refusal 400, 404, 409 and 422."""
    asked = call.options()
    new = await call.read(SCALE, asked=asked)
    name = objects.name(new)
    if name and name != call.info.name:
        why = f"the name of the object ({name}) does not match the name on the URL ({call.info.name})"
        raise status.bad_request(why)
    _check_type(new)
    metadata.check_uid(call.known, new, _target(call))
    return _answer(call, _stored(call, new, asked), warnings=asked.warnings)


async def patch(call: Call) -> Response:
    """Raises Refusal 400, 404, 409, 415 and 422."""
    asked = call.options()
    change = await call.patch(SCALE)
    shown = _shown(call, _target(call))
    new = change.applied(SCALE, shown, subresource="", asked=asked, now=call.services.now())
    try:
        _check_type(new)
    except Refusal as why:
        raise change.undecodable(new, why) from why
    return _answer(call, _stored(call, new, asked), warnings=asked.warnings)


def _answer(call: Call, shown: Obj, *, warnings: list[str] | None = None) -> Response:
    return answers.one(call, shown, warnings=warnings or (), table=False)


def _target(call: Call, *, reading: bool = False) -> Obj:
    """Raises Refusal 404, in the words of each kind."""
    try:
        return call.registry.get(call.known, call.key)
    except Refusal as refusal:
        group = _NOT_FOUND_IN.get(call.known.qualified)
        if refusal.code == 404 and reading and group is not None:
            raise status.not_found(f"{call.known.plural}/scale", group, call.info.name) from refusal
        raise


def _paths(call: Call) -> ScalePaths:
    if not call.known.custom:
        return _BUILT_IN
    found = definitions.scale_paths(call.registry.store, call.known)
    if found is None:
        raise status.path_not_found()
    return found


def _shown(call: Call, target: Obj) -> Obj:
    """The Scale of an object."""
    paths, meta = _paths(call), objects.meta(target)
    replicas = definitions.at(target, paths.spec)
    figures: Obj = {"replicas": definitions.at(target, paths.status) or 0}
    selector = _selector(call, target, paths)
    if selector:
        figures["selector"] = selector
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.group_version,
        "metadata": {field: meta[field] for field in _META if field in meta},
        "spec": {"replicas": replicas} if replicas else {},
        "status": figures,
    }


def _selector(call: Call, target: Obj, paths: ScalePaths) -> str:
    if call.known.custom:
        return str(definitions.at(target, paths.selector) or "") if paths.selector else ""
    selector = target["spec"].get("selector") or {}
    if call.known.qualified == "replicationcontrollers":
        selector = {"matchLabels": selector}
    return str(selectors.from_label_selector(selector))


def _stored(call: Call, new: Obj, asked: Options) -> Obj:
    replicas = (new.get("spec") or {}).get("replicas") or 0
    changed = objects.copy(_target(call))
    _check(call, new, replicas)
    sent, meta = objects.meta(new), changed["metadata"]
    meta |= {field: sent[field] for field in ("uid", "resourceVersion") if sent.get(field)}
    if not call.known.custom and not sent.get("resourceVersion"):
        meta.pop("resourceVersion")
    definitions.put(changed, _paths(call).spec, replicas)
    return _shown(call, call.registry.update(call.known, call.key, changed, subresource="scale", asked=asked))


def _check_type(new: Obj) -> None:
    """Raises Refusal 400 for replicas that are no number."""
    replicas = (new.get("spec") or {}).get("replicas") or 0
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        said = f"json: cannot unmarshal {go_kind(replicas)} into Go struct field ScaleSpec.spec.replicas of type int32"
        raise status.bad_request(f'Scale in version "v1" cannot be handled as a Scale: {said}')


def _check(call: Call, new: Obj, replicas: int) -> None:
    causes, name = [], objects.name(new)
    if replicas < 0 and call.known.custom:
        path = _paths(call).spec
        cause = status.invalid_value(path, replicas, "should be a non-negative integer")
        raise status.invalid(call.known.kind, call.known.group, name, [cause])
    if not objects.namespace(new) and not call.known.custom:
        causes.append(status.required("metadata.namespace"))
    if replicas < 0:
        causes.append(status.invalid_value("spec.replicas", replicas, "must be greater than or equal to 0"))
    if causes:
        raise status.invalid(SCALE.kind, SCALE.group, name, causes)
