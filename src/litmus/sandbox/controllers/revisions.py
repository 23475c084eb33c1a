"""ControllerRevisions: the history of the templates of StatefulSets and DaemonSets, for rollouts and for rolling back.

Documentation: "StatefulSets", "Update strategies" and "Perform a Rollback on a DaemonSet". A revision is a patch that
puts its template back; the newest has the highest number, and going back to an old template gives its revision a new
number rather than making another one. Source: pkg/controller/history.
"""

from collections.abc import Iterable, Sequence

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Obj

from . import owners, templates

RESOURCE = "controllerrevisions.apps"
POD_LABEL = "controller-revision-hash"


def listed(cluster: Cluster, owner: Obj) -> list[Obj]:
    """The owner's revisions, the oldest first."""
    found = owners.claim(cluster, owner, RESOURCE, owner["spec"]["selector"])
    return sorted(found, key=lambda one: (one["revision"], objects.meta(one).get("creationTimestamp", "")))


def template(revision: Obj) -> Obj:
    """The pod template that a revision holds."""
    held: Obj = revision["data"]["spec"]["template"]
    return {field: value for field, value in held.items() if field != "$patch"}


def current(cluster: Cluster, owner: Obj, known: Sequence[Obj], *, label: str, collisions: int = 0) -> Obj:
    """The revision of the owner's template: the newest if it is that one, else an old one renumbered, else a new one.

    ``known`` as ``listed`` gives it; ``label`` is the name of the label that carries the hash. Raises Refusal.
    """
    wanted = owner["spec"]["template"]
    number = known[-1]["revision"] + 1 if known else 1
    equal = [one for one in known if templates.same(template(one), wanted)]
    if equal:
        found = equal[-1]
        if found is known[-1]:
            return found
        return cluster.update(RESOURCE, {**found, "revision": number})
    return _create(cluster, owner, number, label, collisions)


def _create(cluster: Cluster, owner: Obj, number: int, label: str, collisions: int) -> Obj:
    wanted = owner["spec"]["template"]
    digest = templates.digest(wanted, collisions)
    made: Obj = {
        "metadata": {
            "name": f"{objects.name(owner)}-{digest}",
            "namespace": objects.namespace(owner),
            "labels": {**((wanted.get("metadata") or {}).get("labels") or {}), label: digest},
            "annotations": dict(objects.annotations(owner)),
            "ownerReferences": [owners.reference(owner)],
        },
        "data": {"spec": {"template": {**objects.copy(wanted), "$patch": "replace"}}},
        "revision": number,
    }
    try:
        return cluster.create(RESOURCE, made)
    except status.Refusal as refusal:
        if refusal.reason != "AlreadyExists":
            raise
        return _create(cluster, owner, number, label, collisions + 1)


def forget(cluster: Cluster, owner: Obj, known: Iterable[Obj], *, live: Iterable[str]) -> None:
    """Deletes the oldest revisions beyond ``revisionHistoryLimit``, less those whose names are ``live``."""
    kept = set(live)
    idle = [one for one in known if objects.name(one) not in kept]
    limit = owner["spec"].get("revisionHistoryLimit", 10)
    for one in idle[: max(0, len(idle) - limit)]:
        cluster.delete(RESOURCE, objects.name(one), objects.namespace(one), uid=objects.uid(one))
