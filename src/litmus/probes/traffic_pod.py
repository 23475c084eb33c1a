"""Requests from a pod of our image in the run's namespace, heard by its log.

Its times are those of its node. The experiment compares each line's time with its own when it reads it: that is the
difference of the two clocks plus how long the line was under way, so the least of these differences is the clocks'
one, too high by the shortest way that any line had. A way takes milliseconds, and half a second where the log can only
be polled; a difference of up to ``SLACK_S`` is therefore taken for the way and the clocks for equal, as NTP keeps them.
Nothing is handed on before ``LINES`` lines were compared.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import msgspec

from litmus.kube import errors, helpers, report

from . import pods
from .aim import Aim
from .contract import Observation, ProbeError, Surroundings
from .dialling import outcome
from .traffic_role import FAILED, Line

log = logging.getLogger(__name__)

CONTAINER = "traffic"
SLACK_S = 1.0
LINES = 3
_AGAIN_S = 0.5


class Clocks:
    """The difference between a pod's clock and ours, seen through the lines of its log."""

    def __init__(self) -> None:
        self._least = float("inf")

    def compare(self, *, theirs: float, ours: float) -> None:
        """A line written at ``theirs`` is read at ``ours``."""
        self._least = min(self._least, ours - theirs)

    @property
    def offset_s(self) -> float:
        """What to add to their times, in seconds."""
        return 0.0 if 0 <= self._least <= SLACK_S or self._least == float("inf") else self._least


class PodTraffic:
    """Requests from a pod. ``once`` needs as long as a pod takes to start, beside the timeout of the request."""

    start_s = pods.START_DEADLINE_S

    def __init__(self, aim: Aim, surroundings: Surroundings) -> None:
        self._aim = aim
        self._surroundings = surroundings
        self._pod = ""

    async def once(self, *, timeout_s: float) -> Observation:
        aim = msgspec.structs.replace(self._aim, timeout_s=min(timeout_s, self._aim.timeout_s))
        async with aclosing(self._of_one_pod(aim, "once")) as observations:
            async for observation in observations:
                return observation
        raise ProbeError("the traffic pod ended before it had sent its request; look at the events of its namespace")

    async def stream(self) -> AsyncGenerator[Observation]:
        """Until it is closed. A pod that is lost - to a drain, or to the chaos itself - is replaced by another one.

        Raises ProbeError when one ends without having said anything.
        """
        while True:
            heard = False
            async with aclosing(self._of_one_pod(self._aim)) as observations:
                async for observation in observations:
                    heard = True
                    yield observation
            if not heard:
                raise ProbeError("the traffic pod ended before it had sent a request; look at its namespace's events")
            log.warning("the traffic pod is gone: another one takes its place")
            await asyncio.sleep(_AGAIN_S)

    async def aclose(self) -> None:
        """The pod goes when the stream is closed, and here at the latest: a loop that is broken off closes nothing."""
        if self._pod:
            await self._remove(self._pod)

    async def _of_one_pod(self, aim: Aim, *words: str) -> AsyncGenerator[Observation]:
        surroundings = self._surroundings
        image = await pods.own_image(surroundings)
        wanted = manifest(surroundings, aim, *words, image=image, lifetime_s=await pods.lifetime_s(surroundings))
        name = str(wanted["metadata"]["name"])
        self._pod = name
        try:
            await pods.create(surroundings, wanted)
            async with aclosing(self._lines(name)) as lines:
                async for observation in _observations(lines, expected=aim.expected):
                    yield observation
        except errors.KubeError as error:
            raise ProbeError(f"the traffic pod can't be heard: {error}") from error
        finally:
            await asyncio.shield(self._remove(name))

    async def _remove(self, name: str) -> None:
        await pods.remove(self._surroundings.cluster, name, namespace=self._surroundings.namespace)
        if self._pod == name:
            self._pod = ""

    async def _lines(self, name: str) -> AsyncGenerator[Line]:
        """What the pod says, until it ends."""
        namespace = self._surroundings.namespace
        stream = report.Stream(self._surroundings.cluster, namespace=namespace, pod=name, container=CONTAINER)
        patience_s: float | None = pods.START_DEADLINE_S
        async with aclosing(stream.events()) as events:
            while True:
                try:
                    async with asyncio.timeout(patience_s):
                        event = await anext(events)
                except StopAsyncIteration:
                    log.info("the traffic pod ended", extra={"pod": name, "why": stream.why_ended})
                    return
                except TimeoutError as error:
                    raise ProbeError(f"traffic pod {name} did not start within {patience_s:g} s") from error
                if event["event"] == report.UNREADABLE:
                    raise ProbeError(
                        "the role may not read the traffic pod's log: add get on pods/log to it, or set the source to "
                        "experiment"
                    )
                patience_s = None
                line = msgspec.convert(event, Line)
                if line.event == FAILED:
                    raise ProbeError(f"traffic pod {name}: {line.why}")
                yield line


async def _observations(lines: AsyncGenerator[Line], *, expected: str) -> AsyncGenerator[Observation]:
    """With the times of our clock."""
    clocks, kept, count = Clocks(), list[Line](), 0
    async for line in lines:
        clocks.compare(theirs=line.now, ours=time.time())
        kept.append(line)
        count += 1
        while kept and count >= LINES:
            for observation in _of_line(kept.pop(0), clocks.offset_s, expected):
                yield observation
    for line in kept:
        for observation in _of_line(line, clocks.offset_s, expected):
            yield observation


def _of_line(line: Line, offset_s: float, expected: str) -> Iterator[Observation]:
    outcomes = [outcome(*words) for words in line.outcomes]
    for age_ms, latency_ms, place in line.samples:
        ended = outcomes[place]
        at = line.now - age_ms / 1000 + offset_s
        yield Observation(at, not ended.error, ended.observed, expected, latency_ms=latency_ms, error=ended.error)


def manifest(
    surroundings: Surroundings, aim: Aim, *words: str, image: helpers.Image, lifetime_s: int
) -> dict[str, Any]:
    """The pod. It mounts no service account token: it talks to the application alone."""
    return {
        "metadata": pods.metadata(surroundings, "traffic"),
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": lifetime_s,
            "terminationGracePeriodSeconds": 2,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "imagePullSecrets": [{"name": secret} for secret in image.pull_secrets],
            "containers": [
                {
                    "name": CONTAINER,
                    "image": image.name,
                    "imagePullPolicy": image.pull_policy,
                    "command": ["litmus", "traffic"],
                    "args": [msgspec.json.encode(aim).decode(), *words],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
