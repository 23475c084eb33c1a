"""Objects in memory, their revisions, and what watches are told."""

import pytest

from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.status import Refusal
from litmus.sandbox.machinery.store import Event, Store


def thing(name: str, **more: object) -> Obj:
    return {"metadata": {"name": name, "namespace": "here"}, **more}


def put(store: Store, name: str, **more: object) -> Obj:
    return store.put("things", Key("here", name), thing(name, **more))


def test_every_write_has_a_revision_of_its_own() -> None:
    store = Store()
    first, second = put(store, "a"), put(store, "b")
    third = put(store, "a", data=1)
    revisions = [int(obj["metadata"]["resourceVersion"]) for obj in (first, second, third)]
    assert revisions == sorted(set(revisions))
    assert store.revision == revisions[-1]


def test_a_list_is_in_the_order_of_namespaces_and_names() -> None:
    store = Store()
    for namespace, name in (("b", "1"), ("a", "2"), ("a", "1")):
        store.put("things", Key(namespace, name), {"metadata": {"name": name, "namespace": namespace}})
    assert [obj["metadata"]["namespace"] + obj["metadata"]["name"] for obj in store.list("things")] == [
        "a1",
        "a2",
        "b1",
    ]
    assert [obj["metadata"]["name"] for obj in store.list("things", "a")] == ["1", "2"]


def test_listeners_hear_of_every_change_with_the_state_before() -> None:
    store, heard = Store(), list[Event]()
    stop = store.subscribe("things", heard.append)
    put(store, "a")
    put(store, "a", data=1)
    store.put("others", Key("", "x"), {"metadata": {"name": "x"}})
    store.remove("things", Key("here", "a"))
    stop()
    put(store, "b")
    assert [(event.type, (event.previous or {}).get("data")) for event in heard] == [
        ("ADDED", None),
        ("MODIFIED", None),
        ("DELETED", 1),
    ]


def test_a_removed_object_carries_the_revision_of_its_removal() -> None:
    store = Store()
    stored = put(store, "a")
    last = store.remove("things", Key("here", "a"))
    assert int(last["metadata"]["resourceVersion"]) == store.revision > int(stored["metadata"]["resourceVersion"])
    assert stored["metadata"]["resourceVersion"] != last["metadata"]["resourceVersion"]


def test_a_watch_can_start_at_any_revision_that_is_remembered() -> None:
    store = Store()
    start = store.revision
    put(store, "a")
    middle = store.revision
    store.put("others", Key("", "x"), {"metadata": {"name": "x"}})
    put(store, "b")
    assert [event.key.name for event in store.since("things", start)] == ["a", "b"]
    assert [event.key.name for event in store.since("things", middle)] == ["b"]
    assert store.since("things", store.revision) == []


def test_a_revision_that_is_forgotten_is_refused_as_expired() -> None:
    store = Store(remembered=2)
    start = store.revision
    for name in "abc":
        put(store, name)
    with pytest.raises(Refusal) as refused:
        store.since("things", start)
    assert (refused.value.code, refused.value.reason) == (410, "Expired")
    assert [event.key.name for event in store.since("things", start + 1)] == ["b", "c"]


def test_a_loaded_store_goes_on_counting_and_remembers_nothing() -> None:
    store = Store()
    store.load({"things": {Key("here", "a"): thing("a")}}, 77)
    with pytest.raises(Refusal):
        store.since("things", 76)
    assert put(store, "b")["metadata"]["resourceVersion"] == "78"
    assert len(store.list("things")) == 2
