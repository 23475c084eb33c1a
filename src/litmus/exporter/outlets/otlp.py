"""A trace per run of an engine, to an OpenTelemetry collector over OTLP/HTTP in protobuf (extra ``[otel]``).

The SDK makes and encodes the spans. It does not send them: its exporter follows redirects with whatever credentials it
has, and waits between two tries in a thread that the end of the process can't interrupt.
"""

from collections.abc import Awaitable, Callable, Mapping
from importlib.util import find_spec

from .delivery import Delivery, Refused
from .engine_runs import EngineRun
from .posting import Poster, server
from .windows import Change

CONTENT_TYPE = "application/x-protobuf"
_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.common")


class MissingExtra(ImportError):
    """The packages of OpenTelemetry are not installed. The sentence says how to get them."""


def check() -> None:
    """Raises MissingExtra."""
    for package in _NEEDED:
        try:
            found = find_spec(package)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise MissingExtra(
                f"traces need the package {package}, which is not installed: pip install 'litmus-py[otel]'"
            )


class Traces:
    """The outlet. ``url``: where traces are posted, complete. Raises MissingExtra."""

    name = "otlp"

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        cluster: str = "",
        delivery: Delivery | None = None,
        poster: Poster | None = None,
    ) -> None:
        check()
        self._url = url
        self._headers = {"Content-Type": CONTENT_TYPE, **(headers or {})}
        self._cluster = cluster
        self._poster = poster or Poster()
        self.delivery = delivery or Delivery(f"the OpenTelemetry collector at {server(url)}")

    def tell(self, change: Change) -> None:
        """A window alone is no trace."""

    def tell_run(self, run: EngineRun) -> None:
        """Sends the trace of a run that is complete."""
        self.delivery.put(self._sender(run))

    async def aclose(self) -> None:
        await self._poster.aclose()

    def _sender(self, run: EngineRun) -> Callable[[], Awaitable[None]]:
        from . import encoding  # imports the SDK, when there is something to say

        body = encoding.request(run, cluster=self._cluster)

        async def send() -> None:
            answer = await self._poster.send("POST", self._url, headers=self._headers, body=body)
            if why := encoding.rejected(answer.body):
                raise Refused(why)

        return send
