"""``python -m litmus.sandbox.node``: a node of a sandbox, until SIGTERM."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from . import kubelet, registration


def main(arguments: list[str]) -> int:
    """Exit status 0 after an orderly end, 2 for arguments or files that are wrong."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = _settings(arguments)
    try:
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        node = kubelet.Kubelet(settings)
    except (OSError, ValueError) as error:
        print(f"node {settings.name} can't start: {error}", file=sys.stderr)  # noqa: T201
        return 2
    asyncio.run(_run(node))
    return 0


async def _run(node: kubelet.Kubelet) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await node.run(stop)


def _settings(arguments: list[str]) -> kubelet.Settings:
    parser = argparse.ArgumentParser(prog="litmus.sandbox.node", description="A node of a sandbox.")
    parser.add_argument("--name", required=True, help="name of the Node")
    parser.add_argument("--kubeconfig", required=True, type=Path, help="how to reach the API server")
    parser.add_argument("--dir", required=True, type=Path, help="the node's folder, <sandbox>/nodes/<name>")
    parser.add_argument("--pod-range", required=True, help="addresses of its pods, for instance 127.40.1.0/24")
    parser.add_argument("--images", required=True, type=Path, help="images.json of the sandbox; need not exist")
    parser.add_argument("--labels", default="", help="more labels: key=value,key=value")
    parser.add_argument("--cpu", default="", help="cores, as a quantity; default: the machine's")
    parser.add_argument("--memory", default="", help="memory, as a quantity; default: the machine's")
    parser.add_argument("--pods", default=registration.PODS, type=int, help="how many pods it takes")
    found = parser.parse_args(arguments)
    pairs = [pair.partition("=") for pair in found.labels.split(",") if pair]
    return kubelet.Settings(
        name=found.name,
        kubeconfig=found.kubeconfig,
        folder=found.dir.absolute(),
        pod_range=found.pod_range,
        images=found.images,
        labels={key: value for key, _, value in pairs},
        cpu=found.cpu,
        memory=found.memory,
        pods=found.pods,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
