"""``litmus runner``: what the runner pod runs."""

import asyncio
import logging
import os
import signal
import sys

from litmus.kube import Cluster, errors, kinds

from . import run

log = logging.getLogger(__name__)
PATIENCE_S = 30.0


def main(arguments: list[str]) -> int:
    """Exit status 0 when the engine is done; 1 makes the kubelet start the runner again, and it goes on."""
    missing = [name for name in ("CHAOSENGINE", "CHAOS_NAMESPACE") if not os.environ.get(name)]
    if arguments or missing:
        print(
            f"litmus runner: {', '.join(missing) or 'arguments'}: a runner is started by the operator", file=sys.stderr
        )
        return 4
    try:
        asyncio.run(_run())
    except asyncio.CancelledError:
        log.info("terminated")
    except errors.KubeError as error:
        log.error("the run can't go on here: %s", error)
        return 1
    return 0


async def _run() -> None:
    # As process 1 of a container, a signal without a handler would be ignored.
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with Cluster.connect(patience_s=PATIENCE_S) as cluster:
        name, namespace = os.environ["CHAOSENGINE"], os.environ["CHAOS_NAMESPACE"]
        engine = await cluster.find(kinds.ENGINE, name, namespace=namespace)
        other = engine is not None and os.environ.get("CHAOS_UID", engine.metadata.uid) != engine.metadata.uid
        if engine is None or other or not engine.active:
            log.info("engine %s in %s is gone or stopped: nothing to run", name, namespace)
            return
        await run.Runner(cluster, engine, os.environ).run()
