"""A stage for experiments: an application on the small API server, and a run's context without its life cycle."""

from typing import Any

import msgspec

from litmus import api
from litmus.api.targeting import AppTarget
from litmus.experiments import tunables
from litmus.experiments.context import Context
from litmus.experiments.declaration import Experiment
from litmus.experiments.selection import Victim
from litmus.experiments.setting import Setting
from litmus.kube import Cluster, events, results
from tests import apiserver, samples

EXPERIMENT_POD = "pod-delete-x"
WEB = AppTarget(kind="deployment", namespace="shop", labels="app=web")


def setting(**changes: Any) -> Setting:
    values = {
        "engine": "shop-chaos",
        "namespace": "shop",
        "engine_uid": samples.ENGINE_UID,
        "pod": EXPERIMENT_POD,
        "instance": "",
        "targets": (WEB,),
        "auxiliary": (),
        "check_timeout_s": 5.0,
        "health_checks": True,
    }
    return Setting(**(values | changes))


def values(experiment: Experiment, **env: str) -> tunables.Values:
    return tunables.read(experiment.all_tunables(), {"TOTAL_CHAOS_DURATION": "3600"} | env)


async def context(server: apiserver.Server, cluster: Cluster, experiment: Experiment, **env: Any) -> Context:
    """A run that has begun; ``setting_`` in ``env`` changes the setting, everything else is a tunable."""
    changes = env.pop("setting_", {})
    engine = samples.engine()
    server.put("chaosengines", engine)
    server.put("pods", experiment_pod())
    diary = results.Results(cluster, namespace="shop", engine="shop-chaos", experiment=experiment.name)
    result = await diary.begin(engine_uid=samples.ENGINE_UID, pod=EXPERIMENT_POD)
    return Context(
        cluster=cluster,
        experiment=experiment.name,
        setting=setting(**changes),
        values=values(experiment, **env),
        engine=msgspec.convert(engine, api.ChaosEngine),
        results=diary,
        events=events.Poster(cluster, EXPERIMENT_POD),
        run_number=1,
        result=result,
    )


def experiment_pod() -> dict[str, Any]:
    pod = samples.pod(EXPERIMENT_POD, owner=("Job", "pod-delete"), labels={"chaosUID": samples.ENGINE_UID})
    pod["spec"]["containers"][0]["imagePullPolicy"] = "Never"
    return pod


def deployment(server: apiserver.Server, *pods: str, **changes: Any) -> None:
    """Pods of the Deployment `web`, and its controller: a deleted one is replaced by a ready one at once."""
    for name in pods:
        server.put("pods", samples.pod(name, **changes))
    server.on("delete", "pods", replace)


def replace(server: apiserver.Server, gone: dict[str, Any], **changes: Any) -> None:
    """What a ReplicaSet does; only for pods of an application."""
    if "chaosUID" not in gone["metadata"]["labels"]:
        name = f"{gone['metadata']['name']}-next"
        server.put("pods", samples.pod(name, creationTimestamp="2026-01-01T00:01:00Z", **changes))


def rounds(monkeypatch: Any, count: int) -> None:
    """Ends the chaos at the pause after this many rounds, whatever the duration, and without the pauses."""
    left = [count]

    async def hold(self: Context, seconds: float) -> None:
        left[0] -= 1
        if left[0] <= 0:
            self.chaos_ends = self.now

    monkeypatch.setattr(Context, "hold", hold)


def ledger(server: apiserver.Server, experiment: str) -> list[dict[str, Any]]:
    return server.get("chaosresults", f"shop-chaos-{experiment}")["status"]["faults"]


def names(pods: Any) -> list[str]:
    """Names of pods, or of what a plan foresees."""
    return sorted(item.name if isinstance(item, Victim) else item.metadata.name for item in pods)
