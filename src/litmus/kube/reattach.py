"""The way back of a disk that was taken from a machine of a cloud: ``{"kind": "reattach", …, "by", "pod"}``.

The experiment's own pod has the credentials and does it itself. The operator has none: it sends a pod with the Secret
of the run to the run's namespace, which carries the recipe out as ``litmus reattach``. ``pod`` of the recipe holds what
that pod needs - image, names of Secrets and where they are mounted, service account - and never a credential.
"""

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import msgspec

from litmus.api import names
from litmus.faults.cloud import command, disk
from litmus.faults.contract import FaultError

from . import errors, helpers, kinds, waiting
from .cluster import Cluster
from .node_marks import Done, Undo
from .objects import Pod

# What of the environment has to do with logging in to a cloud. Of the first, only a reference to a Secret is kept.
SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SETTINGS = ("AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "GOOGLE_APPLICATION_CREDENTIALS")
_CONTAINER = "reattach"
_DEADLINE_S = helpers.START_DEADLINE_S + disk.SETTLE_S


def plain_text_secrets(pod: Mapping[str, Any]) -> list[str]:
    """Names of credentials that stand in a pod's environment themselves, so that no recipe may carry them."""
    return [entry["name"] for entry in _environment(pod) if entry["name"] in SECRETS and entry.get("value")]


def recipe(undo: Mapping[str, Any], *, pod: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe of a disk loss, for other processes too. ``pod``: the manifest of the experiment's own pod."""
    meta, spec = pod["metadata"], pod["spec"]
    container = spec["containers"][0]
    mounts = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
    secrets = [
        {"name": volume["secret"]["secretName"], "mountPath": mounts[volume["name"]]}
        for volume in spec.get("volumes", [])
        if "secret" in volume and volume["name"] in mounts and not _of_account(mounts[volume["name"]])
    ]
    kept = [
        entry
        for entry in _environment(pod)
        if (entry["name"] in SECRETS and "valueFrom" in entry) or entry["name"] in _SETTINGS
    ]
    return {
        **undo,
        "by": meta["name"],
        "pod": {
            "namespace": meta["namespace"],
            "image": container["image"],
            "pullPolicy": container.get("imagePullPolicy", "IfNotPresent"),
            "pullSecrets": spec.get("imagePullSecrets", []),
            "serviceAccount": spec.get("serviceAccountName", "default"),
            "secrets": secrets,
            "env": kept,
        },
    }


async def revert(cluster: Cluster, undo: Undo) -> Done:
    """Attaches the disk again. Raises KubeError when the cloud refuses, or the pod that is sent can't do it."""
    if not _ours(undo):
        return await _send(cluster, undo)
    try:
        await asyncio.to_thread(disk.DiskLoss.revert, undo)
    except FaultError as error:
        raise errors.KubeError(str(error)) from error
    return Done(f"volume {undo['volume']} is attached again, or somebody else took care of it")


async def leftovers(cluster: Cluster, undo: Undo) -> str:
    """What is missing, asked of the cloud; a pod that was sent has asked already, and failed if anything was."""
    if not _ours(undo):
        return ""
    try:
        return await asyncio.to_thread(disk.DiskLoss.leftovers, undo)
    except FaultError as error:
        raise errors.KubeError(str(error)) from error


def revert_pod(undo: Undo) -> dict[str, Any]:
    """The pod that carries the recipe out with the credentials of the run."""
    wanted = undo["pod"]
    numbered = list(enumerate(wanted["secrets"]))
    return {
        "metadata": {
            "name": f"disk-loss-revert-{names.random_suffix()}",
            "namespace": wanted["namespace"],
            "labels": {names.PART_OF: "litmus", names.COMPONENT: names.HELPER_COMPONENT},
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": int(_DEADLINE_S),
            "serviceAccountName": wanted["serviceAccount"],
            "automountServiceAccountToken": False,
            "imagePullSecrets": wanted["pullSecrets"],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": [{"name": f"secret-{i}", "secret": {"secretName": s["name"]}} for i, s in numbered],
            "containers": [
                {
                    "name": _CONTAINER,
                    "image": wanted["image"],
                    "imagePullPolicy": wanted["pullPolicy"],
                    "command": ["litmus", "reattach"],
                    "env": [*wanted["env"], {"name": command.RECIPE, "value": _written(undo)}],
                    "volumeMounts": [{"name": f"secret-{i}", "mountPath": s["mountPath"]} for i, s in numbered],
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


def _written(undo: Undo) -> str:
    """The recipe without what only whoever sends a pod needs."""
    return msgspec.json.encode({key: value for key, value in undo.items() if key != "pod"}).decode()


async def _send(cluster: Cluster, undo: Undo) -> Done:
    pod = revert_pod(undo)
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    await cluster.create(kinds.POD, pod, namespace=namespace)
    try:
        why = await waiting.until(
            cluster,
            kinds.POD,
            _ended,
            namespace=namespace,
            name=name,
            what=f"pod {name} to attach volume {undo['volume']} again",
            deadline_s=_DEADLINE_S,
        )
    finally:
        await asyncio.shield(cluster.delete(kinds.POD, name, namespace=namespace, grace_s=0))
    if why:
        raise errors.KubeError(f"volume {undo['volume']} could not be attached again: {why}")
    return Done(f"volume {undo['volume']} looked after by a pod with the Secret of the run")


def _ended(pods: list[Pod]) -> str | None:
    """'' when the pod has done it, a sentence when it can't or could not, None while it is at it."""
    if not pods:
        return "its pod was removed"
    status = pods[0].container(_CONTAINER)
    done = status.state.terminated if status else None
    if done:
        return "" if done.exit_code == 0 else f"exit code {done.exit_code}: {done.message or done.reason}"
    return helpers.stuck_reason(pods[0]) or (pods[0].status.reason or "its pod failed" if pods[0].over else None)


def _ours(undo: Undo) -> bool:
    """Whether we run in the pod that took the disk, and so have its credentials."""
    return bool(undo["by"]) and os.environ.get("POD_NAME") == undo["by"]


def _environment(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pod["spec"]["containers"][0].get("env", [])
    return found


def _of_account(path: str) -> bool:
    """Whether this is where Kubernetes itself mounts a service account's token."""
    return path.startswith("/var/run/secrets/")
