"""``litmus operator``: the process of the Deployment."""

import asyncio
import logging
import os
import socket
import sys

from litmus import logs
from litmus.api import names
from litmus.kube import errors

from . import lease, serve

log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Exit status 0 after SIGTERM, 1 when leadership was lost or the cluster can't be reached."""
    logs.to_stderr()
    logging.getLogger("kopf").setLevel(logging.WARNING)
    if arguments or "WATCH_NAMESPACE" not in os.environ:
        print(
            "litmus operator: takes no arguments and needs WATCH_NAMESPACE ('' for the whole cluster); "
            "install it with litmus install",
            file=sys.stderr,
        )
        return 4
    settings = serve.Settings(
        watch_namespace=os.environ["WATCH_NAMESPACE"],
        own_namespace=os.environ.get("OPERATOR_NAMESPACE", names.OPERATOR_NAMESPACE),
        identity=os.environ.get("POD_NAME", socket.gethostname()),
        image=os.environ.get("CHAOS_RUNNER_IMAGE", ""),
        health_port=int(os.environ.get("HEALTH_PORT", "8081")),
    )
    try:
        asyncio.run(serve.serve(settings))
    except (lease.Lost, errors.KubeError) as error:
        log.error("the operator ends: %s", error)
        return 1
    except Exception:
        # The outermost loop of the process: the kubelet starts it again, and whoever reads the log must find the cause.
        log.exception("the operator ends: defect")
        return 1
    return 0
