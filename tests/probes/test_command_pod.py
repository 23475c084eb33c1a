"""cmdProbe in an image: one short pod an evaluation, with the smallest role."""

import asyncio

import pytest

from litmus.kube import waiting
from litmus.probes import command, command_pod, pods
from litmus.probes.contract import ProbeError
from tests import samples
from tests.probes import pod_stage
from tests.probes.test_command import probe


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(waiting, "_HEARTBEAT_S", 0.05)


@pytest.fixture
def asked(cluster):
    async def ask(source="busybox", *, timeout_s=60.0, line="cat /etc/os", **more):
        one = command.prober(probe(line, source=source, **more), pod_stage.surroundings(cluster))
        async with asyncio.timeout(90):
            return await one.once(timeout_s=timeout_s)

    return ask


def ended(code=0, message=""):
    phase = "Failed" if code else "Succeeded"
    return pod_stage.status("probe", state=samples.terminated(code, message=message), phase=phase)


def left(server):
    return [pod["metadata"]["name"] for pod in server.all("pods")]


@pytest.mark.parametrize("watching", [True, False], ids=["with watch", "with the smallest role"])
async def test_the_log_of_a_short_pod_is_the_output(server, asked, watching):
    if not watching:
        server.forbid("watch", "*")

    def run(name):
        server.write(name, "  hello", "")
        return ended()

    made = pod_stage.kubelet(server, run)
    seen = await asked()
    assert (seen.passed, seen.observed, seen.output) == (True, "'hello'", "hello")
    (pod,) = made
    assert pod["metadata"]["name"].startswith("pod-delete-probe-")
    assert len(pod["metadata"]["name"]) == len("pod-delete-probe-") + 6
    assert pod["metadata"]["labels"]["chaosUID"] == samples.ENGINE_UID
    assert pod["metadata"]["ownerReferences"][0]["uid"] == samples.ENGINE_UID
    assert pod["spec"]["activeDeadlineSeconds"] == 90 + 60 + 10
    assert pod["spec"]["serviceAccountName"] == "chaos-sa"
    assert pod["spec"]["containers"][0]["command"][-1] == "cat /etc/os"
    assert left(server) == []
    used = {asked.verb for asked in server.asked if asked.plural == "pods"}
    assert used - {"watch"} <= {"create", "list", "get", "delete", "logs"}


async def test_a_failed_command_is_told_by_the_last_line_of_its_errors(server, asked):
    pod_stage.kubelet(server, lambda _: ended(3, "warning\nno such table\n"))
    seen = await asked()
    assert (seen.passed, seen.error, seen.observed) == (False, "exit-status", "exit status 3: no such table")


async def test_a_command_that_does_not_end_is_a_timeout_and_its_pod_goes(server, asked):
    pod_stage.kubelet(server, lambda _: pod_stage.status("probe"))
    seen = await asked(timeout_s=0.1)
    assert (seen.passed, seen.error, seen.observed) == (False, "timeout", "no end within 0.1 s")
    assert left(server) == []


async def test_pulling_and_starting_do_not_count_as_the_commands_time(server, asked):
    made = pod_stage.kubelet(server, lambda _: {"phase": "Pending"})
    asking = asyncio.create_task(asked(timeout_s=1.0))
    await server.until_asked("create", "pods")
    await asyncio.sleep(1.5)
    name = made[0]["metadata"]["name"]
    server.write(name, "hello")
    server.change("pods", name, {"status": ended()})
    assert (await asking).passed


async def test_a_pod_that_never_starts_is_no_observation(server, asked, monkeypatch):
    monkeypatch.setattr(pods, "START_DEADLINE_S", 0.2)
    pod_stage.kubelet(server, lambda _: {"phase": "Pending"})
    with pytest.raises(ProbeError, match=r"waited 0.2 s for probe pod pod-delete-probe-\w+ to start"):
        await asked()
    assert left(server) == []


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (pod_stage.status("probe", state={"waiting": {"reason": "ImagePullBackOff", "message": "no x"}}), "no x"),
        (pod_stage.status("probe", state=samples.terminated(128, reason="StartError")), "the image needs /bin/sh"),
        ({"phase": "Failed", "reason": "Evicted", "message": "the node is full"}, "the node is full"),
    ],
    ids=["no image", "no shell", "evicted"],
)
async def test_a_pod_that_can_not_run_the_command_is_no_observation(server, asked, status, why):
    pod_stage.kubelet(server, lambda _: status)
    with pytest.raises(ProbeError, match=why):
        await asked()
    assert left(server) == []


