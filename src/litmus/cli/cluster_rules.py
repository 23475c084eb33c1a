"""What an operator would hold an engine to - the switch that stops everything, and the caps - looked up beforehand.

For ``litmus plan``, which tells it, and ``litmus run``, which creates nothing that would be refused. The rules are
those of the operator, in its own code; only who asks is another, and may not be allowed to look.
"""

from dataclasses import dataclass

from litmus import api
from litmus.api import names
from litmus.experiments import admission, cap_admission, caps_text
from litmus.experiments import caps as limits
from litmus.kube import Cluster, errors, kinds, switch

from . import installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """``trouble``: the caps make no sense, so that nothing may begin. ``unknown``: why neither could be looked at."""

    stopped: switch.Switch | None = None
    caps: limits.Caps | None = None
    trouble: str = ""
    unknown: str = ""

    @property
    def halting(self) -> str:
        """Why no engine at all would begin, '' if some would."""
        return self.stopped.said if self.stopped else self.trouble


async def of_engines_in(cluster: Cluster, namespace: str) -> Rules:
    """The rules of the operator that looks after engines of this namespace."""
    try:
        found = await installed.operators(cluster, namespace=names.OPERATOR_NAMESPACE)
        theirs = [operator for operator in found if operator.overlaps(namespace)]
        home = theirs[0].namespace if theirs else names.OPERATOR_NAMESPACE
        default = limits.standard(home, alone=bool(theirs) and theirs[0].watched == home)
        lever = await cluster.find(kinds.CONFIG_MAP, switch.NAME, namespace=home)
        config_map = await cluster.find(kinds.CONFIG_MAP, limits.CONFIG_MAP, namespace=home)
    except errors.Forbidden as error:
        return Rules(unknown=f"the caps of this cluster can't be read: {error}; the operator will obey them")
    stopped = switch.read(lever, namespace=home)
    try:
        return Rules(stopped=stopped, caps=caps_text.read(config_map.data if config_map else None, default=default))
    except limits.Mistake as mistake:
        return Rules(stopped=stopped, trouble=str(mistake))


async def refusal(cluster: Cluster, wanted: api.ChaosEngine) -> str:
    """What the operator would refuse this engine with by switch or caps; '' if it would not, or who asks can't tell.

    An engine that it would refuse for another reason is left to it.
    """
    rules = await of_engines_in(cluster, wanted.metadata.namespace)
    if rules.halting or rules.caps is None:
        return rules.halting
    try:
        await cap_admission.check(cluster, wanted, await admission.targets(cluster, wanted), rules.caps)
    except limits.Exceeded as exceeded:
        return str(exceeded)
    except (admission.Refused, errors.KubeError):
        return ""
    return ""
