"""``python -m litmus.sandbox.network --kubeconfig FILE``: the service proxy of a sandbox as a process of its own.

Whoever starts it has it ended with himself (PR_SET_PDEATHSIG); SIGTERM and SIGINT end it too.
"""

import argparse
import asyncio
import contextlib
import logging
import resource
import signal
import sys
from collections.abc import Sequence

from litmus.sandbox import client

from .proxy import Proxy


async def run(kubeconfig: str) -> None:
    """Answer until a signal comes. Raises OSError and ValueError for a kubeconfig that is of no use."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    async with client.Client.from_kubeconfig(kubeconfig, user_agent="kube-proxy") as api:
        with contextlib.suppress(asyncio.CancelledError):
            await Proxy(api).run()


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 after a signal, 2 when the kubeconfig is of no use."""
    parser = argparse.ArgumentParser(prog="python -m litmus.sandbox.network")
    parser.add_argument("--kubeconfig", required=True, help="how to reach the API server")
    asked = parser.parse_args(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # every connection takes two files
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(run(asked.kubeconfig))
    except (OSError, ValueError) as problem:
        logging.getLogger(__name__).error("%s", problem)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
