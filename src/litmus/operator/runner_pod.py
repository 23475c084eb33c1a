"""The runner pod of an engine. Pure. Its environment serves our runner and the original's of 1.10 and 3.x."""

import re
from typing import Any

import msgspec

from litmus import api
from litmus.api import names, targeting
from litmus.experiments import caps as caps_
from litmus.kube import engines

_ORIGINAL = "chaos-runner"
# What the 'restricted' pod security standard asks for; our image runs as any user.
_UNPRIVILEGED = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}


def manifest(
    engine: api.ChaosEngine, targets: list[targeting.AppTarget], *, image: str, caps: caps_.Caps | None = None
) -> dict[str, Any]:
    """``image``: the operator's default, used unless the engine names one. ``caps``: what its experiments must obey."""
    wanted = engine.spec.components.runner
    chosen = wanted.image or image
    variables = environment(engine, targets) | ({caps_.VARIABLE: caps_.written(caps)} if caps else {})
    labels = wanted.runner_labels | engines.labels(engine, names.RUNNER_COMPONENT) | {names.APP: "engine"}
    container: dict[str, Any] = {
        "name": "chaos-runner",
        "image": chosen,
        "imagePullPolicy": wanted.image_pull_policy or "IfNotPresent",
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "volumeMounts": [
            *({"name": f"cm-{i}", "mountPath": m.mount_path} for i, m in enumerate(wanted.config_maps)),
            *({"name": f"secret-{i}", "mountPath": s.mount_path} for i, s in enumerate(wanted.secrets)),
        ],
    }
    ours = not _is_original(chosen)
    if wanted.command or ours:
        container["command"] = wanted.command or ["litmus", "runner"]
    if ours:
        container["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    if wanted.args:
        container["args"] = wanted.args
    if wanted.resources:
        container["resources"] = msgspec.to_builtins(wanted.resources)
    spec: dict[str, Any] = {
        "serviceAccountName": engine.spec.chaos_service_account,
        "restartPolicy": "OnFailure",
        "containers": [container],
        "imagePullSecrets": msgspec.to_builtins(wanted.image_pull_secrets),
        "nodeSelector": wanted.node_selector,
        "securityContext": _UNPRIVILEGED if ours else {},
        "tolerations": msgspec.to_builtins(wanted.tolerations),
        "volumes": [
            *({"name": f"cm-{i}", "configMap": {"name": m.name}} for i, m in enumerate(wanted.config_maps)),
            *({"name": f"secret-{i}", "secret": {"secretName": s.name}} for i, s in enumerate(wanted.secrets)),
        ],
    }
    if engine.spec.termination_grace_period_seconds is not None:
        spec["terminationGracePeriodSeconds"] = engine.spec.termination_grace_period_seconds
    return {
        "metadata": {
            "name": names.runner(engine.metadata.name),
            "labels": labels,
            "annotations": wanted.runnerannotation | wanted.runner_annotations,
            "ownerReferences": [engines.owner(engine)],
        },
        "spec": spec,
    }


def environment(engine: api.ChaosEngine, targets: list[targeting.AppTarget]) -> dict[str, str]:
    """APP_* for a runner of 1.10, TARGETS for ours and for 3.x."""
    app = engine.spec.appinfo
    return {
        "CHAOSENGINE": engine.metadata.name,
        "CHAOS_UID": engine.metadata.uid,
        "CHAOS_NAMESPACE": engine.metadata.namespace,
        "EXPERIMENT_LIST": ",".join(entry.name for entry in engine.spec.experiments),
        "CHAOS_SVC_ACC": engine.spec.chaos_service_account,
        "AUXILIARY_APPINFO": engine.spec.auxiliary_app_info,
        "CLIENT_UUID": "",
        "APP_LABEL": app.applabel,
        "APP_KIND": app.appkind,
        "APP_NAMESPACE": app.appns,
        "TARGETS": targeting.render(targets),
    }


def _is_original(image: str) -> bool:
    """An image of the original's runner starts by itself; any other is ours under another name."""
    return re.split("[:@]", image.rpartition("/")[2])[0] == _ORIGINAL
