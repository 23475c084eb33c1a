"""Whether an engine may run at all: its application is there, and has agreed to chaos."""

import pytest

from litmus.api import names
from litmus.api.targeting import ANY_OWNER, POD, AppTarget
from litmus.experiments import admission
from tests import samples

WILLING = {names.CHAOS_ANNOTATION: "true"}


def deployment(name: str, *, willing: bool, labels: dict | None = None) -> dict:
    meta = {"name": name, "labels": labels or {"app": "web"}, "annotations": WILLING if willing else {}}
    return {"metadata": meta}


async def targets(cluster, **spec) -> list[AppTarget]:
    return await admission.targets(cluster, samples.an_engine(**spec))


async def refusal(cluster, **spec) -> str:
    with pytest.raises(admission.Refused) as caught:
        await targets(cluster, **spec)
    return str(caught.value)


async def test_an_annotated_application_is_targeted_workload_by_workload(server, cluster):
    server.put("deployments", deployment("web", willing=True))
    server.put("deployments", deployment("web-canary", willing=False))
    assert await targets(cluster) == [AppTarget(kind="deployment", namespace="shop", names=("web",))]


async def test_an_application_without_the_annotation_is_refused_with_the_command_that_sets_it(server, cluster):
    server.put("deployments", deployment("web", willing=False))
    assert await refusal(cluster) == (
        "deployment with label app=web in namespace shop does not carry the annotation litmuschaos.io/chaos=true; "
        'run: kubectl annotate deployment NAME litmuschaos.io/chaos="true" -n shop, '
        "or set spec.annotationCheck to 'false'"
    )


async def test_without_the_check_nothing_is_asked_and_the_engine_is_taken_at_its_word(server, cluster):
    expected = [AppTarget(kind="deployment", namespace="shop", labels="app=web")]
    assert await targets(cluster, annotationCheck="false") == expected
    assert server.asked == []


async def test_an_application_that_is_not_there_is_refused(cluster):
    assert (await refusal(cluster)).startswith("nothing matches deployment with label app=web in namespace shop")


async def test_an_annotation_that_may_not_be_read_is_refused_with_the_servers_words(server, cluster):
    server.forbid("list", "deployments")
    assert 'cannot list resource "deployments"' in await refusal(cluster)


async def test_pods_without_a_workload_agree_by_their_own_annotation_and_stay_targeted_by_label(server, cluster):
    server.put("pods", samples.pod("one", annotations=WILLING))
    appinfo = {"appns": "shop", "applabel": "app=web"}
    assert await targets(cluster, appinfo=appinfo) == [AppTarget(kind=ANY_OWNER, namespace="shop", labels="app=web")]


async def test_of_all_pods_of_a_namespace_only_those_that_agree_are_targeted(server, cluster):
    server.put("pods", samples.pod("one", annotations=WILLING))
    server.put("pods", samples.pod("two"))
    assert await targets(cluster, appinfo={"appns": "shop"}) == [AppTarget(kind=POD, namespace="shop", names=("one",))]


async def test_an_engine_without_an_application_needs_no_annotation(server, cluster):
    assert await targets(cluster, appinfo={}) == []
    assert server.asked == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"chaosServiceAccount": ""}, "spec.chaosServiceAccount is empty"),
        (
            {"selectors": {"pods": [{"namespace": "shop", "names": "a"}]}},
            "spec.appinfo and spec.selectors both name an application",
        ),
        ({"appinfo": {}, "selectors": {}}, "spec.selectors: give either pods or workloads"),
        (
            {
                "appinfo": {},
                "selectors": {
                    "pods": [{"namespace": "shop", "names": "a"}],
                    "workloads": [{"kind": "deployment", "namespace": "shop", "names": "a"}],
                },
            },
            "spec.selectors: give either pods or workloads",
        ),
        (
            {"appinfo": {}, "selectors": {"workloads": [{"kind": "deployment", "namespace": "shop"}]}},
            "deployment in shop needs names or labels",
        ),
        (
            {
                "appinfo": {},
                "selectors": {
                    "workloads": [{"kind": "deployment", "namespace": "shop", "names": "a", "labels": "b=c"}]
                },
            },
            "deployment in shop needs names or labels",
        ),
        ({"auxiliaryAppInfo": "db"}, "spec.auxiliaryAppInfo: 'db' is not of the form namespace:label"),
    ],
)
async def test_an_engine_that_contradicts_itself_is_refused_before_anything_is_asked(server, cluster, spec, words):
    assert words in await refusal(cluster, **spec)
    assert server.asked == []


async def test_a_label_without_a_value_is_refused_with_how_to_write_it(cluster):
    found = await refusal(cluster, appinfo={"appns": "shop", "applabel": "tier", "appkind": "deployment"})
    assert found == "label selector 'tier' names no value; write tier=VALUE, or tier!=none for any value"
