#!/usr/bin/env python3
"""What the faults deliver: every experiment once, asked beside delivered, in the cluster of KUBECONFIG.

The figures are those that each fault measures in its target; the tests of tests/cluster measure the same from outside.
The experiments run one after the other, each in a namespace of its own with the service account and the role of its
chart. Nodes are hit by names: LITMUS_SPARE_NODE (default netem1), which may be restarted, and LITMUS_OTHER_NODE
(default node1). Prints Markdown on standard output; asserts nothing.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from litmus.experiments import catalogue
from litmus.hub import charts

SPARE = os.environ.get("LITMUS_SPARE_NODE", "netem1")
OTHER = os.environ.get("LITMUS_OTHER_NODE", "node1")
_LITMUS = Path(sys.executable).with_name("litmus")
_LABELS = {"app": "web"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One run. ``on``: the node of the application; ``env``: tunables beside the duration."""

    experiment: str
    on: str
    seconds: int = 10
    env: dict[str, str] = field(default_factory=dict)


WANTED = (
    Wanted("pod-delete", OTHER),
    Wanted("container-kill", OTHER),
    *(
        wanted
        for node in (SPARE, OTHER)
        for wanted in (
            Wanted("pod-network-latency", node, env={"NETWORK_LATENCY": "250"}),
            Wanted("pod-network-loss", node, env={"NETWORK_PACKET_LOSS_PERCENTAGE": "40"}),
            Wanted("pod-network-corruption", node, env={"NETWORK_PACKET_CORRUPTION_PERCENTAGE": "40"}),
            Wanted("pod-network-duplication", node, env={"NETWORK_PACKET_DUPLICATION_PERCENTAGE": "40"}),
            Wanted("pod-cpu-hog", node, env={"CPU_LOAD": "50"}),
            Wanted("pod-memory-hog", node, env={"MEMORY_CONSUMPTION": "100"}),
            Wanted("pod-io-stress", node, env={"FILESYSTEM_UTILIZATION_PERCENTAGE": "1", "NUMBER_OF_WORKERS": "1"}),
            Wanted("disk-fill", node, env={"FILL_PERCENTAGE": "60"}),
        )
    ),
    Wanted("node-cpu-hog", SPARE, env={"TARGET_NODES": SPARE, "CPU_LOAD": "50"}),
    Wanted("node-memory-hog", SPARE, env={"TARGET_NODES": SPARE, "MEMORY_PERCENTAGE": "10"}),
    Wanted("node-io-stress", SPARE, env={"TARGET_NODES": SPARE, "NUMBER_OF_WORKERS": "1"}),
    Wanted("pod-autoscaler", OTHER, env={"REPLICA_COUNT": "3"}, seconds=20),
    Wanted("node-taint", OTHER, env={"TARGET_NODE": SPARE, "TAINTS": "chaos=test:NoSchedule"}),
    Wanted("node-drain", OTHER, env={"TARGET_NODE": SPARE}, seconds=20),
    Wanted("kubelet-service-kill", OTHER, env={"TARGET_NODE": SPARE}, seconds=30),
    Wanted("docker-service-kill", OTHER, env={"TARGET_NODE": SPARE}, seconds=75),
    Wanted("k8-pod-delete", OTHER, env={"LABEL_NAME": "app=web"}),
    Wanted("k8-service-kill", OTHER, env={"LABEL_NAME": "app=web", "APP_ENDPOINT": "web"}),
    Wanted("node-restart", OTHER, env={"TARGET_NODE": SPARE}, seconds=60),
)


def main(names: list[str]) -> int:
    """Runs the named experiments, all if none is named, and prints the table."""
    image = os.environ.get("LITMUS_IMAGE", "")
    if not image or not os.environ.get("KUBECONFIG"):
        print("delivered: skipped, it needs a cluster: set KUBECONFIG and LITMUS_IMAGE", file=sys.stderr)
        return 0
    subprocess.run([_LITMUS, "install", "--image", image], check=True, stdout=subprocess.DEVNULL)
    print("| experiment | node | asked | delivered | verdict | run, s |", "|---|---|---|---|---|---|", sep="\n")
    for wanted in WANTED:
        if not names or wanted.experiment in names:
            for line in _run(wanted, image):
                print(line, flush=True)
    return 0


