"""The engine of a run in a test, from the words of the test. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from litmus import api, impact
from litmus.api import strict
from litmus.api.meta import present
from litmus.experiments import catalogue, tunables
from litmus.experiments.tunables import DURATION

_KINDS = ("deployment", "statefulset", "daemonset", "deploymentconfig", "rollout")
_LASTING = ("Continuous", "OnChaos")
_SIGNALS = ("trafficProbe", "httpProbe", "promProbe")
TRAFFIC = "traffic"


class Misuse(Exception):
    """A run can't be made of what the test asks for; one sentence that says what to write instead."""


def traffic(url: str, *, rate: float) -> dict[str, Any]:
    """A probe that asks the URL all the while."""
    return {
        "name": TRAFFIC,
        "type": "trafficProbe",
        "mode": "Continuous",
        "trafficProbe/inputs": {"url": url, "rate": rate},
    }


def engine(
    experiment: str,
    *,
    name: str,
    namespace: str,
    app: str,
    service_account: str,
    values: Mapping[str, object],
    probes: Sequence[Mapping[str, Any]],
    criteria: Mapping[str, str],
) -> tuple[api.ChaosEngine, dict[str, Any]]:
    """The engine and its manifest. Raises Misuse with the first mistake."""
    _check_tunables(experiment, values)
    _check_criteria(criteria, probes)
    env = [{"name": key, "value": _text(value)} for key, value in values.items()]
    entry = {"components": {"env": env}, "probe": [dict(probe) for probe in probes], "impact": dict(criteria)}
    manifest = {
        "apiVersion": api.API_VERSION,
        "kind": "ChaosEngine",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            **_application(app, namespace),
            "annotationCheck": "false",  # the test names its application; no other annotation has to
            "engineState": "active",
            "chaosServiceAccount": service_account,
            "experiments": [{"name": experiment, "spec": entry}],
        },
    }
    found = strict.engine_mistakes(manifest)
    if found:
        raise Misuse(f"chaos.run({experiment!r}, …): {found[0]}")
    return msgspec.convert(present(manifest), api.ChaosEngine), manifest


def duration_s(value: float | None) -> dict[str, object]:
    """TOTAL_CHAOS_DURATION, where the test says how long."""
    if value is None:
        return {}
    if value < 1 or value != int(value):
        raise Misuse(f"duration={value!r}: must be whole seconds, at least 1")
    return {DURATION.name: int(value)}


def _application(app: str, namespace: str) -> dict[str, Any]:
    """``deployment/web``, ``pod/web-0`` or a label selector such as ``app=web``; nothing for experiments on nodes."""
    if not app:
        return {}
    kind, slash, name = app.partition("/")
    if "=" in app and not (slash and kind in (*_KINDS, "pod")):
        return {"appinfo": {"appns": namespace, "applabel": app}}
    if not slash or not name or kind not in (*_KINDS, "pod"):
        raise Misuse(f"app={app!r}: write deployment/NAME ({', '.join(_KINDS[1:])}, pod), or labels such as app=web")
    if kind == "pod":
        return {"selectors": {"pods": [{"namespace": namespace, "names": name}]}}
    return {"selectors": {"workloads": [{"kind": kind, "namespace": namespace, "names": name}]}}


def _check_tunables(experiment: str, values: Mapping[str, object]) -> None:
    try:
        known = catalogue.find(experiment)
    except catalogue.UnknownExperiment as error:
        raise Misuse(str(error)) from None
    offered = {t.name: t for t in known.all_tunables()}
    for key, value in values.items():
        if key not in offered:
            near = strict.closest(key, list(offered))
            raise Misuse(f"tunables: {experiment} has no {key}{near}; litmus hub show {experiment} lists them")
        try:
            offered[key].value(_text(value))
        except tunables.TunableError as error:
            raise Misuse(f"tunables: {error}") from None


def _check_criteria(criteria: Mapping[str, str], probes: Sequence[Mapping[str, Any]]) -> None:
    try:
        impact.read_criteria(criteria)
    except ValueError as error:
        raise Misuse(str(error)) from None
    if criteria and not any(p.get("type") in _SIGNALS and p.get("mode") in _LASTING for p in probes):
        raise Misuse(
            f"impact={dict(criteria)!r} needs a continuous signal: give traffic='service/NAME:PORT', or a probe "
            "in mode Continuous"
        )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
