"""`litmus plan`: what an engine would do, found out by the code that does it, without changing anything."""

import pytest
from aiohttp import web

from litmus.api import names
from litmus.experiments import lifecycle, planning
from litmus.experiments.pod_delete import PodDelete
from litmus.kube import results
from tests import apiserver, samples
from tests.experiments import stage


@pytest.fixture(autouse=True)
def _shop(server):
    """A willing application of six pods, an installed experiment, and a service account that may do everything."""
    annotations = {names.CHAOS_ANNOTATION: "true"}
    server.put("deployments", {"metadata": {"name": "web", "labels": {"app": "web"}, "annotations": annotations}})
    for number in range(6):
        server.put("pods", samples.pod(f"web-{number}"))
    for name in ("pod-delete", "container-kill"):
        server.put("chaosexperiments", samples.experiment(name))
    server.put("serviceaccounts", {"metadata": {"name": "pod-delete-sa"}})
    with server.answer(authorizer()):
        yield


def authorizer(*refused: tuple[str, str]):
    def review(asked: apiserver.Asked) -> web.Response | None:
        if asked.plural != "subjectaccessreviews":
            return None
        wanted = asked.body["spec"]["resourceAttributes"]
        allowed = (wanted["verb"], wanted["resource"]) not in refused
        return web.json_response({**asked.body, "metadata": {}, "status": {"allowed": allowed}}, status=201)

    return review


async def plan(cluster, **spec) -> planning.EnginePlan:
    return await planning.of_engine(cluster, samples.an_engine(**spec))


def entry(name: str = "pod-delete", **env: str) -> dict:
    variables = [{"name": key, "value": value} for key, value in env.items()]
    return {"name": name, "spec": {"components": {"env": variables}}}


def texts(found: list[planning.Finding], level: str) -> list[str]:
    return [finding.text for finding in found if finding.level == level]


async def test_a_sound_engine_is_not_blocked_and_shows_whom_it_would_hit(cluster):
    found = await plan(cluster)
    assert not found.blocked
    assert found.application == "deployment web in namespace shop"
    [experiment] = found.experiments
    assert stage.names(experiment.candidates) == [f"web-{n}" for n in range(6)]
    assert len(experiment.first_round) == 1
    assert experiment.findings == []


async def test_planning_changes_nothing(server, cluster):
    before = dict(server.objects)
    await plan(cluster)
    assert server.objects == before
    assert {asked.verb for asked in server.asked if asked.plural != "subjectaccessreviews"} <= {"get", "list"}


@pytest.mark.parametrize("earlier", [0, 1, 2, 5])
async def test_the_first_round_of_the_plan_is_the_first_round_of_the_run(server, cluster, monkeypatch, earlier):
    for _ in range(earlier):
        diary = results.Results(cluster, namespace="shop", engine="shop-chaos", experiment="pod-delete")
        await diary.begin(engine_uid="u", pod="p")
        await diary.finish(results.Verdict(verdict="Pass"))
    [foreseen] = (await plan(cluster, experiments=[entry(PODS_AFFECTED_PERC="34")])).experiments

    stage.rounds(monkeypatch, 1)
    server.on("delete", "pods", stage.replace)
    server.put("chaosengines", samples.engine())
    env = {
        "CHAOSENGINE": "shop-chaos",
        "CHAOS_NAMESPACE": "shop",
        "TARGETS": "deployment:shop:[web]",
        "TOTAL_CHAOS_DURATION": "60",
        "PODS_AFFECTED_PERC": "34",
    }
    assert await lifecycle.execute(PodDelete(), cluster, env) == "Pass"
    hit = [asked.name for asked in server.asked if asked.verb == "delete"]
    assert sorted(hit) == stage.names(foreseen.first_round)
    assert len(hit) == 2


async def test_tunables_are_those_of_the_chart_overridden_by_the_engine(cluster):
    [experiment] = (await plan(cluster, experiments=[entry(FORCE="false")])).experiments
    assert experiment.tunables == {"TOTAL_CHAOS_DURATION": "15", "FORCE": "false"}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"appinfo": {"applabel": "app=db", "appkind": "deployment"}}, "nothing matches deployment"),
        ({"chaosServiceAccount": "nobody"}, "service account nobody is not in namespace shop; create it"),
        ({"experiments": [entry("pod-io-stress")]}, "ChaosExperiment pod-io-stress is not in namespace shop"),
        ({"experiments": [entry(PODS_AFFECTED_PERC="half")]}, "PODS_AFFECTED_PERC='half': must be a percentage"),
        ({"experiments": [entry(PODS_AFECTED_PERC="50")]}, "did you mean PODS_AFFECTED_PERC?"),
        ({"experiments": [entry(TARGET_PODS="web-9")]}, "TARGET_PODS: web-9 is not among the application's pods"),
        ({"experiments": [entry("container-kill", TARGET_CONTAINER="db")]}, "has no such container, only web"),
    ],
)
async def test_what_would_end_in_an_error_blocks_the_plan(cluster, spec, words):
    found = await plan(cluster, **spec)
    assert found.blocked
    everything = [*found.findings, *(finding for one in found.experiments for finding in one.findings)]
    assert [text for text in texts(everything, "blocks") if words in text]


