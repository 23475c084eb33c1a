"""The hubs that a user added: add, sync, remove, and what they offer.

A sync that fails leaves the last good state and says why; a hub that was never fetched is listed with its problem. So
whoever shows hubs never waits for a network and never sees half of one.
"""

import asyncio
import contextlib
import logging
import random
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec.structs

from . import kept, model, reading, registry, sources
from .kept import Busy
from .registry import Added, Misused, Places, UnknownHub, places
from .sources import CannotFetch, Limits, Source

__all__ = [
    "Added",
    "CannotFetch",
    "Misused",
    "Outcome",
    "Places",
    "Source",
    "UnknownHub",
    "add",
    "hub",
    "hubs",
    "keep_synced",
    "places",
    "remove",
    "sync",
]

_AT_ONCE = 4
_JITTER = 0.1
_log = logging.getLogger(__name__)

# A hub is read from its folder once for each state: servers ask for it with every request.
_read: dict[tuple[str, kept.State], model.Hub] = {}
_last: dict[Path, list[Added]] = {}
_reading = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a sync came to. ``error`` is '' if it went well."""

    name: str
    error: str = ""
    changed: bool = False


async def add(name: str, source: Source, *, at: Places | None = None, limits: Limits | None = None) -> model.Hub:
    """Fetches a hub and then notes it; nothing is noted of one that can't be fetched.

    Raises Misused and CannotFetch.
    """
    at = at or places()
    registry.check_name(name)
    _check_free(registry.read(at.file), name)
    source = sources.check(source)
    entry = Added(name=name, **{field: getattr(source, field) for field in Source.__slots__})
    before = kept.read(at.cache / name, source=_key(entry))
    try:
        await _sync(entry, at, limits=limits)
        with registry.changing(at.file) as known:
            _check_free(known, name)
            known.append(entry)
    except BaseException:
        if not before.folder and not any(other.name == name for other in _known(at)):
            kept.remove(at.cache / name)
        raise
    return hub(name, at=at)


async def sync(name: str = "", *, at: Places | None = None, limits: Limits | None = None) -> list[Outcome]:
    """Fetches one hub or all, several at once; each on its own. Raises Misused for an unknown name."""
    at = at or places()
    known = registry.read(at.file)
    wanted = [registry.find(known, name)] if name else known
    some = asyncio.Semaphore(_AT_ONCE)

    async def one(entry: Added) -> Outcome:
        async with some:
            return await _attempt(entry, at, limits=limits)

    return list(await asyncio.gather(*map(one, wanted)))


def remove(name: str, *, at: Places | None = None) -> None:
    """Forgets a hub and what was kept of it. Raises UnknownHub."""
    at = at or places()
    with registry.changing(at.file) as known:
        known.remove(registry.find(known, name))
    kept.remove(at.cache / name)


def hubs(*, at: Places | None = None) -> list[model.Hub]:
    """The hubs at their last good states, in the order in which they were added.

    An unchanged hub is the same object again. Raises Misused when the list can't be read and never could: a server
    goes on with the list of before.
    """
    at = at or places()
    try:
        _last[at.file] = registry.read(at.file)
    except Misused:
        if at.file not in _last:
            raise
    return [_hub(entry, at) for entry in _last[at.file]]


def hub(name: str, *, at: Places | None = None) -> model.Hub:
    """One of them. Raises UnknownHub."""
    at = at or places()
    return _hub(registry.find(registry.read(at.file), name), at)


async def keep_synced(every_s: float, *, at: Places | None = None, limits: Limits | None = None) -> None:
    """Syncs all hubs at once and then every so often, until it is cancelled. The list is read anew each time."""
    chance = random.Random()  # only so that many servers do not ask at the same second
    while True:
        try:
            for outcome in await sync(at=at, limits=limits):
                if outcome.error:
                    _log.warning("hub %s: %s", outcome.name, outcome.error)
        except Misused as error:
            _log.warning("the list of hubs: %s", error)  # the hubs of before are still served
        except Exception:  # noqa: BLE001 - the outermost loop of a server: one odd hub must not end the syncs of all
            _log.exception("a sync of the hubs failed")
        await asyncio.sleep(every_s * (1 + _JITTER * chance.uniform(-1, 1)))


async def _attempt(entry: Added, at: Places, *, limits: Limits | None) -> Outcome:
    try:
        return Outcome(name=entry.name, changed=await _sync(entry, at, limits=limits))
    except CannotFetch as error:
        return Outcome(name=entry.name, error=str(error))


async def _sync(entry: Added, at: Places, *, limits: Limits | None) -> bool:
    """Whether there was something new. Raises CannotFetch after noting it."""
    limits = limits or Limits()
    place = at.cache / entry.name
    try:
        async with kept.held(place, wait_s=limits.deadline_s):
            before = kept.read(place, source=_key(entry))
            try:
                return await _renew(entry, before, at, limits=limits)
            except (CannotFetch, OSError) as error:
                kept.write(place, _changed(before, error=str(error), failed=_now()))
                raise
    except Busy as error:
        raise CannotFetch("another sync of it goes on; try again when it has ended") from error
    except OSError as error:
        raise CannotFetch(f"{place} can't be written: {error.strerror or error}") from error


async def _renew(entry: Added, before: kept.State, at: Places, *, limits: Limits) -> bool:
    place = at.cache / entry.name
    folder = kept.new_folder(place)
    kept.sweep(place, folder.name, before.folder)
    done = None
    try:
        done = await sources.fetch(entry.source, folder, limits=limits, unless=before.revision)
        if done.changed:
            left = tuple(kept.Left(file=p.file, line=p.line, message=p.message) for p in done.problems)
            after = kept.State(
                source=before.source, folder=folder.name, revision=done.revision, synced=_now(), left=left
            )
        else:
            after = _changed(before, synced=_now(), error="", failed="")
        kept.write(place, after)
        return done.changed
    finally:
        if done is None or not done.changed:
            with contextlib.suppress(OSError):
                kept.sweep(place, before.folder)


def _changed(state: kept.State, **values: str) -> kept.State:
    return msgspec.structs.replace(state, **values)


def _hub(entry: Added, at: Places) -> model.Hub:
    place = at.cache / entry.name
    state = kept.read(place, source=_key(entry))
    key = (str(place), state)
    with _reading:
        known = _read.get(key)
        if known is None:
            known = _read_hub(entry, at, state)
            for old in [other for other in _read if other[0] == str(place)]:
                del _read[old]
            _read[key] = known
    return known


def _read_hub(entry: Added, at: Places, state: kept.State) -> model.Hub:
    source = f"{entry.url} ({entry.branch})" if entry.branch else entry.url
    problems = [model.Problem(entry.name, 0, f"the last sync failed: {state.error}")] if state.error else []
    if not state.folder:
        if not problems:
            problems = [model.Problem(entry.name, 0, f"it was not fetched yet: litmus hub sync {entry.name}")]
        return model.Hub(name=entry.name, source=source, groups=(), files={}, problems=tuple(problems))
    return reading.hub(
        at.cache / entry.name / state.folder,
        name=entry.name,
        source=source,
        revision=state.revision,
        synced=state.synced,
        problems=[*state.problems, *problems],
    )


def _key(entry: Added) -> str:
    return f"{entry.url} {entry.branch}".strip()


def _check_free(known: list[Added], name: str) -> None:
    if any(entry.name == name for entry in known):
        raise Misused(f"there is a hub {name} already; litmus hub remove {name} makes room, or choose another name")


def _known(at: Places) -> list[Added]:
    try:
        return registry.read(at.file)
    except Misused:
        return []


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
