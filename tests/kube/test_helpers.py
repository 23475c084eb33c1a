"""Helper pods: what they are allowed, what they report, and that they never stay."""

import asyncio
import json

import pytest

from litmus.api import names
from litmus.kube import errors, helpers
from tests import samples

IMAGE = helpers.Image(name="litmus:1", pull_policy="Never", pull_secrets=("registry",))


def manifest(**changes):
    wanted = {
        "experiment": "container-kill",
        "node": "node-7",
        "image": IMAGE,
        "request": {"mechanism": "kill", "targets": []},
        "needs": helpers.Needs(capabilities=("KILL",), holds=False),
    }
    return helpers.manifest(samples.an_engine(), **(wanted | changes))


def test_a_helper_never_gets_a_service_account_token():
    assert manifest()["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("capabilities", [["KILL"], ["NET_ADMIN"], []])
def test_a_helper_has_the_capabilities_of_its_mechanism_and_no_others(capabilities):
    [container] = manifest(needs=helpers.Needs(capabilities=tuple(capabilities), holds=False))["spec"]["containers"]
    security = container["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"], "add": capabilities}
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert not security.get("privileged")


def test_a_helper_goes_to_its_node_whatever_taints_it_has():
    spec = manifest()["spec"]
    assert spec["nodeName"] == "node-7"
    assert spec["tolerations"] == [{"operator": "Exists"}]


def test_a_helper_sees_the_processes_of_its_node_and_shares_nothing_else_with_it():
    spec = manifest()["spec"]
    assert spec["hostPID"] is True
    assert not {"hostNetwork", "hostIPC", "volumes"} & set(spec)


def test_a_helper_ends_by_itself_and_is_never_started_again():
    spec = manifest()["spec"]
    assert spec["restartPolicy"] == "Never"
    assert 0 < spec["activeDeadlineSeconds"] <= 120


