"""Pods of probes: ours, beside the application, for as long as the run.

They belong to the engine, so they go with it, with ``litmus stop`` and with the operator's cleaning up; if all of us
die, the kubelet ends them when the Job of the experiment would have been ended. Like every pod of a run they carry the
label by which no experiment takes them for the application. The smallest role is enough: create, list, delete pods and
read their logs.
"""

import contextlib
from datetime import UTC, datetime
from typing import Any

from litmus.api import names
from litmus.kube import Cluster, clock, engines, errors, helpers, kinds
from litmus.kube.kinds import Kind

from .contract import ProbeError, Surroundings

# Pull and start; a cluster that takes longer can't be measured from a pod.
START_DEADLINE_S = 90.0
# Of a pod whose experiment has no Job to read a deadline of.
_UNKNOWN_S = 2 * 3600.0
_LEAST_S = 60.0
_RAW_JOB: Kind[dict[str, Any]] = Kind("batch", "v1", "Job", "jobs", dict)
_RAW_POD: Kind[dict[str, Any]] = Kind("", "v1", "Pod", "pods", dict)


def metadata(surroundings: Surroundings, what: str) -> dict[str, Any]:
    """A new name, and the labels and the owner by which the pod is found and removed."""
    experiment = surroundings.experiment
    labels = engines.labels(surroundings.engine, names.PROBE_COMPONENT)
    return {
        "name": f"{experiment}-{what}-{names.random_suffix()}",
        "labels": labels | {names.APP: f"{experiment}-{what}", names.EXPERIMENT_LABEL: experiment},
        "ownerReferences": [engines.owner(surroundings.engine)],
    }


async def own_image(surroundings: Surroundings) -> helpers.Image:
    """The image that the experiment runs from. Raises ProbeError where it runs in no pod."""
    try:
        return await helpers.own_image(surroundings.cluster, pod=surroundings.pod, namespace=surroundings.namespace)
    except errors.KubeError as error:
        raise ProbeError(f"the image of the experiment's own pod can't be found: {error}") from error


async def own_pod(surroundings: Surroundings) -> dict[str, Any]:
    """The experiment's own pod as the server has it. Raises ProbeError."""
    try:
        return await surroundings.cluster.get(_RAW_POD, surroundings.pod, namespace=surroundings.namespace)
    except errors.KubeError as error:
        raise ProbeError(f"the experiment's own pod can't be read: {error}") from error


async def lifetime_s(surroundings: Surroundings) -> int:
    """How long a pod that serves the whole run may live: until the Job of the experiment has to be over, in seconds."""
    with contextlib.suppress(errors.KubeError, KeyError, TypeError, ValueError):
        pod = await surroundings.cluster.get(kinds.POD, surroundings.pod, namespace=surroundings.namespace)
        kind, name, _ = pod.owner
        if kind == "Job":
            job = await surroundings.cluster.get(_RAW_JOB, name, namespace=surroundings.namespace)
            began = clock.parse(job["metadata"]["creationTimestamp"])
            left = float(job["spec"]["activeDeadlineSeconds"]) - (datetime.now(UTC) - began).total_seconds()
            return int(max(left, _LEAST_S))
    return int(_UNKNOWN_S)


async def create(surroundings: Surroundings, manifest: dict[str, Any]) -> str:
    """Its name. Raises ProbeError where it is refused."""
    try:
        await helpers.create(surroundings.cluster, manifest, namespace=surroundings.namespace)
    except (errors.Forbidden, errors.Invalid) as error:
        raise ProbeError(f"the probe's pod can't be created: {error}; mend the role or the probe's source") from error
    except errors.KubeError as error:
        raise ProbeError(f"the probe's pod can't be created: {error}") from error
    return str(manifest["metadata"]["name"])


async def remove(cluster: Cluster, name: str, *, namespace: str) -> None:
    """At once; that nothing of it is left matters less than the run, so a cluster that refuses is not heard."""
    with contextlib.suppress(errors.KubeError):
        await cluster.delete(kinds.POD, name, namespace=namespace, grace_s=0)
