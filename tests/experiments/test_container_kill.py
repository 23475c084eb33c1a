"""container-kill: one helper a node signals, and the proof is another container in the same pod."""

import asyncio
import json

import pytest

from litmus.experiments import container_kill, tunables, verdicts
from litmus.kube import errors, helpers
from litmus.kube.objects import ContainerStatus
from tests import samples
from tests.experiments import stage

NEXT_ID = "fedcba9876543210" * 4


@pytest.fixture
async def begin(server, cluster, monkeypatch):
    async def context(*, rounds: int = 1, **env):
        stage.rounds(monkeypatch, rounds)
        return await stage.context(server, cluster, container_kill.ContainerKill(), **env)

    return context


async def inject(context) -> None:
    async with asyncio.timeout(10):
        await container_kill.ContainerKill().inject(context)


def request_of(pod: dict) -> dict:
    return json.loads(pod["spec"]["containers"][0]["args"][0])


def node(*, holds: bool = True, restart: bool = True, **restarted):
    """A kubelet with our helper on it: reports a signal, and starts the container again."""

    def run(server, pod):
        if "helper" not in pod["metadata"]["name"]:
            return
        targets = request_of(pod)["targets"]
        still = [{"name": target["name"], "holds": False, "asked": "", "delivered": "still runs"} for target in targets]
        report = {"held": len(targets) if holds else 0, "failed": [] if holds else still}
        ended = samples.container("fault", state=samples.terminated(0, message=json.dumps(report)))
        server.change("pods", pod["metadata"]["name"], {"status": {"phase": "Succeeded", "containerStatuses": [ended]}})
        for target in targets if restart else ():
            name, _, container = target["name"].partition("/")
            before = server.get("pods", name)["status"]["containerStatuses"]
            after = [
                status
                | (
                    {
                        "containerID": f"containerd://{NEXT_ID}",
                        "restartCount": status["restartCount"] + 1,
                        **restarted,
                    }
                    if status["name"] == container
                    else {}
                )
                for status in before
            ]
            server.change("pods", name, {"status": {"containerStatuses": after}})

    return run


def helper_requests(server) -> list[tuple[str, dict]]:
    created = [asked.body for asked in server.asked if asked.verb == "create" and asked.plural == "pods"]
    return [(pod["spec"]["nodeName"], request_of(pod)) for pod in created]


async def test_the_first_container_of_a_pod_is_killed_and_comes_back(server, begin):
    both = [samples.container("web"), samples.container("sidecar", id_="00" * 32)]
    server.put("pods", samples.pod("web-a", containers=both))
    server.on("create", "pods", node())
    await inject(await begin())
    [(where, request)] = helper_requests(server)
    assert where == "node-1"
    assert request["mechanism"] == "kill"
    [target] = request["targets"]
    assert target["name"] == "web-a/web"
    assert target["parameters"]["container_id"] == samples.CONTAINER_ID
    assert target["parameters"]["signal"] == "SIGKILL"
    [hit] = server.get("chaosresults", "shop-chaos-container-kill")["status"]["targets"]
    assert (hit["name"], hit["container"], hit["asked"]) == ("web-a", "web", "SIGKILL to the main process")
    assert hit["delivered"] == "restart count 0 → 1"
    assert hit["replacedBy"].endswith(NEXT_ID)


async def test_the_helper_runs_from_the_experiments_own_image(server, begin):
    server.put("pods", samples.pod("web-a"))
    server.on("create", "pods", node())
    await inject(await begin())
    [helper] = [asked.body for asked in server.asked if asked.verb == "create" and asked.plural == "pods"]
    [container] = helper["spec"]["containers"]
    assert (container["image"], container["imagePullPolicy"]) == ("web:1", "Never")
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["KILL"]}


async def test_a_named_container_and_a_signal_are_taken(server, begin):
    both = [samples.container("web"), samples.container("sidecar", id_="00" * 32)]
    server.put("pods", samples.pod("web-a", containers=both))
    server.on("create", "pods", node())
    await inject(await begin(TARGET_CONTAINER="sidecar", SIGNAL="term"))
    [(_, request)] = helper_requests(server)
    assert request["targets"][0]["parameters"]["container_id"] == "00" * 32
    assert request["targets"][0]["parameters"]["signal"] == "SIGTERM"


