"""What the runner tells an experiment through its environment - ours or the original's of 1.10 or 3.x."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from litmus.api import targeting
from litmus.faults import moments

from . import verdicts
from .caps import VARIABLE, Caps, handed


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One run's coordinates. Times are in seconds."""

    engine: str
    namespace: str
    engine_uid: str
    pod: str
    instance: str
    targets: tuple[targeting.AppTarget, ...]
    auxiliary: tuple[targeting.AppTarget, ...]
    check_timeout_s: float
    health_checks: bool
    # Where the run lingers so that a crash can be rehearsed there: see faults/moments.py.
    linger: str = ""
    # What an administrator allows; None where whoever started the run knows no caps.
    caps: Caps | None = None


def read(env: Mapping[str, str]) -> Setting:
    """Raises CannotRun with the variable that is missing or can't be read."""
    missing = [name for name in ("CHAOSENGINE", "CHAOS_NAMESPACE") if not env.get(name)]
    if missing:
        raise verdicts.CannotRun(
            f"{' and '.join(missing)} not set: an experiment is started by a runner; "
            "apply a ChaosEngine, or use litmus run"
        )
    namespace = env["CHAOS_NAMESPACE"]
    try:
        return Setting(
            engine=env["CHAOSENGINE"],
            namespace=namespace,
            engine_uid=env.get("CHAOS_UID", ""),
            pod=env.get("POD_NAME", ""),
            instance=env.get("INSTANCE_ID", ""),
            targets=_targets(env, namespace),
            auxiliary=tuple(targeting.auxiliary(env.get("AUXILIARY_APPINFO", ""))),
            check_timeout_s=_seconds(env, "STATUS_CHECK_TIMEOUT", 180.0),
            health_checks=env.get("DEFAULT_HEALTH_CHECK", "true").lower() != "false",
            linger=env.get(moments.VARIABLE, ""),
            caps=handed(env.get(VARIABLE, "")),
        )
    except ValueError as error:
        raise verdicts.CannotRun(str(error), code=verdicts.TUNABLE) from error


def _targets(env: Mapping[str, str], namespace: str) -> tuple[targeting.AppTarget, ...]:
    if env.get("TARGETS"):
        return tuple(
            dataclasses.replace(target, namespace=target.namespace or namespace)
            for target in targeting.parse(env["TARGETS"])
        )
    kind, label, where = env.get("APP_KIND", ""), env.get("APP_LABEL", ""), env.get("APP_NAMESPACE", "")
    if not (kind or label or where):
        return ()
    return (targeting.AppTarget(kind=kind or targeting.ANY_OWNER, namespace=where or namespace, labels=label),)


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{name}={text!r}: must be a whole number of seconds")
    return float(text)
