"""Golden: a real server's answers to the same requests."""

import pytest

DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/d"
MERGE = "application/merge-patch+json"
CRD = {
    "metadata": {"name": "widgets.x.io"},
    "spec": {
        "group": "x.io",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.replicas",
                        "statusReplicasPath": ".status.replicas",
                        "labelSelectorPath": ".status.selector",
                    },
                },
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}


@pytest.fixture
def deployment(server):
    template = {"metadata": {"labels": {"x": "y"}}, "spec": {"containers": [{"name": "a", "image": "x"}]}}
    selector = {"matchLabels": {"x": "y"}, "matchExpressions": [{"key": "x", "operator": "In", "values": ["y", "z"]}]}
    spec = {"replicas": 2, "selector": selector, "template": template}
    return server.put("deployments.apps", {"metadata": {"name": "d"}, "spec": spec}, "shop")


def scale(replicas, **meta):
    whole = {"kind": "Scale", "apiVersion": "autoscaling/v1"}
    return {**whole, "metadata": {"name": "d", "namespace": "shop", **meta}, "spec": {"replicas": replicas}}


async def test_a_scale_is_read(server, deployment):
    meta = deployment["metadata"]
    assert (await server("GET", f"{DEPLOYMENT}/scale")).content == {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": "d",
            "namespace": "shop",
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": {"replicas": 2},
        "status": {"replicas": 0, "selector": "x=y,x in (y,z)"},
    }


async def test_a_scale_is_written(server, deployment):
    answer = await server("PUT", f"{DEPLOYMENT}/scale", scale(5))
    assert (answer.code, answer.content["spec"]) == (200, {"replicas": 5})
    answer = await server("PATCH", f"{DEPLOYMENT}/scale", {"spec": {"replicas": 0}}, type=MERGE)
    assert (answer.code, answer.content["spec"]) == (200, {})
    assert (await server("GET", DEPLOYMENT)).content["spec"]["replicas"] == 0


async def test_nothing_is_scaled_in_a_dry_run(server, deployment):
    answer = await server("PUT", f"{DEPLOYMENT}/scale?dryRun=All", scale(5))
    assert (answer.code, answer.content["spec"]) == (200, {"replicas": 5})
    assert (await server("GET", DEPLOYMENT)).content["spec"]["replicas"] == 2


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            scale(-1),
            422,
            'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        ),
        (scale(1, name="e"), 400, "the name of the object (e) does not match the name on the URL (d)"),
        (scale(1, namespace=""), 422, 'Scale.autoscaling "d" is invalid: metadata.namespace: Required value'),
        (
            scale(1, resourceVersion="1"),
            409,
            'Operation cannot be fulfilled on deployments.apps "d": the object has been modified; '
            "please apply your changes to the latest version and try again",
        ),
        (
            {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "d"}},
            400,
            'Deployment in version "v1" cannot be handled as a Scale: converting (v1.Deployment) to '
            "(autoscaling.Scale): unknown conversion",
        ),
    ],
)
async def test_a_bad_scale_is_refused(server, deployment, body, code, message):
    answer = await server("PUT", f"{DEPLOYMENT}/scale", body)
    assert (answer.code, answer.message) == (code, message)


async def test_another_uid_is_a_conflict(server, deployment):
    answer = await server("PUT", f"{DEPLOYMENT}/scale", scale(1, uid="x"))
    assert (answer.code, answer.content["reason"]) == (409, "Conflict")


async def test_a_number_is_needed(server, deployment):
    answer = await server("PATCH", f"{DEPLOYMENT}/scale", {"spec": {"replicas": "x"}}, type=MERGE)
    assert answer.code in (400, 422)


@pytest.mark.parametrize(
    ("method", "message"),
    [("GET", 'deployments/scale.apps "d" not found'), ("PUT", 'deployments.apps "d" not found')],
)
async def test_what_is_not_there_is_not_scaled(server, method, message):
    answer = await server(method, f"{DEPLOYMENT}/scale", scale(1) if method == "PUT" else None)
    assert (answer.code, answer.message) == (404, message)


async def test_other_verbs_are_not_there(server, deployment):
    assert (await server("DELETE", f"{DEPLOYMENT}/scale")).code == 405
    assert (await server("GET", "/apis/apps/v1/namespaces/shop/daemonsets/d/scale")).code == 404


async def test_a_custom_object_is_scaled_where_its_definition_says(server):
    server.put("customresourcedefinitions.apiextensions.k8s.io", CRD)
    widget = {"kind": "Widget", "apiVersion": "x.io/v1", "metadata": {"name": "d"}, "spec": {"replicas": 2}}
    path = "/apis/x.io/v1/namespaces/shop/widgets"
    assert (await server("POST", path, widget)).code == 201
    await server("PATCH", f"{path}/d/status", {"status": {"replicas": 1, "selector": "a=b"}}, type=MERGE)
    answer = await server("GET", f"{path}/d/scale")
    assert (answer.content["spec"], answer.content["status"]) == ({"replicas": 2}, {"replicas": 1, "selector": "a=b"})
    assert (await server("PUT", f"{path}/d/scale", scale(7))).content["spec"] == {"replicas": 7}
    assert (await server("GET", f"{path}/d")).content["spec"] == {"replicas": 7}
    answer = await server("PATCH", f"{path}/d/scale", {"spec": {"replicas": -1}}, type=MERGE)
    said = 'Widget.x.io "d" is invalid: .spec.replicas: Invalid value: -1: should be a non-negative integer'
    assert (answer.code, answer.message) == (422, said)


async def test_a_scale_of_another_object_or_type_is_refused_as_a_write_of_the_object_is(server, deployment):
    other = await server("PUT", f"{DEPLOYMENT}/scale", scale(1, uid="x"))
    assert (other.code, other.message.partition(": ")[0]) == (
        409,
        'Operation cannot be fulfilled on deployments.apps "d"',
    )
    many = await server("PATCH", f"{DEPLOYMENT}/scale", {"spec": {"replicas": "many"}}, type=MERGE)
    assert (many.code, many.content["details"]["causes"][0]["field"]) == (422, "patch")


async def test_each_kind_says_in_its_words_that_it_is_not_there(server):
    said = {}
    for kind, path in {"d": "apis/apps/v1", "r": "api/v1", "s": "apis/apps/v1"}.items():
        plural = {"d": "deployments", "r": "replicationcontrollers", "s": "statefulsets"}[kind]
        said[plural] = (await server("GET", f"/{path}/namespaces/shop/{plural}/none/scale")).message
    assert said == {
        "deployments": 'deployments/scale.apps "none" not found',
        "replicationcontrollers": 'replicationcontrollers/scale.autoscaling "none" not found',
        "statefulsets": 'statefulsets.apps "none" not found',
    }
