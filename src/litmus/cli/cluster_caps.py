"""The caps that an operator would hold an engine to, for ``litmus plan``."""

from litmus.api import names
from litmus.experiments import caps, caps_text
from litmus.kube import Cluster, errors, kinds

from . import installed


async def of_engine(cluster: Cluster, *, namespace: str) -> caps.Caps | str:
    """The caps for engines of this namespace, or why they are not known. Raises Mistake when they make no sense."""
    try:
        found = await installed.operators(cluster, namespace=names.OPERATOR_NAMESPACE)
        theirs = [operator for operator in found if operator.overlaps(namespace)]
        home = theirs[0].namespace if theirs else names.OPERATOR_NAMESPACE
        default = caps.standard(home, alone=bool(theirs) and theirs[0].watched == home)
        config_map = await cluster.find(kinds.CONFIG_MAP, caps.CONFIG_MAP, namespace=home)
    except errors.Forbidden as error:
        return f"the caps of this cluster can't be read: {error}; the operator will obey them"
    return caps_text.read(config_map.data if config_map else None, default=default)
