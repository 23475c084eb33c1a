"""Pods of probes on a real cluster, under the smallest role of the field: a command in an image, traffic from a pod.

The probers are driven from here, as by an experiment whose pod is in the namespace.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from litmus import api
from litmus.api.probe import CmdProbe, Comparator, Probe, TrafficProbe
from litmus.hub import charts
from litmus.kube import Cluster
from litmus.probes import command, traffic
from litmus.probes.contract import Observation, ProbeError, Prober, Surroundings
from tests.cluster import stage as stages
from tests.cluster.stage import Stage, until

OWN = "probing"


@pytest.fixture
def probing(stage: Stage) -> Iterator[Stage]:
    """A stage with an engine that does not run, and a pod of our image that stands for its experiment."""
    stage.apply(stage.engine("pod-delete", engineState="stop"))
    container = {"name": "own", "image": stages.IMAGE or charts.DEFAULT_IMAGE, "command": ["sleep", "600"]}
    stage.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": OWN},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
        }
    )
    yield stage
    assert until(lambda: not stage.get("pods", selector="chaosUID"), "the probes' pods to be gone")


def identity(stage: Stage, folder: Path) -> str:
    """A kubeconfig of chaos-sa."""
    config = json.loads(stage.kubectl("config", "view", "--minify", "--raw", "-o", "json"))
    token = stage.kubectl("create", "token", "chaos-sa").strip()
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    file = folder / "chaos-sa.yaml"
    file.write_text(yaml.safe_dump(config))
    return str(file)


def asked(stage: Stage, folder: Path, probe: Probe, *, count: int = 1) -> list[Observation]:
    """What the prober sees: once, or the first so many of its stream."""
    module = command if probe.cmd else traffic

    async def ask() -> list[Observation]:
        async with asyncio.timeout(110), Cluster.connect(kubeconfig=identity(stage, folder), patience_s=5) as cluster:
            engine = msgspec.convert(stage.get("chaosengine", "chaos"), api.ChaosEngine)
            around = Surroundings(cluster=cluster, engine=engine, experiment="pod-delete", pod=OWN)
            prober: Prober = module.prober(probe, around)
            if count == 1:
                return [await prober.once(timeout_s=30)]
            seen: list[Observation] = []
            async with aclosing(prober.stream()) as observations:  # type: ignore[attr-defined]
                async for observation in observations:
                    seen.append(observation)
                    if len(seen) == count:
                        return seen
            raise AssertionError("the stream ended")

    return asyncio.run(ask())


def commanded(line: str, source: Any = "busybox", value: str = "hello") -> Probe:
    comparator = Comparator(type="string", criteria="equal", value=value)
    inputs = CmdProbe(command=line, comparator=comparator, source=source)
    return Probe(name="cmd", type="cmdProbe", mode="SOT", cmd=inputs)


def test_a_command_in_an_image_gives_its_standard_output_alone(probing: Stage, tmp_path: Path):
    (seen,) = asked(probing, tmp_path, commanded("echo noise >&2; echo hello"))
    assert (seen.passed, seen.output) == (True, "hello")


def test_a_command_in_an_image_that_fails_is_told_by_its_last_error(probing: Stage, tmp_path: Path):
    (seen,) = asked(probing, tmp_path, commanded("echo hello; echo first >&2; echo why >&2; exit 3"))
    assert (seen.passed, seen.observed) == (False, "exit status 3: why")


def test_a_source_of_3x_has_its_environment_and_what_runs_beside_the_command(probing: Stage, tmp_path: Path):
    beside = ["sh", "-c", "echo $WORD >/tmp/p.part; mv /tmp/p.part /tmp/p; sleep 100"]
    source = {"image": "busybox", "env": [{"name": "WORD", "value": "hello"}], "command": beside}
    line = "until [ -e /tmp/p ]; do sleep 0.1; done; cat /tmp/p"
    (seen,) = asked(probing, tmp_path, commanded(line, source))
    assert seen.passed, seen


def test_an_image_that_does_not_exist_is_no_observation(probing: Stage, tmp_path: Path):
    source = {"image": "registry.invalid/none:1", "imagePullPolicy": "Never"}
    with pytest.raises(ProbeError, match="can't start: ErrImageNeverPull"):
        asked(probing, tmp_path, commanded("true", source))


def test_traffic_from_a_pod_sees_the_application_come_and_go(probing: Stage, tmp_path: Path):
    probing.deploy(1)
    (pod,) = probing.get("pods", selector="app=web")
    url = f"http://{pod['status']['podIP']}/"
    inputs = TrafficProbe(url=url, source="pod", rate=10.0, timeout="5s")
    probe = Probe(name="load", type="trafficProbe", mode="Continuous", traffic=inputs)
    seen = asked(probing, tmp_path, probe, count=30)
    assert all(one.passed for one in seen), seen
    assert all((one.latency_ms or 0) > 0 for one in seen)
    # The port is closed where the pod is still there, and nobody is at the address where it is gone.
    inputs = msgspec.structs.replace(inputs, url=url.replace("http://", "tcp://").rstrip("/") + ":81")
    (seen_once,) = asked(probing, tmp_path, msgspec.structs.replace(probe, traffic=inputs))
    assert (seen_once.passed, seen_once.error) == (False, "refused")
