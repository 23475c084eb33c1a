"""``litmus install`` against a small API server: what it does, says, and refuses."""

import msgspec
import pytest
import yaml

from litmus.cli import components, failures, install, manifests, parts, rollout
from litmus.hub import charts
from litmus.kube import Cluster, errors, objects, waiting
from tests import apiserver, samples

ORDER = [
    "customresourcedefinition.apiextensions.k8s.io/chaosengines.litmuschaos.io",
    "customresourcedefinition.apiextensions.k8s.io/chaosexperiments.litmuschaos.io",
    "customresourcedefinition.apiextensions.k8s.io/chaosresults.litmuschaos.io",
    "customresourcedefinition.apiextensions.k8s.io/chaosschedules.litmuschaos.io",
    "namespace/litmus",
    "serviceaccount/litmus",
    "clusterrole.rbac.authorization.k8s.io/litmus",
    "clusterrolebinding.rbac.authorization.k8s.io/litmus",
    "role.rbac.authorization.k8s.io/litmus",
    "rolebinding.rbac.authorization.k8s.io/litmus",
    "deployment.apps/chaos-operator-ce",
]
HUB = [
    "serviceaccount/chaos-hub",
    "configmap/chaos-hub",
    "service/chaos-hub",
    "deployment.apps/chaos-hub",
]
DASHBOARDS = [
    f"configmap/litmus-{name}-dashboard"
    for name in ("overview", "experiment", "resources", "operator", "kafka", "cassandra", "openebs")
]
MONITORS = [
    "podmonitor.monitoring.coreos.com/chaos-operator",
    "servicemonitor.monitoring.coreos.com/chaos-exporter",
    "prometheusrule.monitoring.coreos.com/litmus",
]
READY = "The operator is ready in namespace litmus and runs the engines of the whole cluster."


