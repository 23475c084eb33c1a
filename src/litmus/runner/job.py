"""The Job of one experiment, computed from the engine and the ChaosExperiment. Pure.

Its environment is the union of what the runners of 1.10 and of 3.x hand over (reference, 3.2), so that an experiment
image of either works.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from litmus import api
from litmus.api import names
from litmus.api.engine import ExperimentComponents
from litmus.api.experiment import Definition
from litmus.api.meta import ConfigMapMount, EnvVar, SecretMount
from litmus.kube import engines

# What an experiment may need beyond its own times: pulling, starting, and a helper on every node.
_START_MARGIN_S = 600
# A time that only the experiment can read may be anything up to this, in seconds.
_LONGEST_S = 30 * 86400


def manifest(
    engine: api.ChaosEngine,
    entry: api.EngineExperiment,
    experiment: api.ChaosExperiment,
    *,
    job_name: str,
    targets: str,
    application: Mapping[str, str],
) -> dict[str, Any]:
    """The Job. ``application`` holds APP_NAMESPACE, APP_LABEL and APP_KIND as the runner got them."""
    definition, components = experiment.spec.definition, entry.spec.components
    env = environment(engine, entry, definition, targets=targets, application=application)
    labels = definition.labels | engines.labels(engine, names.EXPERIMENT_COMPONENT)
    labels |= {names.EXPERIMENT_LABEL: entry.name, "name": definition.labels.get("name", entry.name)}
    volumes, mounts = _volumes(definition, components)
    container: dict[str, Any] = {
        "name": job_name,
        "image": components.experiment_image or definition.image,
        "imagePullPolicy": definition.image_pull_policy or "Always",
        "command": definition.command or ["/bin/bash"],
        "args": definition.args,
        "env": env,
        "volumeMounts": mounts,
        "securityContext": definition.security_context.container_security_context,
    }
    if components.resources:
        container["resources"] = msgspec.to_builtins(components.resources)
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "serviceAccountName": engine.spec.chaos_service_account,
        "containers": [container],
        "volumes": volumes,
        "nodeSelector": components.node_selector,
        "tolerations": msgspec.to_builtins(components.tolerations),
        "imagePullSecrets": msgspec.to_builtins(components.experiment_image_pull_secrets),
        "securityContext": definition.security_context.pod_security_context,
        "hostPID": definition.host_pid,
    }
    if engine.spec.termination_grace_period_seconds is not None:
        pod["terminationGracePeriodSeconds"] = engine.spec.termination_grace_period_seconds
    annotations = (
        definition.experimentannotations
        | definition.experiment_annotations
        | components.experimentannotation
        | components.experiment_annotations
    )
    return {
        "metadata": {"name": job_name, "labels": labels, "ownerReferences": [engines.owner(engine)]},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": deadline_s(env),
            "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": pod},
        },
    }


def environment(
    engine: api.ChaosEngine,
    entry: api.EngineExperiment,
    definition: Definition,
    *,
    targets: str,
    application: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Defaults of the ChaosExperiment, overridden by the engine, overridden by what only the runner knows."""
    components = entry.spec.components
    timeouts = components.status_check_timeouts
    values: dict[str, dict[str, Any]] = {}
    for variable in (*definition.env, *components.env):
        values[variable.name] = _variable(variable)
    fixed = {
        "STATUS_CHECK_DELAY": str(timeouts.delay),
        "STATUS_CHECK_TIMEOUT": str(timeouts.timeout),
        "CHAOSENGINE": engine.metadata.name,
        "CHAOS_NAMESPACE": engine.metadata.namespace,
        "CHAOS_UID": engine.metadata.uid,
        "EXPERIMENT_NAME": entry.name,
        "AUXILIARY_APPINFO": engine.spec.auxiliary_app_info,
        "CHAOS_SERVICE_ACCOUNT": engine.spec.chaos_service_account,
        "TARGETS": targets,
        "JOB_CLEANUP_POLICY": engine.spec.job_clean_up_policy or "delete",
        **application,
    }
    if engine.spec.default_health_check is not None:
        fixed["DEFAULT_HEALTH_CHECK"] = str(engine.spec.default_health_check).lower()
    for name, value in fixed.items():
        values[name] = {"name": name, "value": value}
    values["POD_NAME"] = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return list(values.values())


def deadline_s(env: list[dict[str, Any]]) -> int:
    """When Kubernetes ends the Job even if every process of ours hangs: generous, but never never.

    The original holds the full duration once per target in serial mode, so named targets multiply it.
    """
    value = {variable["name"]: str(variable.get("value") or "").strip() for variable in env}
    unknown = {variable["name"] for variable in env if "valueFrom" in variable}

    def seconds(name: str, default: int) -> int:
        text = value.get(name, "")
        if text.isascii() and text.isdecimal():
            return min(int(text), _LONGEST_S)
        return _LONGEST_S if name in unknown or text else default

    targets = 1 + value.get("TARGET_PODS", "").count(",") + value.get("TARGET_NODES", "").count(",")
    chaos = seconds("TOTAL_CHAOS_DURATION", 60) * targets
    checks = 6 * seconds("STATUS_CHECK_TIMEOUT", 180)
    return chaos + 2 * seconds("RAMP_TIME", 0) + checks + _START_MARGIN_S


def mounts(
    definition: Definition, components: ExperimentComponents
) -> tuple[dict[str, ConfigMapMount], dict[str, SecretMount]]:
    """ConfigMaps and Secrets by name; the engine overrides where both name one."""
    maps = (*definition.configmaps, *definition.config_maps, *components.configmaps, *components.config_maps)
    secrets = (*definition.secrets, *components.secrets)
    return {m.name: m for m in maps}, {s.name: s for s in secrets}


def _variable(variable: EnvVar) -> dict[str, Any]:
    if variable.value_from is None:
        return {"name": variable.name, "value": variable.value or ""}
    return {"name": variable.name, "valueFrom": msgspec.to_builtins(variable.value_from)}


def _volumes(
    definition: Definition, components: ExperimentComponents
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    maps, secrets = mounts(definition, components)
    volumes: list[dict[str, Any]] = []
    places: list[dict[str, Any]] = []
    # Numbered: the name of a volume has fewer letters than that of what it mounts.
    for number, mount in enumerate(maps.values()):
        volumes.append({"name": f"cm-{number}", "configMap": {"name": mount.name}})
        places.append({"name": f"cm-{number}", "mountPath": mount.mount_path})
    for number, secret in enumerate(secrets.values()):
        volumes.append({"name": f"secret-{number}", "secret": {"secretName": secret.name}})
        places.append({"name": f"secret-{number}", "mountPath": secret.mount_path})
    for number, host in enumerate(definition.host_file_volumes):
        source = {"path": host.node_path} | ({"type": host.type} if host.type else {})
        volumes.append({"name": f"host-{number}", "hostPath": source})
        places.append({"name": f"host-{number}", "mountPath": host.mount_path})
    return volumes, places
