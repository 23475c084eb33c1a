"""What a helper pod says while it works: JSON lines in its log, and its termination message as a last word.

The log is served by the node's kubelet, which may be the very thing that is broken: what can't be read now is read
later. A role without ``pods/log`` is enough, too: then there is only the last word.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal

import msgspec

from . import errors, helpers, kinds, waiting
from .cluster import Cluster
from .objects import Pod

_AGAIN_S = 0.3
# A helper says something every 5 s.
_SILENCE_S = 16.0
# Said by us, when the log can't be read: the next that is heard are the last words.
UNREADABLE = "unreadable"


class Stream:
    """The events of one helper pod, each once and in order, over any number of connections."""

    def __init__(self, cluster: Cluster, *, namespace: str, pod: str = "", container: str = helpers.CONTAINER) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._container = container
        self._last = 0
        self._readable = True
        self.pod = pod
        self.why_ended = ""

    async def events(self) -> AsyncGenerator[dict[str, Any]]:
        """Goes on where the last call stopped; ends when the pod has ended and everything was read.

        Raises KubeError when the pod can't start. Never ends by itself as long as the pod runs.
        """
        while True:
            ended = await self._seen()
            async with aclosing(self._read()) as heard:
                async for event in heard:
                    yield event
            if ended is not None:  # it had ended before the log was read, so that was all of it
                for event in last_words(ended):
                    if self._once(event):
                        yield event
                self.why_ended = ended.why
                return
            await asyncio.sleep(_AGAIN_S)

    async def _seen(self) -> "Ended | None":
        """Waits until the container runs - until it has ended, where there is no log to read - and how, if so."""

        def look(pods: list[Pod]) -> "Ended | Literal[True] | None":
            if not pods:
                return Ended(why="the pod was removed")
            if stuck := helpers.stuck_reason(pods[0]):
                raise errors.KubeError(f"helper pod {self.pod} can't start: {stuck}")
            return _ended(pods[0], self._container) or (
                True if self._readable and _runs(pods[0], self._container) else None
            )

        seen = await waiting.until(
            self._cluster,
            kinds.POD,
            look,
            namespace=self._namespace,
            name=self.pod,
            what=f"helper pod {self.pod}",
            deadline_s=None,
        )
        return seen if isinstance(seen, Ended) else None

    async def _read(self) -> AsyncGenerator[dict[str, Any]]:
        """What the log has, followed until it ends or breaks; nothing where it can't be read."""
        if not self._readable:
            return
        try:
            async with aclosing(
                self._cluster.follow_log(
                    self.pod, namespace=self._namespace, container=self._container, silence_s=_SILENCE_S
                )
            ) as lines:
                async for line in lines:
                    if event := self._new(line):
                        yield event
        except errors.Forbidden:
            self._readable = False
            yield {"event": UNREADABLE}
        except errors.KubeError:
            return  # the kubelet does not answer now, or the pod is gone: it is looked at again

    def _new(self, line: str) -> dict[str, Any] | None:
        try:
            event = msgspec.json.decode(line)
        except msgspec.DecodeError:
            return None  # a line of the interpreter or of a library
        return self._once(event) if isinstance(event, dict) and "event" in event else None

    def _once(self, event: dict[str, Any]) -> dict[str, Any] | None:
        if event.get("seq", 0) <= self._last:
            return None
        self._last = event["seq"]
        return event


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a helper's container ended."""

    why: str
    message: str = ""


def last_words(ended: Ended) -> list[dict[str, Any]]:
    """The events of a termination message, the last ones of the run; none if it holds no report.

    A helper that could not read its request touched nothing, and has no other word than that.
    """
    try:
        found = msgspec.json.decode(ended.message, type=dict[str, Any])
    except msgspec.DecodeError:
        return []
    if "error" in found:
        return [{"seq": 1, "event": "refused", "why": found["error"]}]
    events: list[dict[str, Any]] = found.get("events", [])
    return events


def _runs(pod: Pod, container: str) -> bool:
    status = pod.container(container)
    return status is not None and status.state.running is not None


def _ended(pod: Pod, container: str) -> Ended | None:
    status = pod.container(container)
    done = status.state.terminated if status else None
    if done:
        return Ended(why=f"exit code {done.exit_code} {done.reason}".strip(), message=done.message)
    return Ended(why=pod.status.reason or pod.status.phase) if pod.over else None
