"""Calling a helper over the pod network, where its node is about to fall silent: see ``faults/line.py``."""

import asyncio

from litmus.faults import line
from litmus.kube import Cluster, errors, kinds, waiting
from litmus.kube.objects import Pod

_ANSWER_S = 5.0
_ADDRESS_S = 20.0


async def call(cluster: Cluster, pod: str, word: str, *, namespace: str, secret: str) -> None:
    """Says a word to a helper pod. Raises KubeError when its address is not known or it does not answer."""
    address = await waiting.until(
        cluster,
        kinds.POD,
        lambda pods: _address(pod, pods),
        namespace=namespace,
        name=pod,
        what=f"the address of helper pod {pod}",
        deadline_s=_ADDRESS_S,
    )
    try:
        async with asyncio.timeout(_ANSWER_S):
            hears, says = await asyncio.open_connection(address, line.PORT)
            try:
                says.write(f"{secret} {word}".encode())
                answer = (await hears.readline()).decode().strip()
            finally:
                says.close()
    except (OSError, TimeoutError) as error:
        raise errors.Unreachable(
            f"helper pod {pod} at {address} does not hear its experiment ({type(error).__name__}); "
            f"allow TCP port {line.PORT} between them"
        ) from error
    if answer != word:
        raise errors.Unreachable(f"helper pod {pod} at {address} does not understand {word!r}")


def _address(name: str, pods: list[Pod]) -> str | None:
    if not pods:
        raise errors.NotFound(f"helper pod {name} was removed")
    return pods[0].status.pod_ip or None
