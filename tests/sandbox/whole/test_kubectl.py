"""The real kubectl on a sandbox does what people do with it every day."""

import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sandbox.whole.conftest import BIN, Sandbox, until

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: nginx
        image: nginx:1.25
        ports: [{name: http, containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
"""


@pytest.fixture
def web(sandbox: Sandbox, namespace: str) -> str:
    """A namespace with a deployment of two replicas that are ready, and a service."""
    sandbox.kubectl("apply", "-n", namespace, "-f", "-", stdin=DEPLOYMENT)
    sandbox.kubectl("rollout", "status", "-n", namespace, "deploy/web", "--timeout=60s")
    return namespace


def test_nodes_are_ready_and_have_addresses_of_their_own(sandbox: Sandbox) -> None:
    rows = [line.split() for line in sandbox.kubectl("get", "nodes", "-o", "wide", "--no-headers").splitlines()]
    assert [(row[0], row[1]) for row in rows] == [("node1", "Ready"), ("node2", "Ready"), ("node3", "Ready")]
    assert len({row[5] for row in rows}) == 3


def test_create_get_and_describe(sandbox: Sandbox, namespace: str) -> None:
    assert (
        sandbox.kubectl("create", "deploy", "nginx", "--image=nginx", "-n", namespace)
        == "deployment.apps/nginx created\n"
    )
    sandbox.kubectl("rollout", "status", "-n", namespace, "deploy/nginx", "--timeout=60s")
    wide = sandbox.kubectl("get", "pods", "-n", namespace, "-o", "wide")
    assert re.match(r"NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n", wide)
    assert re.search(r"nginx-\S+ +1/1 +Running +0 +\S+ +127\.\S+ +node\d", wide)
    image = sandbox.kubectl(
        "get", "deploy/nginx", "-n", namespace, "-o", "jsonpath={.spec.template.spec.containers[0].image}"
    )
    assert image == "nginx"
    assert "kind: Deployment" in sandbox.kubectl("get", "deploy/nginx", "-n", namespace, "-o", "yaml")
    described = sandbox.kubectl("describe", "pods", "-n", namespace)
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        assert re.search(rf"Normal +{reason} ", described), described
    assert "replicaset.apps/nginx-" in sandbox.kubectl("get", "all", "-n", namespace)


def test_apply_changes_and_diff_shows(sandbox: Sandbox, web: str) -> None:
    changed = DEPLOYMENT.replace("replicas: 2", "replicas: 3")
    different = sandbox.tried("diff", "-n", web, "-f", "-", stdin=changed)
    assert different.returncode == 1
    assert re.search(r"^\+  replicas: 3$", different.stdout, re.MULTILINE)
    assert "deployment.apps/web configured" in sandbox.kubectl("apply", "-n", web, "-f", "-", stdin=changed)
    assert "deployment.apps/web unchanged" in sandbox.kubectl("apply", "-n", web, "-f", "-", stdin=changed)
    assert sandbox.tried("diff", "-n", web, "-f", "-", stdin=changed).returncode == 0
    sandbox.kubectl("apply", "--server-side", "--force-conflicts", "-n", web, "-f", "-", stdin=changed)


def test_logs_are_followed(sandbox: Sandbox, namespace: str) -> None:
    script = "for i in 1 2 3; do echo line $i; sleep 0.3; done"
    sandbox.kubectl("run", "talk", "-n", namespace, "--image=busybox", "--restart=Never", "--", "sh", "-c", script)
    sandbox.kubectl("wait", "-n", namespace, "pod/talk", "--for=condition=PodReadyToStartContainers", "--timeout=30s")
    until(lambda: sandbox.get("pod", "talk", "-n", namespace)["status"]["phase"] != "Pending", "the pod to start")
    assert sandbox.kubectl("logs", "-f", "talk", "-n", namespace) == "line 1\nline 2\nline 3\n"
    assert sandbox.kubectl("logs", "--tail=1", "talk", "-n", namespace) == "line 3\n"
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z line 1\n", sandbox.kubectl("logs", "--timestamps", "talk", "-n", namespace))


def test_exec_has_input_output_and_an_exit_status(sandbox: Sandbox, web: str) -> None:
    done = sandbox.tried(
        "exec", "-i", "-n", web, "deploy/web", "--", "sh", "-c", "cat; echo wrong >&2; exit 3", stdin="hello"
    )
    assert (done.stdout, done.returncode) == ("hello", 3)
    assert done.stderr.startswith("wrong\n")
    assert "web-" in sandbox.kubectl("exec", "-n", web, "deploy/web", "--", "sh", "-c", "echo $HOSTNAME")


def test_cp_brings_files_both_ways(sandbox: Sandbox, web: str, tmp_path: Path) -> None:
    pod = sandbox.kubectl("get", "pods", "-n", web, "-o", "jsonpath={.items[0].metadata.name}")
    (tmp_path / "there").write_bytes(bytes(range(256)) * 1000)
    target = sandbox.kubectl("exec", "-n", web, pod, "--", "sh", "-c", "mktemp -d").strip()
    sandbox.kubectl("cp", "-n", web, str(tmp_path / "there"), f"{pod}:{target}/there")
    sandbox.kubectl("cp", "-n", web, f"{pod}:{target}/there", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "there").read_bytes()
    sandbox.kubectl("exec", "-n", web, pod, "--", "rm", "-r", target)


def test_scale_and_rollout_with_its_history(sandbox: Sandbox, web: str) -> None:
    assert "scaled" in sandbox.kubectl("scale", "deploy/web", "--replicas=3", "-n", web)
    sandbox.kubectl("rollout", "status", "deploy/web", "-n", web, "--timeout=60s")
    assert len(sandbox.get("pods", "-n", web, "--field-selector=status.phase=Running")["items"]) >= 3
    sandbox.kubectl("set", "env", "deploy/web", "COLOR=blue", "-n", web)
    sandbox.kubectl("rollout", "status", "deploy/web", "-n", web, "--timeout=60s")
    history = sandbox.kubectl("rollout", "history", "deploy/web", "-n", web)
    assert re.search(r"^1 .*\n2 ", history, re.MULTILINE)
    sandbox.kubectl("rollout", "undo", "deploy/web", "-n", web)
    sandbox.kubectl("rollout", "status", "deploy/web", "-n", web, "--timeout=60s")
    container = sandbox.get("deploy", "web", "-n", web)["spec"]["template"]["spec"]["containers"][0]
    assert "env" not in container
    sandbox.kubectl("rollout", "restart", "deploy/web", "-n", web)
    sandbox.kubectl("rollout", "status", "deploy/web", "-n", web, "--timeout=60s")


def test_a_drained_node_is_empty_and_takes_pods_again(sandbox: Sandbox, web: str) -> None:
    node = sandbox.get("pods", "-n", web)["items"][0]["spec"]["nodeName"]
    try:
        drained = sandbox.kubectl(
            "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=60s"
        )
        assert f"node/{node} drained" in drained
        sandbox.kubectl("rollout", "status", "deploy/web", "-n", web, "--timeout=60s")
        assert all(pod["spec"]["nodeName"] != node for pod in sandbox.get("pods", "-n", web)["items"])
        assert "SchedulingDisabled" in sandbox.kubectl("get", "node", node)
    finally:
        sandbox.kubectl("uncordon", node)
    assert "SchedulingDisabled" not in sandbox.kubectl("get", "node", node)


def test_a_disruption_budget_holds_a_drain_up(sandbox: Sandbox, web: str) -> None:
    sandbox.kubectl("create", "pdb", "web", "--selector=app=web", "--min-available=2", "-n", web)
    sandbox.kubectl("wait", "pdb/web", "-n", web, "--for=jsonpath={.status.currentHealthy}=2", "--timeout=20s")
    node = sandbox.get("pods", "-n", web)["items"][0]["spec"]["nodeName"]
    drain = ("drain", node, "--pod-selector=app=web", "--ignore-daemonsets", "--delete-emptydir-data")
    try:
        held = sandbox.tried(*drain, "--timeout=1s")
        assert held.returncode == 1
        assert "Cannot evict pod as it would violate the pod's disruption budget." in held.stderr
        sandbox.kubectl("patch", "pdb", "web", "-n", web, "-p", '{"spec":{"minAvailable":1}}')
        sandbox.kubectl("wait", "pdb/web", "-n", web, "--for=jsonpath={.status.disruptionsAllowed}=1", "--timeout=20s")
        assert f"node/{node} drained" in sandbox.kubectl(*drain, "--timeout=60s")
    finally:
        sandbox.kubectl("uncordon", node)


def test_a_paused_rollout_waits_until_it_is_resumed(sandbox: Sandbox, web: str) -> None:
    rollout = ("-n", web, "deploy/web")
    assert sandbox.kubectl("rollout", "pause", *rollout) == "deployment.apps/web paused\n"
    sandbox.kubectl("set", "image", *rollout, "nginx=nginx:1.26")
    waiting = sandbox.tried("rollout", "status", *rollout, "--timeout=0.5s")
    assert "0 out of 2 new replicas have been updated" in waiting.stdout
    assert "cannot rollback a paused deployment" in sandbox.tried("rollout", "undo", *rollout, "--to-revision=1").stderr
    assert sandbox.kubectl("rollout", "resume", *rollout) == "deployment.apps/web resumed\n"
    sandbox.kubectl("rollout", "status", *rollout, "--timeout=60s")
    revision = sandbox.kubectl("rollout", "history", *rollout, "--revision=2")
    assert revision.startswith("deployment.apps/web with revision #2\nPod Template:\n  Labels:\tapp=web\n")
    assert "    Image:\tnginx:1.26\n" in revision
    sandbox.kubectl("rollout", "undo", *rollout, "--to-revision=1")
    sandbox.kubectl("rollout", "status", *rollout, "--timeout=60s")
    assert sandbox.kubectl("get", *rollout, "-o", "jsonpath={..image}") == "nginx:1.25"


def test_a_taint_keeps_pods_away(sandbox: Sandbox, namespace: str) -> None:
    sandbox.kubectl("taint", "nodes", "--all", "test=yes:NoSchedule")
    try:
        sandbox.kubectl("run", "lost", "--image=nginx", "-n", namespace)
        sandbox.kubectl("wait", "pod/lost", "-n", namespace, "--for=condition=PodScheduled=False", "--timeout=20s")
        condition = sandbox.get("pod", "lost", "-n", namespace)["status"]["conditions"][0]
        assert condition["reason"] == "Unschedulable"
        assert condition["message"].startswith("0/3 nodes are available: 3 node(s) had untolerated taint")
    finally:
        sandbox.kubectl("taint", "nodes", "--all", "test-")
    sandbox.kubectl("wait", "pod/lost", "-n", namespace, "--for=condition=Ready", "--timeout=30s")


def test_annotate_label_and_select(sandbox: Sandbox, web: str) -> None:
    assert "annotated" in sandbox.kubectl("annotate", "deploy/web", "note=here", "-n", web)
    assert "labeled" in sandbox.kubectl("label", "deploy/web", "tier=front", "-n", web)
    assert "deployment.apps/web" in sandbox.kubectl(
        "get", "deploy", "-l", "tier in (front,back)", "-o", "name", "-n", web
    )
    assert sandbox.kubectl("get", "deploy", "-l", "tier=back", "-o", "name", "-n", web) == ""
    sandbox.kubectl("label", "deploy/web", "tier-", "-n", web)
    assert "tier" not in sandbox.get("deploy", "web", "-n", web)["metadata"]["labels"]


def test_wait_and_delete(sandbox: Sandbox, web: str) -> None:
    sandbox.kubectl("wait", "deploy/web", "--for=condition=Available", "-n", web, "--timeout=30s")
    pods = {pod["metadata"]["uid"] for pod in sandbox.get("pods", "-n", web)["items"]}
    sandbox.kubectl("delete", "pods", "-l", "app=web", "-n", web)
    sandbox.kubectl("rollout", "status", "deploy/web", "-n", web, "--timeout=60s")
    assert not pods & {pod["metadata"]["uid"] for pod in sandbox.get("pods", "-n", web)["items"]}
    sandbox.kubectl("delete", "deploy", "web", "-n", web, "--cascade=foreground")
    assert sandbox.get("pods", "-n", web)["items"] == []


@contextmanager
def forwarded(sandbox: Sandbox, namespace: str, what: str) -> Iterator[str]:
    command = [str(BIN / "kubectl"), "port-forward", "-n", namespace, what, ":80"]
    process = subprocess.Popen(command, env=sandbox.env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://{process.stdout.readline().split()[2]}/"
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(timeout=10)


@pytest.mark.parametrize("what", ["deploy/web", "svc/web"])
def test_port_forward_reaches_the_pod(sandbox: Sandbox, web: str, what: str) -> None:
    with forwarded(sandbox, web, what) as url:
        for _ in range(3):
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert b"nginx" in answer.read()


def test_a_service_answers_on_its_cluster_address(sandbox: Sandbox, web: str) -> None:
    script = 'import os, urllib.request as u; print(u.urlopen(f\'http://{os.environ["WEB_SERVICE_HOST"]}:{os.environ["WEB_SERVICE_PORT"]}\').status)'
    sandbox.kubectl("run", "ask", "-n", web, "--image=python:3.11", "--restart=Never", "--", "python", "-c", script)
    sandbox.kubectl("wait", "pod/ask", "-n", web, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")
    assert sandbox.kubectl("logs", "ask", "-n", web) == "200\n"


def test_explain_knows_the_fields(sandbox: Sandbox) -> None:
    said = sandbox.kubectl("explain", "deployment.spec.strategy.rollingUpdate.maxSurge")
    assert "FIELD: maxSurge <IntOrString>" in said
    assert "DESCRIPTION:" in said
    assert "FIELDS:" in sandbox.kubectl("explain", "pods.spec.containers")


def test_a_mistyped_field_is_refused_by_its_name(sandbox: Sandbox, namespace: str) -> None:
    done = sandbox.tried("apply", "-n", namespace, "-f", "-", stdin=DEPLOYMENT.replace("replicas:", "replica:"))
    assert done.returncode == 1
    assert 'unknown field "spec.replica"' in done.stderr


def test_a_job_runs_to_its_end_and_a_cron_job_starts_one(sandbox: Sandbox, namespace: str) -> None:
    sandbox.kubectl("create", "job", "once", "--image=busybox", "-n", namespace, "--", "sh", "-c", "echo done")
    sandbox.kubectl("wait", "job/once", "-n", namespace, "--for=condition=complete", "--timeout=30s")
    assert sandbox.kubectl("logs", "job/once", "-n", namespace) == "done\n"
    sandbox.kubectl(
        "create", "cronjob", "often", "--schedule=* * * * *", "--image=busybox", "-n", namespace, "--", "true"
    )
    sandbox.kubectl("create", "job", "--from=cronjob/often", "by-hand", "-n", namespace)
    sandbox.kubectl("wait", "job/by-hand", "-n", namespace, "--for=condition=complete", "--timeout=30s")


def test_configuration_reaches_a_container(sandbox: Sandbox, namespace: str) -> None:
    sandbox.kubectl("create", "configmap", "settings", "--from-literal=color=blue", "-n", namespace)
    sandbox.kubectl("create", "secret", "generic", "key", "--from-literal=word=geheim", "-n", namespace)
    pod = """
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  restartPolicy: Never
  volumes:
  - {name: settings, configMap: {name: settings}}
  containers:
  - name: main
    image: busybox
    command: [sh, -c, "cat /etc/settings/color; echo; echo $WORD; echo $NODE; ls $TOKEN"]
    env:
    - {name: TOKEN, value: /var/run/secrets/kubernetes.io/serviceaccount}
    - {name: WORD, valueFrom: {secretKeyRef: {name: key, key: word}}}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    volumeMounts: [{name: settings, mountPath: /etc/settings}]
"""
    sandbox.kubectl("apply", "-n", namespace, "-f", "-", stdin=pod)
    sandbox.kubectl("wait", "pod/reader", "-n", namespace, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")
    lines = sandbox.kubectl("logs", "reader", "-n", namespace).splitlines()
    assert lines[:2] == ["blue", "geheim"]
    assert lines[2].startswith("node")
    assert lines[3:] == ["ca.crt", "namespace", "token"]


def test_an_unknown_image_says_how_to_add_it(sandbox: Sandbox, namespace: str) -> None:
    sandbox.kubectl("run", "what", "--image=example.com/what:1", "-n", namespace)
    until(lambda: "image add" in sandbox.kubectl("describe", "pod", "what", "-n", namespace), "the kubelet to say it")
    sandbox.litmus(
        "sandbox",
        "image",
        "add",
        "example.com/what",
        "--name",
        sandbox.name,
        "--",
        "sh",
        "-c",
        "echo it is {ip}; sleep 60",
    )
    sandbox.kubectl("delete", "pod", "what", "-n", namespace, "--now")
    sandbox.kubectl("run", "what", "--image=example.com/what:1", "-n", namespace)
    sandbox.kubectl("wait", "pod/what", "-n", namespace, "--for=condition=Ready", "--timeout=30s")
    address = sandbox.get("pod", "what", "-n", namespace)["status"]["podIP"]
    assert until(lambda: sandbox.kubectl("logs", "what", "-n", namespace), "a line of the log") == f"it is {address}\n"


def test_a_crashing_container_backs_off(sandbox: Sandbox, namespace: str) -> None:
    sandbox.kubectl("run", "crash", "--image=busybox", "-n", namespace, "--", "sh", "-c", "exit 7")
    shown = until(
        lambda: re.search(
            r"crash +0/1 +CrashLoopBackOff +[1-9].*", sandbox.kubectl("get", "pod", "crash", "-n", namespace)
        ),
        "the back-off",
    )
    assert shown
    container = sandbox.get("pod", "crash", "-n", namespace)["status"]["containerStatuses"][0]
    assert container["lastState"]["terminated"]["exitCode"] == 7


def test_a_service_account_may_do_what_its_role_says(sandbox: Sandbox, namespace: str) -> None:
    sandbox.kubectl("create", "serviceaccount", "reader", "-n", namespace)
    sandbox.kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods", "-n", namespace)
    sandbox.kubectl(
        "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader", "-n", namespace
    )
    account = f"--as=system:serviceaccount:{namespace}:reader"
    assert sandbox.kubectl("auth", "can-i", "list", "pods", account, "-n", namespace) == "yes\n"
    assert sandbox.tried("auth", "can-i", "delete", "pods", account, "-n", namespace).stdout == "no\n"
    refused = sandbox.tried("delete", "pod", "x", account, "-n", namespace)
    assert f'User "system:serviceaccount:{namespace}:reader" cannot delete resource "pods"' in refused.stderr


def test_events_tell_the_story_in_order(sandbox: Sandbox, web: str) -> None:
    events = sandbox.kubectl("get", "events", "-n", web, "--sort-by=.lastTimestamp")
    assert re.search(r"Normal +ScalingReplicaSet +deployment/web +Scaled up replica set web-\S+", events)
    assert time.strftime("%Y") not in events.splitlines()[0]
    assert "Started" in sandbox.kubectl("events", "-n", web)