async def test_rights_that_the_service_account_lacks_block_the_plan_and_are_listed(server, cluster):
    refused = [("delete", "pods"), ("patch", "chaosresults"), ("create", "events")]
    with server.answer(authorizer(*refused)):
        found = await plan(cluster)
    [experiment] = found.experiments
    [text] = texts(experiment.findings, "blocks")
    assert text.startswith("service account pod-delete-sa lacks: ")
    for words in ("delete on pods", "patch on chaosresults.litmuschaos.io", "create on events"):
        assert words in text
    assert "apply the experiment's rbac.yaml" in text


async def test_rights_that_can_not_be_asked_for_are_only_a_remark(server, cluster):
    forbidden = lambda asked: (  # noqa: E731
        apiserver.failure(403, "no reviews") if asked.plural == "subjectaccessreviews" else None
    )
    with server.answer(forbidden):
        found = await plan(cluster)
    assert not found.blocked
    [experiment] = found.experiments
    assert "no reviews" in texts(experiment.findings, "informs")[0]


async def test_the_privileges_of_helper_pods_are_shown(cluster):
    [experiment] = (await plan(cluster, experiments=[entry("container-kill")])).experiments
    assert experiment.privileges == ("hostPID", "capability KILL")


async def test_an_application_with_one_replica_is_warned_of(server, cluster):
    for number in range(1, 6):
        server.remove("pods", f"web-{number}")
    [experiment] = (await plan(cluster)).experiments
    assert texts(experiment.findings, "warns") == [
        "deployment web has one replica: it will be down while its pod is replaced"
    ]


async def test_hitting_all_replicas_at_once_is_warned_of(cluster):
    [experiment] = (await plan(cluster, experiments=[entry(PODS_AFFECTED_PERC="100")])).experiments
    assert texts(experiment.findings, "warns") == ["all 6 pods of deployment web are hit at once: it will be down"]


async def test_a_pod_that_nobody_would_replace_is_warned_of(server, cluster):
    server.put("pods", samples.pod("alone", owner=None, labels={"app": "alone"}))
    appinfo = {"applabel": "app=alone"}
    [experiment] = (await plan(cluster, appinfo=appinfo, annotationCheck="false")).experiments
    assert texts(experiment.findings, "warns") == ["no workload owns alone: a deleted one does not come back"]


def budget(allowed: int) -> dict:
    return {
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 5, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": allowed},
    }


@pytest.mark.parametrize(("allowed", "warned"), [(1, True), (2, False)])
async def test_a_disruption_budget_that_would_be_violated_is_warned_of(server, cluster, allowed, warned):
    server.put("poddisruptionbudgets", budget(allowed))
    [experiment] = (await plan(cluster, experiments=[entry(PODS_AFFECTED_PERC="34")])).experiments
    expected = "PodDisruptionBudget web would be violated: it allows 1 disruptions now, the first round takes 2"
    assert texts(experiment.findings, "warns") == ([expected] if warned else [])


async def test_a_kill_inside_a_pod_is_none_of_a_disruption_budgets_business(server, cluster):
    server.put("poddisruptionbudgets", budget(0))
    [experiment] = (await plan(cluster, experiments=[entry("container-kill")])).experiments
    assert experiment.findings == []


async def test_budgets_that_may_not_be_read_are_only_a_remark(server, cluster):
    server.forbid("list", "poddisruptionbudgets")
    [experiment] = (await plan(cluster)).experiments
    assert "PodDisruptionBudgets in shop can't be read" in texts(experiment.findings, "informs")[0]


async def test_an_installed_experiment_of_somebody_else_is_a_warning(server, cluster):
    server.put("chaosexperiments", samples.experiment("kafka-broker-pod-failure"))
    found = await plan(cluster, experiments=[entry("kafka-broker-pod-failure")])
    assert not found.blocked
    [experiment] = found.experiments
    assert "its targets can't be foreseen" in texts(experiment.findings, "warns")[0]
