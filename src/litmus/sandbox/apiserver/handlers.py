"""The verbs on objects: from a request to the registry and back.

Source: k8s.io/apiserver/pkg/endpoints/handlers (get.go, create.go, update.go, patch.go, delete.go).
"""

import dataclasses

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, authorization, bodies, escalation, listing, query
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import objects, patches, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import DeleteOptions, Options
from litmus.sandbox.machinery.status import Refusal

# Kinds whose deletion answers with the object and not with a Status (ReturnDeletedObject in the registries of 1.37).
_RETURNED = {
    "pods", "podtemplates", "persistentvolumes", "persistentvolumeclaims", "resourcequotas", "serviceaccounts",
    "services", "csidrivers.storage.k8s.io", "csinodes.storage.k8s.io", "storageclasses.storage.k8s.io",
    "volumeattachments.storage.k8s.io",
}  # fmt: skip
_OBJECT_VERBS = ("get", "update", "patch", "delete")


async def serve(call: Call) -> Response:
    """A verb on objects or their status. Raises Refusal."""
    verb, resource, info = call.info.verb, call.known, call.info
    if info.subresource == "status" and verb not in ("get", "update", "patch"):
        raise method_not_allowed()
    if verb not in resource.verbs or bool(info.name) != (verb in _OBJECT_VERBS):
        if verb == "update" and not info.name and resource.custom:
            raise status.bad_request("name must be provided")
        raise method_not_allowed()
    if resource.namespaced and not info.namespace and verb not in ("list", "watch"):
        raise status.path_not_found() if info.name else method_not_allowed()
    call.accepted()
    return await _VERBS[verb](call)


def method_not_allowed() -> status.Refusal:
    """405, as the router of a real server says it: about no resource in particular."""
    return status.method_not_allowed("", "")


async def _get(call: Call) -> Response:
    asked = query.revision(call.query)
    if asked is not None:
        listing.check_revision(call, asked)
    return answers.one(call, call.registry.get(call.known, call.key))


async def _list(call: Call) -> Response:
    return listing.respond(call)


async def _create(call: Call) -> Response:
    asked = call.options()
    obj = await call.decoded(call.known, asked=asked)
    if escalation.concerns(call.known):
        read = call.registry.behaviour.decode(call.known, obj, asked=_trial(asked))
        _check_escalation(call, {**read, "metadata": {"namespace": call.info.namespace, **objects.meta(read)}})
    made = call.registry.create(call.known, obj, namespace=call.key.namespace, asked=asked)
    return answers.one(call, made, code=201, warnings=asked.warnings)


async def _update(call: Call) -> Response:
    asked = call.options()
    obj = await call.decoded(call.known, asked=asked)
    creates = call.registry.updating_creates(call.known, call.key, call.info.subresource)
    if creates:
        _check_may_create(call)
    if escalation.concerns(call.known):
        _check_escalation(call, call.registry.update(call.known, call.key, obj, asked=_trial(asked)))
    made = call.registry.update(call.known, call.key, obj, subresource=call.info.subresource, asked=asked)
    return answers.one(call, made, code=201 if creates else 200, warnings=asked.warnings)


async def _patch(call: Call) -> Response:
    asked = call.options()
    there = call.registry.store.get(call.known.storage, call.key) is not None
    try:
        patch = await call.patch(call.known)
    except Refusal as refusal:
        if refusal.code == 400 and not there and bodies.media_type(call.content_type) != patches.APPLY:
            call.registry.get(call.known, call.key)  # raises: what is missing is said before what is wrong
        raise
    if patch.creates and not there and not call.info.subresource:
        _check_may_create(call)
    if escalation.concerns(call.known):
        _check_escalation(call, call.registry.patch(call.known, call.key, patch, asked=_trial(asked))[0])
    made, created = call.registry.patch(call.known, call.key, patch, subresource=call.info.subresource, asked=asked)
    return answers.one(call, made, code=201 if created else 200, warnings=asked.warnings)


def _check_may_create(call: Call) -> None:
    """An update or apply that makes an object needs the verb ``create`` as well. Raises Refusal 403.

    Source: k8s.io/apiserver/pkg/endpoints/handlers/create.go and update.go, withAuthorization.
    """
    asked = dataclasses.replace(authorization.attributes(call.user, call.info), verb="create")
    call.services.authorizer.check(asked)


def _trial(asked: Options) -> Options:
    """To see what a write would store, before it is."""
    return dataclasses.replace(asked, dry_run=True, warnings=[])


def _check_escalation(call: Call, new: Obj) -> None:
    old = call.registry.store.get(call.known.storage, objects.key(new))
    escalation.check(call.services.authorizer, call.user, call.known, new, old)


async def _delete(call: Call) -> Response:
    return deleted(call, await call.delete_options())


def deleted(call: Call, asked: DeleteOptions) -> Response:
    """Deletes the object of a call; answers as its kind does."""
    resource = call.known
    last, gone = call.registry.delete(resource, call.key, asked=asked)
    if not gone or resource.qualified in _RETURNED:
        return answers.one(call, last, warnings=asked.warnings)
    about = {"name": objects.name(last), "group": resource.group, "kind": resource.plural, "uid": objects.uid(last)}
    return answers.success(call, about, warnings=asked.warnings)


async def _delete_collection(call: Call) -> Response:
    asked = await call.delete_options()
    chosen = query.listing(call.query, watch=False)
    by_label, by_field = listing.selectors(call, chosen)
    found = call.registry.delete_collection(
        call.known, namespace=call.key.namespace, labels=by_label, fields=by_field, asked=asked
    )
    return answers.many(call, found)


_VERBS = {
    "get": _get,
    "list": _list,
    "create": _create,
    "update": _update,
    "patch": _patch,
    "delete": _delete,
    "deletecollection": _delete_collection,
}
