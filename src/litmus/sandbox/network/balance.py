"""Which target a connection gets: any, or the one that its client had before."""

import random
import time
from collections.abc import Callable

from .routes import Route, Target


class Balancer:
    """The choice for one place; ``route`` may be replaced at any time, what clients had is remembered."""

    def __init__(self, route: Route, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self.route = route
        self._now_s = now_s
        self._last: dict[str, tuple[Target, float]] = {}

    def choose(self, client: str) -> Target:
        """The target for a client's address."""
        targets = self.route.targets
        if not self.route.affinity_s:
            self._last.clear()
            return random.choice(targets)
        now = self._now_s()
        target, seen = self._last.get(client, (None, 0.0))
        if target is None or target not in targets or now - seen > self.route.affinity_s:
            target = random.choice(targets)
        self._last[client] = (target, now)
        return target
