"""Texts and answers are those of a real server (1.20)."""

import pytest

from litmus.sandbox.machinery import resources, status
from litmus.sandbox.machinery.selectors import fields

CATALOGUE = resources.built_in()
POD = {
    "metadata": {"name": "web-1", "namespace": "shop"},
    "spec": {"nodeName": "node1", "hostNetwork": True},
    "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]},
}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        (",,", True),
        ("metadata.name=web-1", True),
        ("metadata.name==web-1,", True),
        ("metadata.name!=web-1", False),
        ("metadata.namespace=shop,spec.nodeName=node1", True),
        ("metadata.namespace=shop,spec.nodeName=node2", False),
        ("status.phase!=Running,metadata.name=web-1", False),
        ("spec.hostNetwork=true", True),
        ("status.nominatedNodeName=", True),
        ("status.podIPs=10.0.0.1", False),
        ("metadata.name=web\\,1", False),
    ],
)
def test_pods_are_selected_by_their_fields(text: str, selected: bool) -> None:
    assert fields.parse(text, CATALOGUE.named("pods")).matches(POD) is selected


@pytest.mark.parametrize(
    ("resource", "text", "message"),
    [
        ("pods", "spec.foo=1", "field label not supported: spec.foo"),
        ("pods", "=x", "field label not supported: "),
        ("pods", " metadata.name = x ", "field label not supported:  metadata.name "),
        ("pods", "metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("pods", "a=1,b>2", "invalid selector: 'a=1,b>2'; can't understand 'b>2'"),
        ("pods", "metadata.name=a\\b", "invalid field selector: invalid escape sequence: \\b"),
        ("pods", "metadata.name=x\\", "invalid field selector: invalid escape sequence: \\"),
        ("pods", "metadata.name=a=c", "invalid field selector: unescaped character in value: 61"),
        ("nodes", "metadata.namespace=x", "field label not supported: metadata.namespace"),
        ("jobs.batch", "foo=1", 'field label "foo" not supported for Job'),
        ("events.events.k8s.io", "involvedObject.name=1", "field label not supported: involvedObject.name"),
        (
            "configmaps",
            "foo=1",
            '"foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (
            "replicasets.apps",
            "status.replicas=1",
            '"status.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
    ],
)
def test_what_the_kind_cannot_be_selected_by_is_a_bad_request(resource: str, text: str, message: str) -> None:
    with pytest.raises(status.Refusal) as refused:
        fields.parse(text, CATALOGUE.named(resource))
    assert (refused.value.code, refused.value.reason, refused.value.message) == (400, "BadRequest", message)


def test_numbers_and_flags_that_an_object_leaves_out_are_selected_by_their_zero() -> None:
    node = {"metadata": {"name": "n"}, "spec": {}}
    assert fields.parse("spec.unschedulable=false", CATALOGUE.named("nodes")).matches(node)
    assert fields.parse("status.successful=0", CATALOGUE.named("jobs.batch")).matches({"status": {}})
    assert fields.parse("status.successful=2", CATALOGUE.named("jobs.batch")).matches({"status": {"successful": "2"}})


def test_the_source_of_an_event_is_its_component_or_whoever_reports() -> None:
    events = CATALOGUE.named("events")
    assert fields.parse("source=kubelet", events).matches({"source": {"component": "kubelet"}})
    assert fields.parse("source=kopf", events).matches({"source": {}, "reportingComponent": "kopf"})


def test_the_newer_group_of_events_selects_the_stored_fields_by_its_own_names() -> None:
    event = {"involvedObject": {"name": "web-1"}, "reportingComponent": "kopf"}
    newer = CATALOGUE.named("events.events.k8s.io")
    assert fields.parse("regarding.name=web-1,reportingController=kopf", newer).matches(event)


def test_a_custom_resource_is_selected_by_the_fields_that_its_definition_names() -> None:
    custom = resources.Resource(
        group="shop.example", version="v1", plural="carts", singular="cart", kind="Cart", custom=True, namespaced=False
    )
    selector = fields.parse("spec.size=3,spec.paid=true", custom, selectable=(".spec.size", ".spec.paid"))
    assert selector.matches({"spec": {"size": 3, "paid": True}})
    assert not selector.matches({"spec": {"size": 3}})
    for unknown in ("spec.color=red", "metadata.namespace=x"):
        with pytest.raises(status.Refusal, match="field label not supported: "):
            fields.parse(unknown, custom)


def test_a_selector_tells_which_one_value_a_field_must_have() -> None:
    selector = fields.parse("metadata.name=a\\,b,status.phase!=Failed")
    assert selector.exact("metadata.name") == "a,b"
    assert selector.exact("status.phase") is None
    assert str(selector) == "metadata.name=a\\,b,status.phase!=Failed"
