"""What happens to an object between a request and the store."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from litmus.sandbox.machinery import assembly
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.options import DeleteOptions, Options
from litmus.sandbox.machinery.registry import Registry
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Refusal
from tests.sandbox import grounds

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ASKED = Options()
DELETE = DeleteOptions()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(clock: Clock) -> Registry:
    made = assembly.assemble(now=clock)
    grounds.furnish(made, "pods", {"metadata": {"namespace": "here"}})
    return made


@pytest.fixture
def maps(registry: Registry) -> Resource:
    return registry.catalogue.named("configmaps")


def made(registry: Registry, maps: Resource, name: str = "a", **meta: object) -> Obj:
    return registry.create(
        maps, {"metadata": {"name": name, **meta}, "data": {"k": "v"}}, namespace="here", asked=ASKED
    )


def refused(code: int, reason: str) -> pytest.RaisesExc[Refusal]:
    return pytest.raises(Refusal, check=lambda refusal: (refusal.code, refusal.reason) == (code, reason))


def test_the_server_gives_a_new_object_its_identity(registry: Registry, maps: Resource) -> None:
    sent = {"metadata": {"name": "a", "uid": "mine", "creationTimestamp": "1999-01-01T00:00:00Z", "generation": 7}}
    meta = registry.create(maps, sent, namespace="here", asked=ASKED)["metadata"]
    assert meta["uid"] != "mine"
    assert meta["creationTimestamp"] == "2026-01-02T03:04:05Z"
    assert "generation" not in meta
    assert sent["metadata"]["uid"] == "mine"  # what was sent stays the sender's


def test_a_generated_name_begins_with_the_prefix(registry: Registry, maps: Resource) -> None:
    names = set()
    for _ in range(3):
        obj = registry.create(maps, {"metadata": {"generateName": "a-"}}, namespace="here", asked=ASKED)
        names.add(obj["metadata"]["name"])
    assert len(names) == 3
    assert all(name.startswith("a-") and len(name) == 7 for name in names)


def test_a_name_is_taken_once(registry: Registry, maps: Resource) -> None:
    made(registry, maps)
    with refused(409, "AlreadyExists"):
        made(registry, maps)


def test_a_dry_run_answers_and_stores_nothing(registry: Registry, maps: Resource) -> None:
    before = registry.store.revision
    dry = dataclasses.replace(ASKED, dry_run=True)
    assert registry.create(maps, {"metadata": {"name": "a"}}, namespace="here", asked=dry)["metadata"]["uid"]
    kept = made(registry, maps, "b")
    registry.update(maps, Key("here", "b"), {**kept, "data": {"k": "w"}}, asked=dry)
    registry.delete(maps, Key("here", "b"), asked=DeleteOptions(dry_run=True))
    assert registry.get(maps, Key("here", "b")) == kept
    assert registry.store.revision == before + 1


def test_an_update_without_the_latest_version_is_a_conflict(registry: Registry, maps: Resource) -> None:
    old = made(registry, maps)
    registry.update(maps, Key("here", "a"), {**old, "data": {"k": "w"}}, asked=ASKED)
    with refused(409, "Conflict"):
        registry.update(maps, Key("here", "a"), {**old, "data": {"k": "x"}}, asked=ASKED)
    assert registry.get(maps, Key("here", "a"))["data"] == {"k": "w"}


def test_an_update_that_changes_nothing_leaves_the_version(registry: Registry, maps: Resource) -> None:
    old = made(registry, maps)
    assert registry.update(maps, Key("here", "a"), {**old}, asked=ASKED) == old
    assert registry.store.revision == int(old["metadata"]["resourceVersion"])


def test_a_body_about_another_object_than_the_url_is_refused(registry: Registry, maps: Resource) -> None:
    made(registry, maps)
    with refused(400, "BadRequest"):
        registry.update(maps, Key("here", "a"), {"metadata": {"name": "b"}}, asked=ASKED)
    with refused(400, "BadRequest"):
        registry.create(maps, {"metadata": {"name": "b", "namespace": "there"}}, namespace="here", asked=ASKED)


def deployment() -> Obj:
    labels = {"app": "a"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }


def test_status_and_spec_are_written_apart(registry: Registry) -> None:
    resource, key = registry.catalogue.named("deployments.apps"), Key("here", "d")
    sent = {**deployment(), "status": {"replicas": 9}}
    first = registry.create(resource, sent, namespace="here", asked=ASKED)
    assert first.get("status", {}).get("replicas") is None
    changed = {**first, "spec": {**first["spec"], "replicas": 5}, "status": {"replicas": 3}}
    second = registry.update(resource, key, changed, subresource="status", asked=ASKED)
    assert (second["spec"]["replicas"], second["status"]["replicas"]) == (0, 3)
    assert second["metadata"]["generation"] == 1
    third = registry.update(resource, key, {**second, "spec": changed["spec"], "status": {}}, asked=ASKED)
    assert (third["spec"]["replicas"], third["status"]["replicas"]) == (5, 3)
    assert third["metadata"]["generation"] == 2


def test_a_finalizer_holds_a_deletion_until_it_is_gone(registry: Registry, maps: Resource) -> None:
    key = Key("here", "a")
    made(registry, maps, finalizers=["example.com/hold"])
    held, gone = registry.delete(maps, key, asked=DELETE)
    assert not gone
    assert held["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:05Z"
    with refused(422, "Invalid"):
        more = {**held, "metadata": {**held["metadata"], "finalizers": ["example.com/hold", "example.com/more"]}}
        registry.update(maps, key, more, asked=ASKED)
    free = {**held, "metadata": {**held["metadata"], "finalizers": []}}
    registry.update(maps, key, free, asked=ASKED)
    with refused(404, "NotFound"):
        registry.get(maps, key)


def test_a_deletion_meant_for_another_object_is_refused(registry: Registry, maps: Resource) -> None:
    made(registry, maps)
    with refused(409, "Conflict"):
        registry.delete(maps, Key("here", "a"), asked=DeleteOptions(uid="another"))
    assert registry.get(maps, Key("here", "a"))


@pytest.mark.parametrize(
    ("propagation", "finalizers"),
    [("Foreground", ["foregroundDeletion"]), ("Orphan", ["orphan"])],
)
def test_the_propagation_policy_leaves_a_finalizer_for_the_collector(
    registry: Registry, maps: Resource, propagation: str, finalizers: list[str]
) -> None:
    made(registry, maps)
    held, gone = registry.delete(maps, Key("here", "a"), asked=DeleteOptions(propagation=propagation))
    assert not gone
    assert held["metadata"]["finalizers"] == finalizers


def running_pod(registry: Registry, **spec: object) -> Key:
    pods, key = registry.catalogue.named("pods"), Key("here", "p")
    whole = {"containers": [{"name": "c", "image": "nginx"}], "automountServiceAccountToken": False, **spec}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": whole}
    registry.create(pods, pod, namespace="here", asked=ASKED)
    registry.bind(key, "node1", asked=ASKED)
    return key


def test_a_pod_on_a_node_gets_its_grace_and_then_less(registry: Registry, clock: Clock) -> None:
    pods, key = registry.catalogue.named("pods"), running_pod(registry)
    leaving, gone = registry.delete(pods, key, asked=DELETE)
    assert not gone
    assert leaving["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:35Z"
    assert leaving["metadata"]["deletionGracePeriodSeconds"] == 30
    clock.now += timedelta(seconds=2)
    shorter, _ = registry.delete(pods, key, asked=DeleteOptions(grace_s=5))
    assert shorter["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:10Z"
    longer, _ = registry.delete(pods, key, asked=DeleteOptions(grace_s=100))
    assert longer["metadata"]["deletionGracePeriodSeconds"] == 5
    _, gone = registry.delete(pods, key, asked=DeleteOptions(grace_s=0))
    assert gone


def test_a_pod_without_a_node_goes_at_once(registry: Registry) -> None:
    pods = registry.catalogue.named("pods")
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    pod["spec"]["automountServiceAccountToken"] = False  # type: ignore[index]
    registry.create(pods, pod, namespace="here", asked=ASKED)
    assert registry.delete(pods, Key("here", "p"), asked=DELETE)[1]


def test_a_pod_is_bound_once(registry: Registry) -> None:
    key = running_pod(registry)
    pod = registry.get(registry.catalogue.named("pods"), key)
    assert pod["spec"]["nodeName"] == "node1"
    assert {c["type"]: c["status"] for c in pod["status"]["conditions"]}["PodScheduled"] == "True"
    with refused(409, "Conflict"):
        registry.bind(key, "node2", asked=ASKED)


def test_pages_together_are_the_list(registry: Registry, maps: Resource) -> None:
    for name in "abcde":
        made(registry, maps, name)
    seen, token = [], ""
    while True:
        page = registry.list(maps, namespace="here", limit=2, continue_=token)
        seen += [obj["metadata"]["name"] for obj in page.items]
        token = page.continue_
        if not token:
            break
    assert seen == list("abcde")
    assert registry.list(maps, namespace="here", limit=2).remaining == 3


def test_a_page_of_a_forgotten_time_has_expired(registry: Registry, maps: Resource) -> None:
    for name in "abc":
        made(registry, maps, name)
    token = registry.list(maps, namespace="here", limit=1).continue_
    registry.store.load({}, registry.store.revision + 100)
    with refused(410, "Expired"):
        registry.list(maps, namespace="here", limit=1, continue_=token)


def test_a_broken_token_is_a_bad_request(registry: Registry, maps: Resource) -> None:
    with refused(400, "BadRequest"):
        registry.list(maps, continue_="nonsense")


def test_an_event_has_two_faces(registry: Registry) -> None:
    core = registry.catalogue.find("", "v1", "events")
    modern = registry.catalogue.find("events.k8s.io", "v1", "events")
    assert core is not None
    assert modern is not None
    sent = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "here"},
        "reason": "Killing",
        "message": "why",
        "type": "Normal",
    }
    registry.create(core, sent, namespace="here", asked=ASKED)
    seen = registry.get(modern, Key("here", "e"))
    assert seen["apiVersion"] == "events.k8s.io/v1"
    assert (seen["note"], seen["regarding"]["name"]) == ("why", "p")
    assert "message" not in seen
    assert registry.get(core, Key("here", "e"))["message"] == "why"


def test_an_update_that_means_another_object_is_refused(registry: Registry, maps: Resource) -> None:
    old = made(registry, maps)
    refused: dict[str, tuple[int, str]] = {}
    for field, value in {"uid": "x", "namespace": "there", "name": "", "resourceVersion": "x"}.items():
        changed = {**old, "metadata": {**old["metadata"], field: value}}
        with pytest.raises(Refusal) as why:
            registry.update(maps, Key("here", "a"), changed, asked=ASKED)
        refused[field] = (why.value.code, why.value.message)
    seen = f"Precondition failed: UID in precondition: x, UID in object meta: {old['metadata']['uid']}"
    error = "StorageError: invalid object, Code: 4, Key: /registry/configmaps/here/a, ResourceVersion: 0"
    assert refused == {
        "uid": (409, f'Operation cannot be fulfilled on configmaps "a": {error}, AdditionalErrorMsg: {seen}'),
        "namespace": (
            400,
            "the namespace of the object (there) does not match the namespace on the request (here)",
        ),
        "name": (400, "the name of the object (a based on URL) was undeterminable: name must be provided"),
        "resourceVersion": (500, 'strconv.ParseUint: parsing "x": invalid syntax'),
    }


def test_nobody_begins_a_deletion_by_an_update(registry: Registry, maps: Resource) -> None:
    old = made(registry, maps)
    changed = {**old, "metadata": {**old["metadata"], "deletionGracePeriodSeconds": 7}}
    with pytest.raises(Refusal) as why:
        registry.update(maps, Key("here", "a"), changed, asked=ASKED)
    said = "metadata.deletionGracePeriodSeconds: Invalid value: 7: field is immutable"
    assert why.value.message == f'ConfigMap "a" is invalid: {said}'


def test_a_dry_run_of_an_update_shows_the_version_that_is_stored(registry: Registry, maps: Resource) -> None:
    old = made(registry, maps)
    meta = {name: value for name, value in old["metadata"].items() if name != "resourceVersion"}
    asked = dataclasses.replace(ASKED, dry_run=True)
    shown = registry.update(maps, Key("here", "a"), {**old, "metadata": meta, "data": {}}, asked=asked)
    assert shown["metadata"]["resourceVersion"] == old["metadata"]["resourceVersion"]


def test_an_owner_that_is_named_twice_is_kept_once_and_said(registry: Registry, maps: Resource) -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    asked = dataclasses.replace(ASKED, warnings=[])
    body = {"metadata": {"name": "a", "ownerReferences": [owner, dict(owner)]}}
    stored = registry.create(maps, body, namespace="here", asked=asked)
    assert stored["metadata"]["ownerReferences"] == [owner]
    assert [text[:59] for text in asked.warnings] == [".metadata.ownerReferences contains duplicate entries; API s"]


def test_a_pod_that_goes_at_once_is_seen_leaving(registry: Registry) -> None:
    pods = registry.catalogue.named("pods")
    body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "x"}]}}
    registry.create(pods, body, namespace="here", asked=ASKED)
    seen: list[tuple[str, bool]] = []
    registry.store.subscribe(
        "pods", lambda event: seen.append((event.type, "deletionTimestamp" in event.obj["metadata"]))
    )
    last, gone = registry.delete(pods, Key("here", "p"), asked=DELETE)
    assert gone
    assert last["metadata"]["deletionGracePeriodSeconds"] == 0
    assert seen == [("MODIFIED", True), ("DELETED", True)]


def test_a_definition_gets_its_finalizer_when_it_is_to_go(registry: Registry) -> None:
    definitions = registry.catalogue.named("customresourcedefinitions.apiextensions.k8s.io")
    names = {"plural": "things", "kind": "Thing"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    spec = {"group": "x.io", "scope": "Namespaced", "names": names, "versions": [version]}
    made = registry.create(definitions, {"metadata": {"name": "things.x.io"}, "spec": spec}, asked=ASKED)
    assert "finalizers" not in made["metadata"]
    left, gone = registry.delete(definitions, Key("", "things.x.io"), asked=DELETE)
    assert not gone
    assert left["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    assert left["metadata"]["generation"] == made["metadata"]["generation"]
    assert left["status"]["conditions"][-1]["reason"] == "InstanceDeletionPending"


def test_a_new_event_says_who_reports_what(registry: Registry) -> None:
    events = registry.catalogue.named("events.events.k8s.io")
    with pytest.raises(Refusal) as why:
        registry.create(events, {"metadata": {"name": "e"}, "type": "Odd"}, namespace="here", asked=ASKED)
    assert why.value.message.startswith('Event "e" is invalid: [')
    assert {cause["field"] for cause in why.value.details["causes"]} == {
        "eventTime",
        "type",
        "involvedObject.namespace",
    }
    body = {"metadata": {"name": "e"}, "type": "Normal", "eventTime": "2026-01-01T00:00:00.000000Z"}
    with pytest.raises(Refusal) as why:
        registry.create(events, body, namespace="here", asked=ASKED)
    fields = {cause["field"] for cause in why.value.details["causes"]}
    assert fields == {"involvedObject.namespace", "reportingController", "reportingInstance", "action", "reason"}
