"""Runs of pod-delete, watched from outside: the times, and the memory of the runner and of the experiment.

The clock starts before the request that creates the engine, and stops when a watch shows what is waited for. So a
figure holds everything that a user waits for: operator, scheduler, kubelet, container runtime, and our processes.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import scene
from memory import Sampled
from table import NotMeasured
from timeline import COMPLETED, FIRST_DELETION, Timeline

from litmus import api
from litmus.api import names, yaml_text
from litmus.experiments import catalogue
from litmus.hub import charts, documents
from litmus.kube import Cluster, kinds, waiting
from litmus.kube.objects import Pod

DURATION_S = 15
_TUNABLES = {"TOTAL_CHAOS_DURATION": str(DURATION_S), "CHAOS_INTERVAL": "5", "FORCE": "true"}
_EXPERIMENT = "pod-delete"
_ENGINE = "overhead"
_REPLICAS = 3
_SAMPLE_S = 0.25
_DEADLINE_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """``stages`` in seconds after the engine was applied; ``memory`` of each role."""

    stages: dict[str, float]
    memory: dict[str, Sampled]

    @property
    def overhead_s(self) -> float:
        return self.stages[COMPLETED] - DURATION_S


async def prepare(cluster: Cluster, *, namespace: str, image: str) -> None:
    """The images on the nodes, nginx, and pod-delete with the role of its chart."""
    await scene.pull(cluster, {image: ["litmus", "--version"], scene.NGINX: ["nginx", "-v"]}, namespace=namespace)
    await cluster.create(kinds.DEPLOYMENT, _nginx(), namespace=namespace)
    experiment = catalogue.find(_EXPERIMENT)
    role = yaml_text.documents(charts.role(experiment, namespace=namespace))
    for manifest in (documents.plain(charts.custom_resource(experiment, image=image)), *role):
        await cluster.create(kinds.of_manifest(manifest), manifest, namespace=namespace)


def _nginx() -> dict[str, Any]:
    """What ``kubectl create deployment nginx --image=nginx --replicas=3`` makes, with the annotation."""
    labels = {"app": "nginx"}
    container = {"name": "nginx", "image": scene.NGINX, "imagePullPolicy": "IfNotPresent"}
    return {
        "metadata": {"name": "nginx", "labels": labels, "annotations": {names.CHAOS_ANNOTATION: "true"}},
        "spec": {
            "replicas": _REPLICAS,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _engine(namespace: str, image: str) -> dict[str, Any]:
    """The runner's image is named, because an operator that is there already may have another one."""
    variables = [{"name": name, "value": value} for name, value in _TUNABLES.items()]
    return {
        "metadata": {"name": _ENGINE},
        "spec": {
            "appinfo": {"appns": namespace, "applabel": "app=nginx", "appkind": "deployment"},
            "chaosServiceAccount": f"{_EXPERIMENT}-sa",
            "components": {"runner": {"image": image}},
            "experiments": [{"name": _EXPERIMENT, "spec": {"components": {"env": variables}}}],
        },
    }


async def one(cluster: Cluster, *, namespace: str, image: str) -> Run:
    """One run, from an application at rest to an engine that is gone again. Raises NotMeasured unless it passes."""
    clock = asyncio.get_running_loop().time
    timeline = Timeline(await _at_rest(cluster, namespace))
    samples: dict[str, Sampled] = {}
    try:
        async with (
            scene.alongside(_follow(cluster, timeline, namespace)),
            scene.alongside(_sample(timeline, samples)),
        ):
            began = clock()
            await cluster.create(kinds.ENGINE, _engine(namespace, image), namespace=namespace)
            engine = await _completed(cluster, namespace)
            timeline.note(COMPLETED, at=clock())
        await _check(cluster, engine)
        if FIRST_DELETION not in timeline.times:
            raise NotMeasured("a run passed, and the watch on its pods saw none deleted")
    finally:
        await scene.tidied(scene.remove_engine(cluster, _ENGINE, namespace=namespace), f"engine {_ENGINE}")
    return Run(stages=timeline.after(began), memory=samples)


async def _at_rest(cluster: Cluster, namespace: str) -> frozenset[str]:
    """Waits until the application is whole and nothing of an earlier run is left; the uids of its pods."""

    def rested(pods: list[Pod]) -> frozenset[str] | None:
        application = [pod for pod in pods if pod.metadata.labels.get("app") == "nginx"]
        whole = len(application) == _REPLICAS and all(pod.ready for pod in application)
        over = not any(names.CHAOS_UID in pod.metadata.labels for pod in pods)
        return frozenset(pod.metadata.uid for pod in application) if whole and over else None

    return await waiting.until(
        cluster,
        kinds.POD,
        rested,
        namespace=namespace,
        what=f"{_REPLICAS} ready pods of nginx and the end of the run before",
        deadline_s=_DEADLINE_S,
    )


async def _completed(cluster: Cluster, namespace: str) -> api.ChaosEngine:
    def done(engines: list[api.ChaosEngine]) -> api.ChaosEngine | None:
        return engines[0] if engines and engines[0].status.engine_status == "completed" else None

    return await waiting.until(
        cluster,
        kinds.ENGINE,
        done,
        namespace=namespace,
        name=_ENGINE,
        what="the engine to be completed",
        deadline_s=_DEADLINE_S,
    )


async def _check(cluster: Cluster, engine: api.ChaosEngine) -> None:
    """A run that did not pass did not do what is measured."""
    verdict = engine.status.experiments[0].verdict
    if verdict != "Pass":
        place = names.result(_ENGINE, _EXPERIMENT)
        result = await cluster.find(kinds.RESULT, place, namespace=engine.metadata.namespace)
        why = result.status.experimentstatus.fail_step if result else "there is no result"
        raise NotMeasured(f"a run ended with {verdict}: {why}")


async def _follow(cluster: Cluster, timeline: Timeline, namespace: str) -> None:
    """A list and the watch after it lose nothing, so it is early enough to begin with the request for the engine."""
    clock = asyncio.get_running_loop().time
    async with aclosing(waiting.follow(cluster, kinds.POD, namespace=namespace)) as states:
        async for pods in states:
            timeline.look(pods, at=clock())


async def _sample(timeline: Timeline, samples: dict[str, Sampled]) -> None:
    """/proc tells no change, so it is read four times a second, which takes a millisecond each."""
    while True:
        for role, container in timeline.containers.items():
            samples.setdefault(role, Sampled(container)).sample()
        await asyncio.sleep(_SAMPLE_S)
