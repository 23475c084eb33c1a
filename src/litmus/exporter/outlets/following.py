"""From what the exporter's watches keep to what the outlets need: the whole result, read when something began or ended.

The exporter keeps a few numbers of each result. Names of targets, sentences and probes are read here, with one request
when a window changes - not for each of its many writes, and not for runs of long ago. Engines and results go through
one queue, so that an engine that is deleted with its results is told after them.
"""

import asyncio
import logging
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from litmus.exporter import bands, seen
from litmus.exporter.state import State
from litmus.kube import Cluster, errors, kinds

from .feeding import MEMORY_S, Outlets

log = logging.getLogger(__name__)

_PAUSE_S = 2.0
_Look = tuple[object, ...]


class Following:
    """Feeds ``outlets``. Make it before the state is followed, and let ``run`` run beside."""

    def __init__(self, state: State, outlets: Outlets, cluster: Cluster) -> None:
        self._outlets = outlets
        self._cluster = cluster
        self._looks: dict[str, _Look] = {}  # by the uid of a result
        self._changed: OrderedDict[str, seen.Result | seen.Engine] = OrderedDict()
        self._gone: set[str] = set()
        self._more = asyncio.Event()
        state.results.tells.append(self._result)
        state.engines.tells.append(self._engine)

    async def run(self) -> None:
        """Reads and tells until it is cancelled."""
        while True:
            while self._changed:
                uid, item = next(iter(self._changed.items()))
                try:
                    await self._tell(uid, item)
                except errors.Unreachable:
                    await asyncio.sleep(_PAUSE_S)  # the exporter's watches say so already
                    continue
                if self._changed.get(uid) is item:
                    del self._changed[uid]
                    self._gone.discard(uid)
            self._more.clear()
            await self._more.wait()

    def _result(self, before: seen.Result | None, now: seen.Result | None) -> None:
        known = now or before
        if known is None:
            return
        if now is None:
            self._looks.pop(known.uid, None)
        else:
            look = _look(now)
            if look is None or self._looks.get(known.uid) == look:
                return
            self._looks[known.uid] = look
        self._put(known, gone=now is None)

    def _engine(self, before: seen.Engine | None, now: seen.Engine | None) -> None:
        if known := now or before:
            self._put(known, gone=now is None)

    def _put(self, item: seen.Result | seen.Engine, *, gone: bool) -> None:
        self._changed.pop(item.uid, None)
        self._changed[item.uid] = item
        if gone:
            self._gone.add(item.uid)
        self._more.set()

    async def _tell(self, uid: str, item: seen.Result | seen.Engine) -> None:
        gone = uid in self._gone
        if isinstance(item, seen.Engine):
            (self._outlets.engine_gone if gone else self._outlets.see_engine)(item)
        elif gone:
            self._outlets.result_gone(item.namespace, item.name)
        else:
            await self._read(item)

    async def _read(self, item: seen.Result) -> None:
        try:
            result = await self._cluster.find(kinds.RESULT, item.name, namespace=item.namespace)
        except errors.Unreachable:
            raise
        except errors.KubeError as error:
            log.warning("the chaos window of result %s/%s is not told: %s", item.namespace, item.name, error)
            return
        if result is not None and result.metadata.uid == item.uid:
            self._outlets.see_result(result)


def _look(result: seen.Result) -> _Look | None:
    """What a window's changes show in; None for a run of which nothing has to be told, or not any more."""
    if result.started is None:
        return None
    band = bands.of(result)
    over = None if band is None else band.ended
    if result.finished is not None and (band is None or over is not None):
        last = datetime.fromtimestamp(max(result.finished, over or 0.0), UTC)
        if datetime.now(UTC) - last > timedelta(seconds=MEMORY_S):
            return None
    return result.engine_uid, result.number, result.started, band is not None, over is not None, result.finished