def test_a_helper_is_owned_by_the_engine_without_a_right_on_finalizers():
    [owner] = manifest()["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("ChaosEngine", "shop-chaos", samples.ENGINE_UID)
    assert "blockOwnerDeletion" not in owner


def test_a_helper_is_found_by_the_labels_of_its_engine_and_experiment():
    labels = manifest()["metadata"]["labels"]
    assert labels[names.CHAOS_UID] == samples.ENGINE_UID
    assert labels[names.EXPERIMENT_LABEL] == "container-kill"
    assert labels[names.APP] == "container-kill-helper"
    assert labels[names.COMPONENT] == names.HELPER_COMPONENT


def test_a_helper_runs_the_experiments_own_image_with_one_request():
    request = {"mechanism": "kill", "targets": [{"name": "a b", "parameters": {"signal": "SIGKILL"}}]}
    spec = manifest(request=request)["spec"]
    [container] = spec["containers"]
    assert (container["image"], container["imagePullPolicy"]) == ("litmus:1", "Never")
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert container["command"] == ["litmus", "fault"]
    [argument] = container["args"]
    assert json.loads(argument) == request


def test_a_standby_is_a_second_container_that_may_do_what_the_first_one_may():
    needs = helpers.Needs(capabilities=("NET_ADMIN",))
    fault, standby = manifest(needs=needs, standby={"standby": "abc"})["spec"]["containers"]
    assert (fault["name"], standby["name"]) == ("fault", "standby")
    assert json.loads(standby["args"][0]) == {"standby": "abc"}
    assert {key: fault[key] for key in fault.keys() - {"name", "args"}} == {
        key: standby[key] for key in standby.keys() - {"name", "args"}
    }


def test_two_helpers_have_two_names():
    assert manifest()["metadata"]["name"] != manifest()["metadata"]["name"]


@pytest.mark.parametrize(
    "reason",
    ["ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError", "ImagePullBackOff", "RunContainerError"],
)
def test_a_pod_that_can_not_start_by_itself_says_so_with_the_kubelets_words(reason):
    pod = samples.a_pod(containers=[samples.container(state=samples.waiting(reason, "not found"))])
    assert helpers.stuck_reason(pod) == f"{reason}: not found"


@pytest.mark.parametrize("state", [samples.waiting("ContainerCreating"), samples.waiting("PodInitializing"), None])
def test_a_pod_that_is_only_slow_is_not_stuck(state):
    assert helpers.stuck_reason(samples.a_pod(containers=[samples.container(state=state)])) == ""


def test_a_pod_of_which_nothing_is_known_yet_is_not_stuck():
    assert helpers.stuck_reason(samples.a_pod(containers=[])) == ""


async def test_our_own_image_is_that_of_the_pod_we_run_in(server, cluster):
    pod = samples.pod("pod-delete-x")
    pod["spec"] |= {"imagePullSecrets": [{"name": "registry"}]}
    pod["spec"]["containers"][0] |= {"image": "registry/litmus:9", "imagePullPolicy": "Always"}
    server.put("pods", pod)
    image = await helpers.own_image(cluster, pod="pod-delete-x", namespace="shop")
    assert image == helpers.Image(name="registry/litmus:9", pull_policy="Always", pull_secrets=("registry",))


def kubelet(**status):
    """Reports this status of every pod that is created."""

    def report(server, pod):
        server.change("pods", pod["metadata"]["name"], {"status": status})

    return report


def ended(exit_code: int, message: str) -> dict:
    state = samples.terminated(exit_code, message=message)
    return {"phase": "Succeeded", "containerStatuses": [samples.container("fault", state=state)]}


async def test_a_helpers_report_is_read_from_its_termination_message_and_the_pod_removed(server, cluster):
    server.on("create", "pods", kubelet(**ended(0, '{"targets":[]}')))
    assert await helpers.run(cluster, manifest(), namespace="shop") == {"targets": []}
    assert server.all("pods") == []


async def test_a_helper_that_fails_still_reports(server, cluster):
    server.on("create", "pods", kubelet(**ended(2, '{"targets":[{"name":"a","holds":false}]}')))
    report = await helpers.run(cluster, manifest(), namespace="shop")
    assert report["targets"] == [{"name": "a", "holds": False}]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (ended(137, ""), "ended with exit code 137"),
        (ended(1, "no such file: litmus"), "no such file: litmus"),
        (
            {
                "phase": "Pending",
                "containerStatuses": [samples.container("fault", state=samples.waiting("ErrImageNeverPull", "absent"))],
            },
            "can't start: ErrImageNeverPull: absent",
        ),
        ({"phase": "Failed", "message": "Pod was rejected: no KILL", "containerStatuses": []}, "no KILL"),
    ],
)
async def test_a_helper_without_a_report_is_an_error_with_the_words_there_are_and_is_removed(
    server, cluster, status, words
):
    server.on("create", "pods", kubelet(**status))
    with pytest.raises(errors.KubeError, match=words):
        await helpers.run(cluster, manifest(), namespace="shop")
    assert server.all("pods") == []


async def test_a_helper_that_somebody_removes_is_an_error(server, cluster):
    server.on("create", "pods", lambda kept, pod: kept.remove("pods", pod["metadata"]["name"]))
    with pytest.raises(errors.NotFound, match="removed before it could report"):
        await helpers.run(cluster, manifest(), namespace="shop")


async def test_a_helper_is_removed_when_the_run_is_cancelled(server, cluster):
    task = asyncio.create_task(helpers.run(cluster, manifest(), namespace="shop"))
    await server.until_asked("watch", "pods")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.all("pods") == []


async def test_a_helper_that_never_ends_is_waited_for_no_longer_than_its_deadline(server, cluster, monkeypatch):
    monkeypatch.setattr(helpers, "START_DEADLINE_S", 0.05)
    with pytest.raises(errors.TimedOut, match=r"helper pod container-kill-helper-\w+ on node node-7 to finish"):
        await helpers.run(cluster, manifest(), namespace="shop")
    assert server.all("pods") == []