@pytest.fixture(autouse=True)
def _controllers(server: apiserver.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that serves what is defined and runs what is deployed."""
    monkeypatch.setattr(waiting, "POLL_S", 0.01)
    monkeypatch.setattr(waiting, "_HEARTBEAT_S", 0.05)
    server.on("patch", "customresourcedefinitions", establish)
    server.on("patch", "deployments", roll_out)


def establish(server: apiserver.Server, definition: apiserver.Object) -> None:
    status = {"status": {"conditions": [{"type": "Established", "status": "True"}]}}
    server.change("customresourcedefinitions", definition["metadata"]["name"], status, namespace="")


def roll_out(server: apiserver.Server, deployment: apiserver.Object) -> None:
    meta, wanted = deployment["metadata"], deployment["spec"]["replicas"]
    status = {"replicas": wanted, "updatedReplicas": wanted, "readyReplicas": wanted, "observedGeneration": 1}
    server.change("deployments", meta["name"], {"metadata": {"generation": 1}, "status": status}, meta["namespace"])


def stuck(server: apiserver.Server) -> None:
    """From now on a Deployment stays without a ready pod."""
    server._callbacks["patch", "deployments"].clear()


def operator_pod(**given: object) -> dict:
    pod = samples.pod("chaos-operator-ce-1", owner=None, labels=manifests.POD_LABELS, **given)
    pod["metadata"]["namespace"] = "litmus"
    pod["spec"]["containers"] = [{"name": "chaos-operator", "image": "litmus:mine"}]
    return pod


async def test_everything_is_created_in_order_and_then_ready(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    assert await install.install(kubeconfig=kubeconfig) == 0

    assert capsys.readouterr().out.splitlines() == [*(f"{title} created" for title in ORDER), READY]


async def test_repeating_it_is_harmless_and_says_so(kubeconfig: str, capsys: pytest.CaptureFixture[str]):
    await install.install(kubeconfig=kubeconfig)
    capsys.readouterr()

    assert await install.install(kubeconfig=kubeconfig) == 0

    assert capsys.readouterr().out.splitlines() == [*(f"{title} unchanged" for title in ORDER), READY]


async def test_another_image_configures_the_deployment_alone(kubeconfig: str, capsys: pytest.CaptureFixture[str]):
    await install.install(kubeconfig=kubeconfig)
    capsys.readouterr()

    await install.install(kubeconfig=kubeconfig, image="litmus:newer")

    changed = [line for line in capsys.readouterr().out.splitlines() if line.endswith("configured")]
    assert changed == ["deployment.apps/chaos-operator-ce configured"]


async def test_the_definitions_are_served_before_the_operator_is_created(kubeconfig: str, server: apiserver.Server):
    await install.install(kubeconfig=kubeconfig)

    asked = [str(request) for request in server.asked]
    last_look = max(i for i, request in enumerate(asked) if request == "list customresourcedefinitions")
    assert last_look < asked.index("patch deployments chaos-operator-ce")


async def test_a_definition_that_is_not_accepted_is_an_error_with_its_reason(kubeconfig: str, server: apiserver.Server):
    def refuse(server: apiserver.Server, definition: apiserver.Object) -> None:
        condition = {"type": "NamesAccepted", "status": "False", "message": "the name is taken"}
        status = {"status": {"conditions": [condition]}}
        server.change("customresourcedefinitions", definition["metadata"]["name"], status, namespace="")

    server.on("patch", "customresourcedefinitions", refuse)

    with pytest.raises(errors.Invalid, match="the name is taken"):
        await install.install(kubeconfig=kubeconfig)


async def test_an_existing_namespace_is_left_as_it_is(kubeconfig: str, server: apiserver.Server):
    server.put("namespaces", {"metadata": {"name": "litmus", "labels": {"team": "mine"}}}, namespace="")

    await install.install(kubeconfig=kubeconfig)

    assert not {"create", "patch"} & set(server.verbs("namespaces"))


async def test_who_may_not_look_at_namespaces_can_install_into_one(kubeconfig: str, server: apiserver.Server):
    server.forbid("get", "namespaces")

    assert await install.install(namespace="team", scope="namespaced", kubeconfig=kubeconfig) == 0


async def test_who_may_not_define_kinds_is_told_how_to_go_on(kubeconfig: str, server: apiserver.Server):
    server.forbid("patch", "customresourcedefinitions")

    with pytest.raises(errors.Forbidden, match="--no-crds"):
        await install.install(kubeconfig=kubeconfig)

    assert await install.install(kubeconfig=kubeconfig, crds=False) == 0


async def test_a_second_operator_for_the_same_engines_is_refused_before_anything_is_changed(
    kubeconfig: str, server: apiserver.Server
):
    await install.install(kubeconfig=kubeconfig)
    server.asked.clear()

    for scope in ("cluster", "namespaced"):
        with pytest.raises(failures.Failed, match=r"already an operator in namespace litmus .* must not have two"):
            await install.install(namespace="team", scope=scope, kubeconfig=kubeconfig)

    assert {request.verb for request in server.asked} == {"list"}


async def test_operators_of_different_namespaces_live_side_by_side(kubeconfig: str):
    for team in ("red", "blue"):
        assert await install.install(namespace=team, scope="namespaced", kubeconfig=kubeconfig) == 0


async def test_a_change_of_scope_needs_an_uninstall_so_that_no_rights_are_left_over(kubeconfig: str):
    await install.install(kubeconfig=kubeconfig)

    with pytest.raises(failures.Failed, match="to change its scope, first run: litmus uninstall --namespace litmus"):
        await install.install(scope="namespaced", kubeconfig=kubeconfig)


async def test_the_operator_of_the_original_in_another_namespace_counts_too(kubeconfig: str, server: apiserver.Server):
    variables = [{"name": "WATCH_NAMESPACE", "value": ""}]
    template = {"spec": {"containers": [{"name": "chaos-operator", "image": "original:1.10.0", "env": variables}]}}
    original = {"metadata": {"name": "chaos-operator-ce"}, "spec": {"template": template}}
    server.put("deployments", original, namespace="chaos")

    with pytest.raises(failures.Failed, match="already an operator in namespace chaos"):
        await install.install(kubeconfig=kubeconfig)


async def test_without_waiting_it_returns_at_once(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    stuck(server)

    assert await install.install(kubeconfig=kubeconfig, wait=False) == 0
    assert READY not in capsys.readouterr().out


async def test_what_keeps_the_operator_from_being_ready_is_said_at_once_and_in_the_error(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    stuck(server)
    state = samples.waiting("ImagePullBackOff", "no such image")
    server.put("pods", operator_pod(containers=[samples.container(ready=False, state=state)]), namespace="litmus")

    with pytest.raises(
        errors.TimedOut, match=r"not ready after 3 s: ImagePullBackOff: no such image; is litmus:mine in"
    ):
        await install.install(kubeconfig=kubeconfig, image="litmus:mine", deadline=3)

    assert capsys.readouterr().err.count("waiting for the operator: ImagePullBackOff: no such image") == 1


async def test_a_component_is_created_after_the_operator_and_waited_for(
    kubeconfig: str, capsys: pytest.CaptureFixture[str]
):
    assert await install.install(with_=("hub",), kubeconfig=kubeconfig) == 0

    *created, operator, hub = capsys.readouterr().out.splitlines()
    assert created == [f"{title} created" for title in [*ORDER, *HUB]]
    assert operator == READY
    assert hub.startswith("The hub is ready. To look at it: kubectl -n litmus port-forward service/chaos-hub")


async def test_without_the_option_a_component_stays_as_it_is(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    await install.install(with_=("hub",), kubeconfig=kubeconfig)
    before = server.get("deployments", "chaos-hub", "litmus")
    capsys.readouterr()

    await install.install(kubeconfig=kubeconfig, image="litmus:newer")

    assert server.get("deployments", "chaos-hub", "litmus") == before
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"The hub still runs {charts.DEFAULT_IMAGE}; --with hub brings it to litmus:newer."
    )


async def test_a_component_that_is_named_again_is_upgraded(kubeconfig: str, capsys: pytest.CaptureFixture[str]):
    await install.install(with_=("hub",), kubeconfig=kubeconfig)
    capsys.readouterr()

    await install.install(with_=("hub",), kubeconfig=kubeconfig, image="litmus:newer")

    lines = capsys.readouterr().out.splitlines()
    assert "deployment.apps/chaos-hub configured" in lines
    assert not [line for line in lines if "still runs" in line]


async def test_the_hubs_that_users_have_listed_are_not_touched(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    await install.install(with_=("hub",), kubeconfig=kubeconfig)
    theirs = {"hubs.yaml": "- {name: ours, url: https://git.example/hub}"}
    server.change("configmaps", "chaos-hub", {"data": theirs}, "litmus")
    capsys.readouterr()

    await install.install(with_=("hub",), kubeconfig=kubeconfig)

    assert server.get("configmaps", "chaos-hub", "litmus")["data"] == theirs
    assert "configmap/chaos-hub unchanged" in capsys.readouterr().out


async def test_the_dashboards_are_installed_where_there_is_no_operator_of_prometheus(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    assert await install.install(with_=("monitoring",), kubeconfig=kubeconfig) == 0

    lines = capsys.readouterr().out.splitlines()[len(ORDER) :]
    assert lines[: len(DASHBOARDS)] == [f"{title} created" for title in DASHBOARDS]
    assert [line.partition(":")[0] for line in lines[len(DASHBOARDS) :][:3]] == [f"{t} left out" for t in MONITORS]
    assert lines[-1].startswith("The monitoring is installed. Grafana's sidecar finds the dashboards")


async def test_monitors_and_rules_are_installed_where_their_definitions_are(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    served = [{"name": name} for name in ("podmonitors", "servicemonitors", "prometheusrules")]
    server.documents["/apis/monitoring.coreos.com/v1"] = {"resources": served}

    await install.install(with_=("monitoring",), kubeconfig=kubeconfig)

    lines = capsys.readouterr().out.splitlines()
    assert {f"{title} created" for title in MONITORS} <= set(lines)
    assert server.get("prometheusrules", "litmus", "litmus")["spec"]["groups"]


async def test_an_unknown_component_is_refused_before_the_cluster_is_asked(kubeconfig: str, server: apiserver.Server):
    with pytest.raises(
        failures.Misused, match="--with: there is no component 'hob'; there is exporter, hub, monitoring"
    ):
        await install.install(with_=("hob",), kubeconfig=kubeconfig)

    assert server.asked == []


@pytest.mark.parametrize("scope", ["cluster", "namespaced"])
async def test_rendering_prints_the_components_too(scope: parts.Scope, capsys: pytest.CaptureFixture[str]):
    assert await install.install(with_=("hub",), render=True, scope=scope, namespace="team", image="litmus:mine") == 0

    made = list(yaml.safe_load_all(capsys.readouterr().out))
    assert [m["kind"] for m in made][-4:] == ["ServiceAccount", "ConfigMap", "Service", "Deployment"]
    assert made[-1]["metadata"]["namespace"] == "team"


async def test_what_keeps_a_component_from_being_ready_is_said(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    await install.install(kubeconfig=kubeconfig)
    stuck(server)
    pod = samples.pod("chaos-hub-1", owner=None, labels=dict(components.named(["hub"])[0].labels))
    pod["metadata"]["namespace"] = "litmus"
    pod["spec"]["containers"] = [{"name": "hub", "image": charts.DEFAULT_IMAGE}]
    pod["status"]["containerStatuses"] = [
        samples.container(ready=False, state=samples.waiting("ImagePullBackOff", "no such image"))
    ]
    server.put("pods", pod, namespace="litmus")

    with pytest.raises(errors.TimedOut, match="the hub is not ready after 3 s: ImagePullBackOff: no such image"):
        await install.install(with_=("hub",), kubeconfig=kubeconfig, deadline=3)

    assert "waiting for the hub: ImagePullBackOff" in capsys.readouterr().err


async def blocked_by(cluster: Cluster, deployment: dict) -> str:
    deployments = [msgspec.convert(deployment, rollout.Deployment)]
    return await rollout.blocked_by(cluster, rollout.OPERATOR, deployments, namespace="litmus", image="litmus:mine")


async def test_the_last_words_of_an_operator_that_crashes_are_quoted(cluster: Cluster, server: apiserver.Server):
    state = samples.waiting("CrashLoopBackOff", "back-off 10s")
    server.put("pods", operator_pod(containers=[samples.container(ready=False, state=state)]), namespace="litmus")

    assert await blocked_by(cluster, {}) == ("CrashLoopBackOff: back-off 10s; its last words: first line / second line")


async def test_a_pod_of_the_image_before_is_not_taken_for_the_reason(cluster: Cluster, server: apiserver.Server):
    old = operator_pod(containers=[samples.container(ready=False, state=samples.waiting("ImagePullBackOff", "gone"))])
    old["spec"]["containers"][0]["image"] = "litmus:before"
    server.put("pods", old, namespace="litmus")

    assert await blocked_by(cluster, {}) == ""


async def test_a_pod_that_cannot_be_created_is_explained(cluster: Cluster):
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}

    assert await blocked_by(cluster, {"status": {"conditions": [condition]}}) == (
        "its pod can't be created: exceeded quota"
    )


def test_a_pod_without_a_node_is_explained_by_the_scheduler():
    pod = operator_pod(containers=[], phase="Pending")
    pod["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available"}]

    assert rollout.stuck(msgspec.convert(pod, objects.Pod)) == "no node for it: 0/2 nodes are available"


def test_a_pod_that_is_simply_starting_is_not_stuck():
    pod = operator_pod(containers=[samples.container(ready=False, state=samples.waiting("ContainerCreating"))])

    assert rollout.stuck(msgspec.convert(pod, objects.Pod)) == ""


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}, True),
        ({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}, False),
        ({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1}, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "readyReplicas": 2}, False),
        ({}, False),
    ],
    ids=["ready", "not seen yet", "not ready", "an old pod is left", "new"],
)
def test_a_rollout_is_done_when_every_pod_is_new_and_ready(status: dict, done: bool):
    deployment = {"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status}

    assert msgspec.convert(deployment, rollout.Deployment).rolled_out is done
