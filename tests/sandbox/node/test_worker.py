"""The life of a pod on a node, with real processes and an API in memory."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import crash_loop, keeper, logs, mounting, obtaining, processes

from .pods_on_a_node import NODE_RANGE, Node, pod, shell, truth

FOREVER = "exec sleep 3600"
NEVER = {"restartPolicy": "Never"}


@pytest.fixture
async def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    monkeypatch.setattr(crash_loop, "FIRST_S", 0.05)
    monkeypatch.setattr(obtaining, "LOOK_S", 0.01)
    monkeypatch.setattr(keeper, "CONFIG_RETRY_S", 0.05)
    async with Node(tmp_path) as made:
        yield made
    assert not list(processes.marked(processes.NODE, str(made.folder))), "no process is left"
    assert not list((made.folder / "pods").glob("*")), "no file is left"


async def log_of(node: Node, name: str, container: str = "c", attempt: int = 0) -> str:
    path = node.workers[name].place.log(container, attempt)
    return b"".join([piece async for piece in logs.read(path, logs.Wanted())]).decode()


def state(one: Obj, word: str) -> Obj:
    found: Obj = one["state"].get(word) or {}
    return found


async def test_a_pod_runs_and_is_ready(node: Node) -> None:
    node.run(pod("p", shell(FOREVER)))
    found = await node.ready("p")
    assert found["phase"] == "Running"
    assert found["podIP"].startswith(NODE_RANGE.rpartition(".")[0])
    (container,) = found["containerStatuses"]
    assert container["ready"]
    assert container["started"]
    assert container["image"] == "docker.io/library/busybox:latest"
    assert container["imageID"].startswith("docker.io/library/busybox@sha256:")
    assert node.said("Pulling") == ['Pulling image "busybox"']
    assert node.said("Created") == ["Container created"]
    assert node.said("Started") == ["Container started"]


async def test_the_first_status_says_that_containers_are_being_created(node: Node) -> None:
    node.run(pod("p", shell(FOREVER)))
    first = await node.phase("p", "Pending")
    assert state(first["containerStatuses"][0], "waiting") == {"reason": "ContainerCreating"}
    assert truth(first, "PodReadyToStartContainers") == "False"


async def test_a_second_pod_finds_the_image(node: Node) -> None:
    for name in ("p", "q"):
        node.run(pod(name, shell(FOREVER)))
        await node.ready(name)
    assert 'Container image "busybox" already present on machine and can be accessed by the pod' in node.said("Pulled")


@pytest.mark.parametrize(
    ("script", "phase", "reason", "code"), [("true", "Succeeded", "Completed", 0), ("exit 3", "Failed", "Error", 3)]
)
async def test_a_pod_that_is_never_restarted_ends(node: Node, script: str, phase: str, reason: str, code: int) -> None:
    node.run(pod("p", shell(script), **NEVER))
    found = await node.phase("p", phase)
    ended = state(found["containerStatuses"][0], "terminated")
    assert (ended["reason"], ended["exitCode"]) == (reason, code)
    assert found["containerStatuses"][0]["restartCount"] == 0


async def test_a_container_that_ends_is_started_again_and_then_backed_off(node: Node) -> None:
    node.run(pod("p", shell("exit 4")))
    waiting = await node.container("p", lambda one: one["restartCount"] == 2 and "waiting" in one["state"])
    assert state(waiting, "waiting")["reason"] == "CrashLoopBackOff"
    assert "restarting failed container=c pod=p_ns(uid-p)" in state(waiting, "waiting")["message"]
    assert waiting["lastState"]["terminated"]["exitCode"] == 4
    assert "Back-off restarting failed container c in pod p_ns(uid-p)" in node.said("BackOff")


async def test_on_failure_ends_with_the_first_success(node: Node) -> None:
    script = "test -e /data/x && exit 0; touch /data/x; exit 1"
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/data"}]}
    volumes = [{"name": "v", "emptyDir": {}}]
    node.run(pod("p", shell(script, **mount), restartPolicy="OnFailure", volumes=volumes))
    found = await node.phase("p", "Succeeded")
    assert found["containerStatuses"][0]["restartCount"] == 1
    assert found["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 1


async def test_init_containers_run_one_after_the_other_before_the_rest(node: Node) -> None:
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/data"}]}
    inits = [shell("echo one >> /data/x", "i1", **mount), shell("echo two >> /data/x", "i2", **mount)]
    node.run(
        pod("p", shell("cat /data/x", **mount), initContainers=inits, volumes=[{"name": "v", "emptyDir": {}}], **NEVER)
    )
    await node.phase("p", "Succeeded")
    assert await log_of(node, "p") == "one\ntwo\n"


async def test_an_init_container_that_fails_for_good_fails_the_pod(node: Node) -> None:
    node.run(pod("p", shell(FOREVER), initContainers=[shell("exit 7", "i")], **NEVER))
    found = await node.phase("p", "Failed")
    assert state(found["containerStatuses"][0], "waiting") == {"reason": "PodInitializing"}
    assert truth(found, "Initialized") == "False"


async def test_a_sidecar_runs_beside_the_containers_and_ends_after_them(node: Node) -> None:
    sidecar = shell("trap 'exit 0' TERM; while :; do sleep 0.01; done", "s", restartPolicy="Always")
    node.run(pod("p", shell("sleep 0.05"), initContainers=[sidecar], **NEVER))
    found = await node.phase("p", "Succeeded")
    last = await node.container("p", lambda one: "terminated" in one["state"], "s")
    assert state(last, "terminated")["exitCode"] == 0
    assert state(found["containerStatuses"][0], "terminated")["finishedAt"] <= state(last, "terminated")["finishedAt"]


async def test_an_unknown_image_says_what_to_do_and_is_tried_again(node: Node) -> None:
    node.run(pod("p", {**shell(""), "image": "nobody/knows"}))
    backed_off = await node.container("p", lambda one: state(one, "waiting").get("reason") == "ImagePullBackOff")
    said = state(backed_off, "waiting")["message"]
    assert said.startswith('Back-off pulling image "nobody/knows": ErrImagePull: ')
    assert said.endswith("litmus sandbox image add nobody/knows -- COMMAND")
    first = await node.container("p", lambda one: state(one, "waiting").get("reason") == "ErrImagePull")
    assert "nobody/knows" in state(first, "waiting")["message"]
    node.table.add("nobody/knows", ["sleep", "3600"])
    assert (await node.ready("p"))["phase"] == "Running"


@pytest.mark.parametrize(
    ("image", "policy", "reason"),
    [("Not_A:Valid:Name", "Always", "InvalidImageName"), ("nobody/knows", "Never", "ErrImageNeverPull")],
)
async def test_an_image_that_can_never_be_had(node: Node, image: str, policy: str, reason: str) -> None:
    node.run(pod("p", shell(FOREVER, image=image, imagePullPolicy=policy)))
    waiting = await node.container("p", lambda one: state(one, "waiting").get("reason") == reason)
    assert image in state(waiting, "waiting")["message"]


async def test_a_missing_config_map_holds_the_container_until_it_comes(node: Node) -> None:
    entry = {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "late", "key": "k"}}}
    node.run(pod("p", shell('echo "$A"', env=[entry]), **NEVER))
    waiting = await node.container("p", lambda one: "message" in state(one, "waiting"))
    assert state(waiting, "waiting") == {
        "reason": "CreateContainerConfigError",
        "message": 'configmap "late" not found',
    }
    node.api.put("configmaps", "late", {"data": {"k": "value"}})
    await node.phase("p", "Succeeded")
    assert await log_of(node, "p") == "value\n"


async def test_a_missing_volume_holds_the_pod_until_it_comes(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounting, "RETRY_S", (3600.0, 3600.0))
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/etc/config"}]}
    node.run(
        pod("p", shell("cat /etc/config/k", **mount), volumes=[{"name": "v", "configMap": {"name": "late"}}], **NEVER)
    )
    first = await node.phase("p", "Pending")
    assert "podIP" not in first
    await node.until(lambda: bool(node.said("FailedMount")))
    assert node.said("FailedMount") == ['MountVolume.SetUp failed for volume "v" : configmap "late" not found']
    node.api.put("configmaps", "late", {"data": {"k": "value"}})
    await node.phase("p", "Succeeded")
    assert await log_of(node, "p") == "value"


async def test_a_mounted_config_map_follows_its_object(node: Node) -> None:
    node.api.put("configmaps", "have", {"data": {"k": "old"}})
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/etc/config"}]}
    script = "while [ $(cat /etc/config/k) = old ]; do sleep 0.01; done; cat /etc/config/k"
    node.run(pod("p", shell(script, **mount), volumes=[{"name": "v", "configMap": {"name": "have"}}], **NEVER))
    await node.container("p", lambda one: "running" in one["state"])
    node.api.put("configmaps", "have", {"data": {"k": "new"}})
    await node.phase("p", "Succeeded")
    assert await log_of(node, "p") == "new"


async def test_the_service_account_token_is_mounted(node: Node) -> None:
    projected = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    path = "/var/run/secrets/kubernetes.io/serviceaccount"
    mount = {"volumeMounts": [{"name": "v", "mountPath": path}]}
    volumes = [{"name": "v", **projected}]
    node.run(pod("p", shell(f"cat {path}/token", **mount), volumes=volumes, serviceAccountName="robot", **NEVER))
    await node.phase("p", "Succeeded")
    assert await log_of(node, "p") == "token of robot"


@pytest.mark.parametrize(
    ("script", "policy", "message"),
    [
        ("printf said > /dev/termination-log; exit 1", "File", "said"),
        ("echo logged; exit 1", "File", None),
        ("echo logged; exit 1", "FallbackToLogsOnError", "logged\n"),
        ("echo logged; exit 0", "FallbackToLogsOnError", None),
        ("echo logged; printf said > /dev/termination-log; exit 1", "FallbackToLogsOnError", "said"),
        (
            "(head -c 9999 /dev/zero | tr '\\0' x; echo end) > /dev/termination-log; exit 1",
            "File",
            "x" * 4092 + "end\n",
        ),
    ],
)
async def test_the_termination_message(node: Node, script: str, policy: str, message: str | None) -> None:
    node.run(pod("p", shell(script, terminationMessagePolicy=policy), **NEVER))
    ended = await node.container("p", lambda one: "terminated" in one["state"])
    assert state(ended, "terminated").get("message") == message


async def test_tmp_is_the_containers_own_and_new_with_each_run(node: Node) -> None:
    script = "test -e /tmp/x && echo old; touch /tmp/x; exit 1"
    node.run(pod("p", shell(script)))
    await node.container("p", lambda one: one["restartCount"] == 1)
    assert await log_of(node, "p", attempt=1) == ""


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"command": ["nosuchcmd"]}, 'exec: "nosuchcmd": executable file not found in $PATH'),
        ({"command": ["sleep", "1"], "workingDir": "/etc/passwd"}, "mkdir /etc/passwd: not a directory"),
    ],
)
async def test_a_command_that_can_not_be_run_is_a_start_error(node: Node, container: Obj, message: str) -> None:
    node.run(pod("p", {"name": "c", "image": "busybox", **container}, **NEVER))
    await node.phase("p", "Failed")
    ended = state(await node.container("p", lambda one: "terminated" in one["state"]), "terminated")
    assert (ended["exitCode"], ended["reason"], ended["startedAt"]) == (128, "StartError", "1970-01-01T00:00:00Z")
    assert ended["message"].endswith(message)


async def test_a_working_directory_that_the_machine_has_not_is_made(node: Node) -> None:
    node.run(pod("p", shell("echo x > f; cat /no/such/app/f", workingDir="/no/such/app"), **NEVER))
    await node.phase("p", "Succeeded")
    assert await log_of(node, "p") == "x\n"


async def test_liveness_that_fails_restarts_the_container(node: Node) -> None:
    probe = {"exec": {"command": ["sh", "-c", "echo sick; exit 1"]}, "periodSeconds": 0.01, "failureThreshold": 2}
    node.run(pod("p", shell(FOREVER, livenessProbe=probe)))
    again = await node.container("p", lambda one: one["restartCount"] == 1)
    assert again["lastState"]["terminated"]["exitCode"] == 143
    assert "Container c failed liveness probe, will be restarted" in node.said("Killing")
    assert "Liveness probe failed: sick\n" in node.said("Unhealthy")


async def test_readiness_decides_about_ready(node: Node) -> None:
    probe = {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 0.01}
    worker = node.run(pod("p", shell("read x; touch /tmp/ready; exec sleep 3600", stdin=True, readinessProbe=probe)))
    found = await node.container("p", lambda one: "running" in one["state"] and one["started"])
    assert not found["ready"]
    run = worker.keepers["c"].run
    assert run is not None
    run.container.write(b"go\n")
    await node.ready("p")


async def test_a_post_start_hook_comes_before_running(node: Node) -> None:
    hook = {"exec": {"command": ["sh", "-c", "echo hooked > /tmp/hooked"]}}
    script = "while ! test -e /tmp/hooked; do sleep 0.01; done; cat /tmp/hooked"
    node.run(pod("p", shell(script, lifecycle={"postStart": hook}), **NEVER))
    await node.phase("p", "Succeeded")
    assert await log_of(node, "p") == "hooked\n"


async def test_a_post_start_hook_that_fails_ends_the_container(node: Node) -> None:
    node.run(pod("p", shell(FOREVER, lifecycle={"postStart": {"exec": {"command": ["false"]}}}), **NEVER))
    await node.phase("p", "Failed")
    assert node.said("FailedPostStartHook") == ["PostStartHook failed"]
    assert node.said("Killing") == ["FailedPostStartHook"]


async def test_a_deletion_stops_in_order_and_removes_the_pod(node: Node) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done"
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook > /data/order"]}}}
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/data"}]}
    node.run(pod("p", shell(script, lifecycle=hook, **mount), volumes=[{"name": "v", "emptyDir": {}}]))
    await node.ready("p")
    await node.logged("p", "up")
    order = node.workers["p"].places()["v"] / "order"
    seen: list[str] = []
    node.api.told = lambda kind, gone: (seen.append(order.read_text()), node.workers["p"].vanish())[1]  # type: ignore[func-returns-value]
    node.delete("p", grace_s=30)
    await node.tasks["p"]
    assert seen == ["hook\n"]
    assert node.api.deleted == ["p"]
    assert node.said("Killing") == ["Stopping container c"]
    last = node.api.history["p"][-1]
    assert last["phase"] == "Succeeded"
    assert truth(last, "Ready") == "False"


async def test_who_ignores_the_signal_is_killed_when_the_grace_is_over(node: Node) -> None:
    node.run(pod("p", shell("trap '' TERM; echo up; while :; do sleep 0.01; done")))
    await node.logged("p", "up")
    node.delete("p", grace_s=1)
    await node.tasks["p"]
    last = node.api.history["p"][-1]
    assert last["phase"] == "Failed"
    assert state(last["containerStatuses"][0], "terminated")["exitCode"] == 137


async def test_a_second_deletion_may_shorten_the_grace(node: Node) -> None:
    node.run(pod("p", shell("trap '' TERM; echo up; while :; do sleep 0.01; done")))
    await node.logged("p", "up")
    node.delete("p", grace_s=3600)
    await asyncio.sleep(0)
    node.delete("p", grace_s=0)
    await node.tasks["p"]
    assert node.api.deleted == ["p"]


async def test_a_forced_deletion_kills_at_once(node: Node) -> None:
    node.run(pod("p", shell("trap '' TERM; echo up; while :; do sleep 0.01; done")))
    await node.logged("p", "up")
    node.vanish("p")
    await node.tasks["p"]
    assert node.api.deleted == []


async def test_a_pod_that_never_started_can_be_deleted(node: Node) -> None:
    node.run(pod("p", shell(FOREVER, image="nobody/knows")))
    await node.container("p", lambda one: state(one, "waiting").get("reason") == "ImagePullBackOff")
    node.delete("p", grace_s=30)
    await node.tasks["p"]
    assert node.api.deleted == ["p"]


async def test_a_pod_that_is_over_waits_for_its_deletion(node: Node) -> None:
    worker = node.run(pod("p", shell("true"), **NEVER))
    await node.phase("p", "Succeeded")
    await node.until(lambda: node.around.pool.take(worker.ip) == worker.ip)
    assert not node.tasks["p"].done(), "its address is free again, but the pod is still there"
    node.vanish("p")
    await node.tasks["p"]


async def test_the_deadline_ends_a_pod(node: Node) -> None:
    started = objects.timestamp()
    manifest = pod("p", shell(FOREVER), activeDeadlineSeconds=0.3)
    node.run({**manifest, "status": {"startTime": started}})
    found = await node.phase("p", "Failed")
    assert (found["reason"], found["message"]) == (
        "DeadlineExceeded",
        "Pod was active on the node longer than the specified deadline",
    )
    assert node.said("DeadlineExceeded") == ["Pod was active on the node longer than the specified deadline"]


async def test_a_changed_image_restarts_the_container(node: Node) -> None:
    node.table.add("other", ["busybox"])
    manifest = pod("p", shell(FOREVER))
    worker = node.run(manifest)
    await node.ready("p")
    changed = objects.copy(manifest)
    changed["spec"]["containers"][0]["image"] = "other"
    worker.update(changed)
    again = await node.container("p", lambda one: one["restartCount"] == 1 and one["ready"])
    assert again["image"] == "docker.io/library/other:latest"
    assert "Container c definition changed, will be restarted" in node.said("Killing")


async def test_what_an_earlier_life_of_the_node_left_running_is_started_again(node: Node) -> None:
    manifest = pod("p", shell(FOREVER))
    before = {
        "phase": "Running",
        "podIP": "127.78.3.77",
        "containerStatuses": [
            {
                "name": "c",
                "image": "busybox",
                "imageID": "x",
                "containerID": "sandbox://" + "a" * 64,
                "restartCount": 2,
                "ready": True,
                "started": True,
                "lastState": {},
                "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            }
        ],
    }
    node.run({**manifest, "status": before})
    found = await node.container("p", lambda one: one["restartCount"] == 3 and one["ready"])
    assert found["lastState"]["terminated"]["exitCode"] == 255
    assert node.api.pods["p"]["status"]["podIP"] == "127.78.3.77"
    assert node.said("SandboxChanged")


async def test_a_pod_of_the_hosts_network_has_the_nodes_address(node: Node) -> None:
    node.run(pod("p", shell('echo "${LITMUS_SANDBOX_IP-none}"'), hostNetwork=True, **NEVER))
    found = await node.phase("p", "Succeeded")
    assert found["podIP"] == found["hostIP"] == "127.78.3.1"
    assert await log_of(node, "p") == "none\n"


async def test_a_readiness_gate_is_followed(node: Node) -> None:
    manifest = pod("p", shell(FOREVER), readinessGates=[{"conditionType": "example.com/g"}])
    worker = node.run(manifest)
    await node.api.until("p", lambda found: truth(found, "ContainersReady") == "True")
    conditions = [*node.api.pods["p"]["status"]["conditions"], {"type": "example.com/g", "status": "True"}]
    worker.update({**manifest, "status": {"conditions": conditions}})
    await node.ready("p")


async def test_what_the_controller_of_a_silent_node_took_is_said_again(node: Node) -> None:
    manifest = pod("p", shell(FOREVER))
    worker = node.run(manifest)
    await node.ready("p")
    status = node.api.pods["p"]["status"]
    stranded = [one | ({"status": "False"} if one["type"] == "Ready" else {}) for one in status["conditions"]]
    node.api.history["p"].clear()
    worker.update(
        {
            **manifest,
            "metadata": {**manifest["metadata"], "resourceVersion": "7"},
            "status": {**status, "conditions": stranded},
        }
    )
    await node.ready("p")


async def test_an_api_that_is_away_is_waited_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litmus.sandbox.node.reporting.RETRY_S", (0.01, 0.01))
    node.api.unreachable = True
    node.run(pod("p", shell("true"), **NEVER))
    await node.until(lambda: node.workers["p"].keepers["c"].record.exit_code is not None)
    assert "p" not in node.api.history
    node.api.unreachable = False
    await node.phase("p", "Succeeded")


async def test_the_log_of_the_run_before_is_kept_and_older_ones_are_not(node: Node) -> None:
    worker = node.run(pod("p", shell("echo $$; exit 1")))
    await node.container("p", lambda one: one["restartCount"] == 3)
    kept = sorted(path.name for path in (worker.place.folder / "logs" / "c").iterdir())
    assert kept[-2:] == ["2.log", "3.log"]
    assert "0.log" not in kept


async def test_low_ports_are_said_to_be_mapped(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litmus.sandbox.machinery.ports.lowest_free", lambda: 1024)
    node.run(pod("p", shell(FOREVER, ports=[{"containerPort": 80}, {"containerPort": 8080}])))
    found = await node.ready("p")
    (message,) = node.said("PortMapped")
    assert message.startswith(f"Port 80 is found at {found['podIP']}:20080")


async def test_retiring_gives_containers_their_time_and_tells_nobody(node: Node) -> None:
    worker = node.run(pod("p", shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done")))
    await node.ready("p")
    await node.logged("p", "up")
    await worker.written()
    count = len(node.api.history["p"])
    run = worker.keepers["c"].run
    assert run is not None
    worker.retire(grace_s=30)
    await node.tasks["p"]
    assert run.container.exit is not None
    assert run.container.exit.code == 0
    assert len(node.api.history["p"]) == count
    assert node.api.deleted == []


async def test_a_pod_with_the_hosts_processes_sees_containers_in_their_groups(node: Node) -> None:
    target = node.run(pod("target", shell(FOREVER)))
    await node.ready("target")
    run = target.keepers["c"].run
    assert run is not None
    groups = "pathlib.Path('/proc').glob('*/cgroup')"
    script = f"import pathlib; print([p.parent.name for p in {groups} if '{run.container.id}' in p.read_text()])"
    helper = {"name": "c", "image": "python", "command": ["python3", "-c", script]}
    node.run(pod("helper", helper, hostPID=True, **NEVER))
    await node.phase("helper", "Succeeded")
    assert await log_of(node, "helper") == f"['{run.container.pid}']\n"
    assert os.path.exists(f"/proc/{run.container.pid}")  # noqa: PTH110
