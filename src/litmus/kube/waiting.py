"""Waiting for a condition: by watch where the role allows it, else by listing, always with a deadline and a message.

The smallest role in the field has no ``watch`` (design.md, section 2). What was refused once is not asked again.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from . import errors
from .cluster import WATCH_S, Cluster
from .kinds import Kind

T = TypeVar("T")
R = TypeVar("R")

POLL_S = 0.5
_HEARTBEAT_S = 2.0
_refused: set[tuple[str, str, str]] = set()


async def until(
    cluster: Cluster,
    kind: Kind[T],
    condition: Callable[[list[T]], R | None],
    *,
    namespace: str,
    what: str,
    deadline_s: float | None,
    labels: str = "",
    name: str = "",
) -> R:
    """The first thing other than None that ``condition`` says of the objects with these labels or this name.

    ``what`` completes 'waited 30 s for …' in the TimedOut that is raised after ``deadline_s`` (None: no deadline).
    """
    try:
        async with (
            asyncio.timeout(deadline_s),
            aclosing(follow(cluster, kind, namespace=namespace, labels=labels, name=name)) as states,
        ):
            async for objects in states:
                found = condition(objects)
                if found is not None:
                    return found
    except TimeoutError as error:
        raise errors.TimedOut(f"waited {deadline_s:g} s for {what}") from error
    raise AssertionError("follow() never ends by itself")


async def follow(
    cluster: Cluster, kind: Kind[T], *, namespace: str, labels: str = "", name: str = ""
) -> AsyncGenerator[list[T]]:
    """The matching objects now, again whenever they may have changed, and every few seconds. Never ends."""
    fields = f"metadata.name={name}" if name else ""
    while True:
        objects, version = await cluster.select_with_version(kind, namespace=namespace, labels=labels, fields=fields)
        yield objects
        key = (cluster.server, namespace, kind.plural)
        if key in _refused:
            await asyncio.sleep(POLL_S)
            continue
        current = {_uid(item): item for item in objects}
        try:
            changes = cluster.watch(kind, namespace=namespace, labels=labels, fields=fields, version=version)
            # Innermost first: the heartbeat must have let go of the changes before these can be closed.
            async with aclosing(changes), aclosing(_with_heartbeat(changes)) as beats:
                async for change in beats:
                    if change is not None:
                        _note(current, *change)
                    yield list(current.values())
        except errors.Forbidden:
            _refused.add(key)
        except errors.KubeError:
            await asyncio.sleep(POLL_S)  # too old a version, or a server that restarts: list again


async def _with_heartbeat(changes: AsyncGenerator[tuple[str, T]]) -> AsyncGenerator[tuple[str, T] | None]:
    """The changes, and None whenever there was none for a while, so that conditions on time are looked at too.

    Ends with the watch: the server closes it in time, and if it does not, the connection is dead without knowing it.
    """
    clock = asyncio.get_running_loop().time
    dead_at = clock() + WATCH_S + _HEARTBEAT_S
    following = asyncio.ensure_future(anext(changes))
    try:
        while True:
            await asyncio.wait({following}, timeout=_HEARTBEAT_S)
            if not following.done():
                if clock() > dead_at:
                    return
                yield None
                continue
            try:
                yield following.result()
            except StopAsyncIteration:
                return
            following = asyncio.ensure_future(anext(changes))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def _note(current: dict[str, T], change: str, item: T) -> None:
    if change == "DELETED":
        current.pop(_uid(item), None)
    else:
        current[_uid(item)] = item


def _uid(item: object) -> str:
    return str(item.metadata.uid)  # type: ignore[attr-defined]  # every kind that is followed has metadata