async def test_there_is_one_helper_a_node_for_all_its_targets(server, begin):
    for name, where in {"web-a": "node-1", "web-b": "node-1", "web-c": "node-2"}.items():
        server.put("pods", samples.pod(name, node=where))
    server.on("create", "pods", node())
    await inject(await begin(PODS_AFFECTED_PERC="100"))
    by_node = {where: sorted(t["name"] for t in request["targets"]) for where, request in helper_requests(server)}
    assert by_node == {"node-1": ["web-a/web", "web-b/web"], "node-2": ["web-c/web"]}
    assert not [pod for pod in server.all("pods") if "helper" in pod["metadata"]["name"]]


async def test_in_series_every_target_has_a_helper_of_its_own(server, begin):
    for name in ("web-a", "web-b"):
        server.put("pods", samples.pod(name))
    server.on("create", "pods", node())
    await inject(await begin(rounds=2, PODS_AFFECTED_PERC="100", SEQUENCE="serial"))
    assert [len(request["targets"]) for _, request in helper_requests(server)] == [1, 1]


async def test_the_record_is_written_before_a_helper_is_started_and_closed_after_the_proof(server, begin):
    server.put("pods", samples.pod("web-a"))
    recorded = []
    server.on(
        "create",
        "pods",
        lambda kept, _: recorded.append(
            [(f["state"], f["targets"][0]["container"]) for f in stage.ledger(kept, "container-kill")]
        ),
    )
    server.on("create", "pods", node())
    await inject(await begin())
    assert recorded == [[("planned", "web")]]
    assert [fault["state"] for fault in stage.ledger(server, "container-kill")] == ["moot"]


async def test_a_signal_without_an_effect_is_an_error_that_says_so(server, begin):
    server.put("pods", samples.pod("web-a"))
    server.on("create", "pods", node(holds=False, restart=False))
    with pytest.raises(verdicts.CannotRun, match="the signal had no effect on 1 of 1: web-a/web: still runs") as caught:
        await inject(await begin())
    assert caught.value.code == verdicts.INJECT


async def test_a_target_of_which_no_helper_speaks_was_not_hit(server, begin):
    """A report that had to be shortened names fewer failures than there are; the count tells."""
    for name in ("web-a", "web-b"):
        server.put("pods", samples.pod(name))

    def curt(kept, pod):
        state = samples.terminated(2, message='{"held":1,"failed":[]}')
        status = {"containerStatuses": [samples.container("fault", state=state)]}
        kept.change("pods", pod["metadata"]["name"], {"status": status})

    server.on("create", "pods", curt)
    with pytest.raises(verdicts.CannotRun, match="no effect on 1 of 2: the helper pods do not say why") as caught:
        await inject(await begin(PODS_AFFECTED_PERC="100"))
    assert caught.value.code == verdicts.INJECT


async def test_a_helper_that_can_not_work_is_an_error_with_its_words(server, begin):
    server.put("pods", samples.pod("web-a"))

    def broken(kept, pod):
        state = samples.terminated(4, message='{"error":"the request can\'t be read"}')
        status = {"containerStatuses": [samples.container("fault", state=state)]}
        kept.change("pods", pod["metadata"]["name"], {"status": status})

    server.on("create", "pods", broken)
    with pytest.raises(verdicts.CannotRun, match="helper pod on node node-1: the request can't be read") as caught:
        await inject(await begin())
    assert caught.value.code == verdicts.HELPER


async def test_a_container_that_is_not_started_again_is_a_failure(server, begin, monkeypatch):
    monkeypatch.setattr(container_kill, "_PATIENCE_S", 0.5)
    server.put("pods", samples.pod("web-a"))
    down = {"ready": False, "state": samples.waiting("CrashLoopBackOff"), "containerID": "", "restartCount": 0}
    server.on("create", "pods", node(**down))
    with pytest.raises(verdicts.CheckFailed) as caught:
        await inject(await begin(setting_={"check_timeout_s": 0.5}))
    assert str(caught.value) == ("container web of web-a was killed but not restarted within 0.5 s (CrashLoopBackOff)")
    assert caught.value.code == verdicts.STATUS_CHECKS


