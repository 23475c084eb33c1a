"""``litmus exporter``: the process of the Deployment, and the same outside of a cluster."""

import argparse
import asyncio
import logging
import os
import sys

from litmus import logs
from litmus.kube import Cluster, errors

from . import outlets, serve

log = logging.getLogger(__name__)

PORT = 8080
# Of the original: so long, in seconds, litmuschaos_experiment_verdict shows a new verdict as 1.
_PULSE = "TSDB_SCRAPE_INTERVAL"
# As those of every command (cli.failures).
_USAGE, _REFUSED, _DEFECT = 4, 2, 1


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line and ends with the status of every command."""

    def error(self, message: str) -> None:  # type: ignore[override]  # it exits, as that of the library
        self.exit(_USAGE, f"litmus exporter: {message}. See litmus exporter --help.\n")


def main(arguments: list[str]) -> int:
    """Exit status 0 after SIGTERM; a mistake of the options is one sentence."""
    logs.to_stderr()
    options = _parser().parse_args(arguments)
    try:
        pulse_s = _seconds(os.environ.get(_PULSE, ""))
    except ValueError as error:
        print(f"litmus exporter: {_PULSE}={os.environ[_PULSE]!r}: {error}", file=sys.stderr)
        return _USAGE
    settings = serve.Settings(
        host=options.host, port=options.port, namespace=_one_or_all(options.namespace), pulse_s=pulse_s
    )
    try:
        others = outlets.configured(vars(options), os.environ)
    except (outlets.Misused, outlets.MissingExtra) as error:
        print(f"litmus exporter: {error}", file=sys.stderr)
        return _USAGE
    try:
        asyncio.run(_run(settings, others, kubeconfig=options.kubeconfig, context=options.context))
    except errors.KubeError as error:
        print(f"litmus exporter: {error}", file=sys.stderr)
        return _REFUSED
    except Exception:
        # The outermost loop of the process: the kubelet starts it again, and whoever reads the log must find the cause.
        log.exception("the exporter ends: defect")
        return _DEFECT
    return 0


async def _run(settings: serve.Settings, others: serve.Beside, *, kubeconfig: str, context: str) -> None:
    async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
        where = f"namespace {settings.namespace}" if settings.namespace else "all namespaces"
        await serve.serve(
            cluster,
            settings,
            beside=[others],
            ready=lambda port: log.info(
                "metrics of %s on http://localhost:%d/metrics", where, port, extra={"port": port}
            ),
        )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="litmus exporter", description="Serves what chaos does in a cluster as Prometheus metrics.")
    namespace = os.environ.get("WATCH_NAMESPACE", "")
    parser.add_argument("--host", default="", help="address to listen on; all if it is not given")
    parser.add_argument("--port", type=_port, default=PORT, help=f"port to listen on ({PORT}); 0 takes a free one")
    parser.add_argument(
        "--namespace", default=namespace, help="only this one; else $WATCH_NAMESPACE, or all if that is empty"
    )
    parser.add_argument("--kubeconfig", default="", help="kubeconfig to use; else $KUBECONFIG, or the pod's account")
    parser.add_argument("--context", default="", help="context of the kubeconfig")
    outlets.settings.add_flags(parser)
    return parser


def _port(word: str) -> int:
    if not word.isdecimal() or int(word) > 65535:
        raise argparse.ArgumentTypeError(f"{word!r} is no port; it is a number from 0 to 65535")
    return int(word)


def _one_or_all(namespace: str) -> str:
    return "" if namespace == "*" else namespace


def _seconds(word: str) -> float:
    """The pulse, also with the s of a duration of Go. Raises ValueError."""
    if not word:
        return serve.Settings().pulse_s
    try:
        value = float(word.removesuffix("s"))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError("it must be a number of seconds, such as 10")
    return value