def _run(wanted: Wanted, image: str) -> list[str]:
    namespace = f"delivered-{time.time_ns() % 10**9:x}"
    kubectl("create", "namespace", namespace)
    try:
        experiment = catalogue.find(wanted.experiment)
        kubectl("apply", "-n", namespace, "-f", "-", stdin=charts.bundle([experiment], image=image))
        kubectl("apply", "-n", namespace, "-f", "-", stdin=charts.role(experiment, namespace=namespace))
        kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump_all(_application(wanted)))
        kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=120s")
        begun = time.monotonic()
        done = subprocess.run(
            [_LITMUS, "run", "-"], input=yaml.safe_dump(_engine(wanted, namespace)), text=True, capture_output=True,
            check=False,
        )  # fmt: skip
        took = time.monotonic() - begun
        found = kubectl("get", "chaosresult", f"chaos-{wanted.experiment}", "-n", namespace, "-o", "json", check=False)
        return _lines(wanted, json.loads(found) if found else None, said=done.stdout + done.stderr, took=took)
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false")
        if experiment.scope == "Cluster":
            for kind in ("clusterrole", "clusterrolebinding"):
                kubectl("delete", kind, f"{wanted.experiment}-sa", "--ignore-not-found")


def _lines(wanted: Wanted, result: dict[str, Any] | None, *, said: str, took: float) -> list[str]:
    """One line for a target; for a run without any, why it has none."""
    if result is None:
        return [_line(wanted, "–", said.strip().splitlines()[-1], "–", took)]
    status = result["status"]
    outcome = status["experimentstatus"]
    targets = status.get("targets") or [{"asked": "–", "delivered": outcome["failStep"]}]
    verdict = outcome["verdict"]
    why = "" if verdict == "Pass" else f" {outcome['failStep']}"
    return [_line(wanted, target["asked"], _delivered(target) + why, verdict, took) for target in targets[-1:]]


def _delivered(target: dict[str, Any]) -> str:
    times = (("gone after", "goneAfterSeconds"), ("ready again after", "readyAfterSeconds"))
    measured = [f"{words} {target[name]:g} s" for words, name in times if target.get(name) is not None]
    return "; ".join([target.get("delivered") or "–", *measured])


def _line(wanted: Wanted, asked: str, delivered: str, verdict: str, took: float) -> str:
    node = wanted.env.get("TARGET_NODE") or wanted.env.get("TARGET_NODES") or wanted.on
    cells = (wanted.experiment, node, asked, delivered, verdict, f"{took:.1f}")
    return f"| {' | '.join(' '.join(cell.replace('|', '/').split()) for cell in cells)} |"


def _application(wanted: Wanted) -> list[dict[str, Any]]:
    container = {
        "name": "web",
        "image": "nginx",
        "resources": {"limits": {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "200Mi"}},
    }
    meta = {"name": "web", "labels": _LABELS, "annotations": {"litmuschaos.io/chaos": "true"}}
    pod = {
        "nodeSelector": {"kubernetes.io/hostname": wanted.on},
        "tolerations": [{"operator": "Exists"}],  # tests keep their pods off a slow node by a taint
        "containers": [container],
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": pod},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": _LABELS},
        "spec": {"selector": _LABELS, "ports": [{"port": 80}]},
    }
    return [deployment, service]


def _engine(wanted: Wanted, namespace: str) -> dict[str, Any]:
    env = {"TOTAL_CHAOS_DURATION": str(wanted.seconds), "NAME_SPACE": namespace, **wanted.env}
    if "APP_ENDPOINT" in env:  # the cluster may have no DNS
        env["APP_ENDPOINT"] = kubectl("get", "service", "web", "-n", namespace, "-o", "jsonpath={.spec.clusterIP}")
    known = {tunable.name for tunable in catalogue.find(wanted.experiment).all_tunables()}
    variables = [{"name": name, "value": value} for name, value in env.items() if name in known]
    components = {"env": variables, "statusCheckTimeouts": {"delay": 1, "timeout": 90}}
    return {
        "apiVersion": "litmuschaos.io/v1alpha1",
        "kind": "ChaosEngine",
        "metadata": {"name": "chaos", "namespace": namespace},
        "spec": {
            "appinfo": {"appns": namespace, "applabel": "app=web", "appkind": "deployment"},
            "chaosServiceAccount": f"{wanted.experiment}-sa",
            "experiments": [{"name": wanted.experiment, "spec": {"components": components}}],
        },
    }


def kubectl(*arguments: str, stdin: str = "", check: bool = True) -> str:
    """What kubectl prints. Raises CalledProcessError."""
    done = subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise SystemExit(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
