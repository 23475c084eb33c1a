"""The charts: what a hub hands out for each experiment, generated from its declaration. Pure.

    charts/<group>/experiments.yaml               every ChaosExperiment of the group
    charts/<group>/<experiment>/experiment.yaml   the ChaosExperiment
    charts/<group>/<experiment>/rbac.yaml         its service account and the least role that it needs
    charts/<group>/<experiment>/engine.yaml       a ChaosEngine to start from
    charts/<group>/icons/<name>.svg               an icon of each experiment, and one of the group

and beside them what describes them to a hub: see ``metadata``.

The layout is that of the public hub at 1.10 (reference/litmus-outer.md, 1.4). No file names a namespace unless it is
asked to or Kubernetes forces it to, so that ``kubectl apply -n`` decides.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from litmus import __version__, api
from litmus.api import names
from litmus.experiments import tunables
from litmus.experiments.declaration import Experiment, Permission
from litmus.experiments.node_fault import NodeFault
from litmus.experiments.tunables import TARGET_NODE, TARGET_NODES, Tunable

from . import categories, documents, icons, metadata
from .documents import Comment, Flow, Quoted

DEFAULT_IMAGE = f"litmus-py/litmus:{__version__}"
FILES = ("experiment.yaml", "rbac.yaml", "engine.yaml")
BUNDLE = "experiments.yaml"

# Who binds a ClusterRole has to name a namespace; this is the one of the original's charts.
_FALLBACK_NAMESPACE = "default"
# Empty in the charts, and good so for most runs: all shared tunables but those that name a node.
_SELDOM_SET = {t.name for t in vars(tunables).values() if isinstance(t, Tunable)} - {
    TARGET_NODE.name,
    TARGET_NODES.name,
}
_UNITS = {"s": "In seconds.", "%": "In percent."}
_COUNTED = frozenset({"workers", "replicas", "packets", "nodes", "pods"})  # the help says what is counted

_OF_PODS = 'With true, only what carries the annotation litmuschaos.io/chaos="true" is touched.'
_OF_NODES = (
    'With true, the application has to carry the annotation litmuschaos.io/chaos="true". A node carries none: whatever '
    "runs on it feels the fault."
)
_APPLICATION_OF_NODES = (
    "The application whose health is checked before and after. Where no node is named below, the node of one of its "
    "pods is hit; where one is named, appinfo may be left out."
)

Document = dict[Any, Any]


def is_namespace(name: str) -> bool:
    """Whether Kubernetes would take the name (a DNS label of RFC 1123)."""
    return bool(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name))


def table(
    experiments: Iterable[Experiment], *, image: str = DEFAULT_IMAGE, namespace: str = ""
) -> dict[str, Callable[[], str]]:
    """Every file by its path, each written when it is called. ``namespace`` goes into the files that may carry one."""
    files: dict[str, Callable[[], str]] = {}
    groups: dict[str, list[Experiment]] = {}
    for experiment in experiments:
        groups.setdefault(experiment.chart, []).append(experiment)
    for group, members in groups.items():
        files[f"charts/{group}/{BUNDLE}"] = partial(bundle, members, image=image)
        files[metadata.group_csv_path(group)] = partial(metadata.of_group, group, members)
        files[metadata.package_path(group)] = partial(metadata.package, group, members)
        files[metadata.icon_path(group, group)] = partial(icons.group, group, title=categories.category(group).title)
        for experiment in members:  # one with the name of its group has the group's icon, as upstream
            folder = f"charts/{group}/{experiment.name}"
            files[f"{folder}/experiment.yaml"] = partial(bundle, [experiment], image=image)
            files[f"{folder}/rbac.yaml"] = partial(role, experiment, namespace=namespace)
            files[f"{folder}/engine.yaml"] = partial(engine, experiment, namespace=namespace)
            files[metadata.csv_path(group, experiment.name)] = partial(metadata.of_experiment, experiment)
            files[metadata.icon_path(group, experiment.name)] = partial(icons.icon, experiment)
    return files


def bundle(experiments: Iterable[Experiment], *, image: str) -> str:
    """``experiment.yaml`` of one experiment, ``experiments.yaml`` of several."""
    return documents.write([custom_resource(experiment, image=image) for experiment in experiments])


def custom_resource(experiment: Experiment, *, image: str = DEFAULT_IMAGE) -> Document:
    """The ChaosExperiment.

    It goes through a shell, because the runner of 1.10 ignores ``command`` and always starts ``/bin/bash`` with the
    arguments; ``exec`` makes the experiment process 1 of the container, so that it gets the signal to abort.
    """
    labels = {
        "name": experiment.name,
        names.PART_OF: "litmus",
        names.COMPONENT: names.EXPERIMENT_COMPONENT,
        "app.kubernetes.io/version": Quoted(__version__),
    }
    secrets = [{"name": name, "mountPath": path} for name, path in experiment.secrets.items()]
    return {
        "apiVersion": api.API_VERSION,
        "description": {"message": experiment.help},
        "kind": "ChaosExperiment",
        "metadata": {"name": experiment.name, "labels": labels},
        "spec": {
            "definition": {
                "scope": experiment.scope,
                "permissions": _rules(experiment.permissions),
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/bash"],
                "args": ["-c", f"exec litmus experiment {experiment.name}"],
                **_security(experiment),
                "env": _environment((t, t.chart) for t in experiment.all_tunables() if t.chart is not None),
                "labels": dict(labels),
                **({"secrets": secrets} if secrets else {}),
            }
        },
    }


def role(experiment: Experiment, *, namespace: str = "") -> str:
    """``rbac.yaml``: service account, role by scope, and binding.

    A RoleBinding may leave out the namespace of its service account, which is then its own (Kubernetes,
    pkg/registry/rbac/validation/rule.go, ``appliesToUser``); a ClusterRoleBinding may not. So that a role for the
    whole cluster is never bound to an account that is not there, its account names the namespace too: with another
    ``kubectl -n`` it is refused instead of applied in vain.
    """
    name = f"{experiment.name}-sa"
    clusterwide = experiment.scope == "Cluster"
    if clusterwide:
        namespace = namespace or _FALLBACK_NAMESPACE
    within: Document = {"namespace": namespace} if namespace else {}
    labels = {"name": name, names.PART_OF: "litmus"}
    kind = "ClusterRole" if clusterwide else "Role"
    group = "rbac.authorization.k8s.io"
    place: Document = {} if clusterwide else within
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, **within, "labels": labels},
    }
    rules = {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": {"name": name, **place, "labels": labels},
        "rules": _rules(experiment.permissions),
    }
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": f"{kind}Binding",
        "metadata": {"name": name, **place, "labels": labels},
        "roleRef": {"apiGroup": group, "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, **within}],
    }
    return documents.write([account, rules, binding], heading=_where(namespace, forced=clusterwide))


def _where(namespace: str, *, forced: bool) -> str:
    if forced:
        return (
            f"For namespace {namespace}: the binding of a ClusterRole has to name one. For another namespace "
            "fetch this file with &namespace=NAME at the end of its URL, or change the name in both places."
        )
    if namespace:
        return f"For namespace {namespace}."
    return (
        "For the namespace that kubectl apply -n names. "
        "The binding leaves out the namespace of its service account, which is therefore its own."
    )


def engine(experiment: Experiment, *, namespace: str = "") -> str:
    """``engine.yaml``: a run of the experiment on a Deployment nginx, to be changed by the user."""
    return documents.write([engine_document(experiment, namespace=namespace)])


def engine_document(
    experiment: Experiment, *, namespace: str = "", listed: Iterable[tuple[Tunable, str]] | None = None
) -> Document:
    """The engine before it is written; ``listed`` are its tunables and their values, else those of the chart."""
    nodes = isinstance(experiment, NodeFault)
    within: Document = {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": api.API_VERSION,
        "kind": "ChaosEngine",
        "metadata": {"name": "nginx-chaos", **within},
        "spec": {
            **({Comment(_APPLICATION_OF_NODES): None} if nodes else {}),
            "appinfo": {
                Comment("Namespace of the application; empty means that of the engine."): None,
                "appns": Quoted(namespace),
                "applabel": Quoted("app=nginx"),
                Comment("deployment, statefulset, daemonset, deploymentconfig or rollout; empty means any pod."): None,
                "appkind": Quoted("deployment"),
            },
            Comment(_OF_NODES if nodes else _OF_PODS): None,
            "annotationCheck": Quoted("false" if nodes else "true"),
            Comment("active runs it, stop ends it and puts everything back."): None,
            "engineState": Quoted("active"),
            Comment(
                "Further applications that have to stay healthy, for instance ns1:name=percona,ns2:run=nginx"
            ): None,
            "auxiliaryAppInfo": Quoted(""),
            "chaosServiceAccount": f"{experiment.name}-sa",
            "monitoring": False,
            Comment("delete or retain the jobs and pods of the run."): None,
            "jobCleanUpPolicy": Quoted("delete"),
            "experiments": [
                {
                    "name": experiment.name,
                    "spec": {
                        "components": {"env": _environment(worth_a_look(experiment) if listed is None else listed)}
                    },
                }
            ],
        },
    }


def worth_a_look(experiment: Experiment) -> list[tuple[Tunable, str]]:
    """The tunables of an engine to start from: what the chart sets, what names a node, and what only this one has."""
    return [
        (t, t.default or t.chart or "")
        for t in experiment.all_tunables()
        if t.chart or (t.chart is not None and not t.unneeded and t.name not in _SELDOM_SET)
    ]


def _environment(tunables: Iterable[tuple[Tunable, str | None]]) -> list[Any]:
    lines: list[Any] = []
    for tunable, value in tunables:
        lines += [Comment(_explained(tunable)), {"name": tunable.name, "value": Quoted(value or "")}]
    return lines


def _explained(tunable: Tunable) -> str:
    measured = tunable.unit and tunable.unit not in _COUNTED
    unit = _UNITS.get(tunable.unit, f"In {tunable.unit}." if measured else "")
    allowed = f"Allowed: {tunable.allowed}." if tunable.allowed else ""
    return " ".join(part for part in (tunable.help, unit, allowed) if part)


def _rules(permissions: Iterable[Permission]) -> list[Any]:
    rules: list[Any] = []
    for permission in permissions:
        rule = {
            "apiGroups": Flow(permission.groups),
            "resources": Flow(permission.resources),
            "verbs": Flow(permission.verbs),
        }
        rules += [Comment(f"To {permission.reason}."), rule]
    return rules


def _security(experiment: Experiment) -> Document:
    """An experiment itself talks to the API server and to probes; only its helper pods need anything of a node."""
    note: Document = {}
    if experiment.privileges:
        note = {Comment(f"Its helper pods on the nodes need more: {', '.join(experiment.privileges)}."): None}
    return {
        **note,
        "securityContext": {
            "podSecurityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containerSecurityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
        },
    }