@pytest.mark.parametrize(
    ("verb", "plural", "words"),
    [("create", "pods", "mend the role or the probe's source"), ("logs", "pods", "add get on pods/log to the role")],
)
async def test_a_role_that_lacks_a_right_is_told_which(server, asked, verb, plural, words):
    pod_stage.kubelet(server, lambda _: ended())
    server.forbid(verb, plural)
    with pytest.raises(ProbeError, match=words):
        await asked()
    assert left(server) == []


async def test_an_abort_takes_the_pod_with_it(server, asked):
    pod_stage.kubelet(server, lambda _: pod_stage.status("probe"))
    asking = asyncio.create_task(asked())
    await server.until_asked("create", "pods")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert left(server) == []


async def test_every_field_of_a_source_of_3x_is_in_the_pod(server, asked):
    made = pod_stage.kubelet(server, lambda name: server.write(name, "hello") or ended())
    source = {
        "image": "curl:8",
        "hostNetwork": True,
        "args": ["serve"],
        "env": [{"name": "A", "value": "1"}],
        "labels": {"team": "shop", "chaosUID": "no"},
        "annotations": {"note": "x"},
        "command": ["daemon"],
        "imagePullPolicy": "Always",
        "privileged": True,
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"operator": "Exists"}],
        "volumes": [{"name": "data", "emptyDir": {}}],
        "volumeMount": [{"name": "data", "mountPath": "/data"}],
        "imagePullSecrets": [{"name": "mine"}],
    }
    assert (await asked(source)).passed
    (pod,) = made
    (container,) = pod["spec"]["containers"]
    assert pod["metadata"]["labels"]["team"] == "shop"
    assert pod["metadata"]["labels"]["chaosUID"] == samples.ENGINE_UID
    assert pod["metadata"]["annotations"] == {"note": "x"}
    assert container["command"] == ["/bin/sh", "-c", command_pod.SCRIPT, "cat /etc/os", "daemon", "serve"]
    assert (container["image"], container["imagePullPolicy"]) == ("curl:8", "Always")
    assert container["env"] == [{"name": "A", "value": "1"}]
    assert container["securityContext"] == {"privileged": True}
    assert container["volumeMounts"] == source["volumeMount"]
    spec = pod["spec"]
    assert (spec["hostNetwork"], spec["dnsPolicy"]) == (True, "ClusterFirstWithHostNet")
    for field in ("nodeSelector", "tolerations", "volumes", "imagePullSecrets"):
        assert spec[field] == source[field]


async def test_inherited_inputs_are_those_of_the_experiments_pod_without_its_token(server, asked):
    token = {"name": "kube-api-access-1", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    mounts = [token, {"name": "files", "mountPath": "/files"}]
    env = [{"name": "A", "value": "theirs"}, {"name": "B", "value": "theirs"}]
    pod_stage.put_own_pod(server, env=env, volumeMounts=mounts)
    volumes = [{"name": "kube-api-access-1"}, {"name": "files", "configMap": {"name": "files"}}]
    server.change("pods", pod_stage.OWN_POD, {"spec": {"volumes": volumes}})
    made = pod_stage.kubelet(server, lambda name: server.write(name, "hello") or ended())
    await asked({"image": "curl:8", "inheritInputs": True, "env": [{"name": "A", "value": "mine"}]})
    (pod,) = made
    (container,) = pod["spec"]["containers"]
    assert container["env"] == [{"name": "A", "value": "mine"}, {"name": "B", "value": "theirs"}]
    assert container["volumeMounts"] == [{"name": "files", "mountPath": "/files"}]
    assert pod["spec"]["volumes"] == [{"name": "files", "configMap": {"name": "files"}}]
    assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]


@pytest.mark.parametrize(
    ("line", "beside", "output", "status"),
    [
        ('echo "it\'s $((1+1))"; echo noise >&2', [], "it's 2", 0),
        ("exit 7", [], "", 7),
        ("cat F", ["sh", "-c", "echo beside >F.part; mv F.part F; exec sleep 0.1"], "beside", 0),
    ],
)
async def test_the_pods_script_runs_the_command_as_it_is_written(tmp_path, line, beside, output, status):
    line = f"cd {tmp_path}; " + (f"while [ ! -e F ]; do sleep 0.05; done; {line}" if beside else line)
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        command_pod.SCRIPT,
        line,
        *beside,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert (out.decode().strip(), process.returncode) == (output, status)