async def test_a_container_that_comes_back_but_is_not_ready_is_a_failure(server, begin, monkeypatch):
    monkeypatch.setattr(container_kill, "_PATIENCE_S", 0.5)
    server.put("pods", samples.pod("web-a"))
    server.on("create", "pods", node(ready=False))
    with pytest.raises(verdicts.CheckFailed, match=r"web of web-a was restarted but not ready within 0\.5 s"):
        await inject(await begin(setting_={"check_timeout_s": 0.5}))


async def test_a_pod_that_is_gone_after_the_kill_is_a_failure(server, begin):
    server.put("pods", samples.pod("web-a"))
    signalled = node(restart=False)

    def evicted(kept, pod):
        signalled(kept, pod)
        kept.remove("pods", "web-a")

    server.on("create", "pods", evicted)
    with pytest.raises(verdicts.CheckFailed, match="pod web-a is gone after its container web was killed"):
        await inject(await begin())


async def test_an_unknown_container_is_refused_before_anything_is_touched(server, begin):
    server.put("pods", samples.pod("web-a"))
    with pytest.raises(verdicts.CannotRun) as caught:
        await inject(await begin(TARGET_CONTAINER="wbe"))
    assert str(caught.value) == "TARGET_CONTAINER='wbe': pod web-a has no such container, only web"
    assert caught.value.code == verdicts.TARGET_SELECTION
    assert helper_requests(server) == []


@pytest.mark.parametrize(
    "status",
    [
        samples.container(state=samples.waiting("CrashLoopBackOff")),
        samples.container(state=samples.terminated(0)),
        samples.container(state=samples.waiting("ContainerCreating")) | {"containerID": ""},
    ],
)
async def test_a_container_that_does_not_run_is_refused(server, begin, status):
    server.put("pods", samples.pod("web-a", containers=[status]))
    with pytest.raises(verdicts.CannotRun, match="container web of pod web-a is not running"):
        await inject(await begin())
    assert helper_requests(server) == []


async def test_outside_a_pod_of_the_cluster_there_is_no_image_for_helpers(server, begin):
    server.put("pods", samples.pod("web-a"))
    context = await begin()
    server.remove("pods", stage.EXPERIMENT_POD)
    with pytest.raises(errors.NotFound):
        await inject(context)


def status(id_: str, restarts: int) -> ContainerStatus:
    return ContainerStatus(name="web", container_id=f"containerd://{id_}", restart_count=restarts)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (status("b", 4), True),
        (status("b", 9), True),
        (status("a", 3), False),
        (status("a", 4), False),
        (status("b", 3), False),
        (status("b", 0), False),
    ],
)
def test_the_proof_is_another_container_and_a_restart_count_that_rose(now, expected):
    assert container_kill.replaced(status("a", 3), now) is expected


def test_the_plan_may_ask_whether_the_chosen_pods_have_the_container():
    experiment = container_kill.ContainerKill()
    experiment.vet([samples.a_pod("web-a")], stage.values(experiment))
    with pytest.raises(verdicts.CannotRun, match="no such container"):
        experiment.vet([samples.a_pod("web-a")], stage.values(experiment, TARGET_CONTAINER="db"))


def test_a_signal_that_would_freeze_the_container_is_refused():
    with pytest.raises(tunables.TunableError, match="SIGNAL='SIGSTOP': SIGSTOP freezes a process"):
        stage.values(container_kill.ContainerKill(), SIGNAL="SIGSTOP")


@pytest.mark.parametrize("signal", ["SIGCHLD", "SIGWINCH", "SIGCONT", "SIGURG"])
def test_a_signal_that_ends_no_process_is_refused(signal):
    with pytest.raises(tunables.TunableError, match=f"{signal} ends no process; use SIGKILL or SIGTERM"):
        stage.values(container_kill.ContainerKill(), SIGNAL=signal)


def test_a_helper_has_more_time_than_the_process_that_it_signals():
    assert helpers.START_DEADLINE_S > container_kill._PATIENCE_S
