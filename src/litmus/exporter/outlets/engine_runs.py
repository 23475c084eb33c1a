"""Which windows make up one run of an engine, and when that run is complete. Pure.

Engines and results are watched apart and arrive in any order: a run is complete when its engine says so *and* every
experiment that the engine lists with a verdict has been seen to its end - or when the engine is gone.
"""

import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litmus.exporter import seen

from .windows import Window, closed

_FINAL = ("completed", "stopped")
_REMEMBERED = 1000
_NAMESPACE = uuid.UUID("0e0b5a52-3c0d-5d1f-8f55-5b0f2f7f9a3e")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRun:
    """One run of an engine. ``uid`` follows from the engine's and the number of the run: it never changes."""

    namespace: str
    engine: str
    engine_uid: str
    uid: uuid.UUID
    number: int
    windows: tuple[Window, ...]

    @property
    def begun(self) -> datetime:
        return min(window.begun for window in self.windows)

    @property
    def finished(self) -> datetime:
        return max(window.finished or window.begun for window in self.windows)


class EngineRuns:
    """Collects windows until their engine's run is complete, and tells each run once."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, dict[str, Window]] = OrderedDict()
        # With the experiments that have a verdict. As many as there are engines: one may be complete long before its
        # results are read, when an exporter starts.
        self._final: dict[str, frozenset[str]] = {}
        self._told: OrderedDict[uuid.UUID, None] = OrderedDict()

    def see_window(self, window: Window) -> EngineRun | None:
        """A window that changed."""
        if not window.engine_uid:
            return None
        self._windows.setdefault(window.engine_uid, {})[window.result] = window
        _bound(self._windows)
        return self._complete(window.engine_uid)

    def see_engine(self, engine: seen.Engine) -> EngineRun | None:
        """An engine as it is now."""
        self._final.pop(engine.uid, None)
        if engine.status not in _FINAL:
            return None
        self._final[engine.uid] = frozenset(one.name for one in engine.entries if one.verdict in seen.FINAL)
        return self._complete(engine.uid)

    def engine_gone(self, uid: str, now: datetime) -> EngineRun | None:
        """An engine was deleted: its run is what has been seen of it."""
        self._final.pop(uid, None)
        windows = [closed(window, now) for window in self._windows.pop(uid, {}).values()]
        return self._once(_latest(windows))

    def _complete(self, uid: str) -> EngineRun | None:
        judged = self._final.get(uid)
        run = _latest(list(self._windows.get(uid, {}).values()))
        if judged is None or run is None or not all(window.over for window in run.windows):
            return None
        if not judged <= {window.experiment for window in run.windows}:
            return None
        del self._windows[uid]
        return self._once(run)

    def _once(self, run: EngineRun | None) -> EngineRun | None:
        if run is None or run.uid in self._told:
            return None
        self._told[run.uid] = None
        _bound(self._told)
        return run


def _bound(kept: OrderedDict[Any, Any]) -> None:
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)


def _latest(windows: list[Window]) -> EngineRun | None:
    """The latest run among an engine's windows; what only an earlier run of the engine did is left out."""
    if not windows:
        return None
    number = max(window.run for window in windows)
    since = min(window.begun for window in windows if window.run == number)
    mine = sorted((w for w in windows if w.begun >= since), key=lambda window: (window.begun, window.result))
    first = mine[0]
    return EngineRun(
        namespace=first.namespace,
        engine=first.engine,
        engine_uid=first.engine_uid,
        uid=uuid.uuid5(_NAMESPACE, f"{first.engine_uid}/{number}"),
        number=number,
        windows=tuple(mine),
    )
