"""How long a node waits before it tries again: a container that ended, an image that could not be had.

10 s, doubled with each attempt up to 5 min; forgotten after 10 min without trouble. Source: Kubernetes documentation,
"Pod Lifecycle", "Container restart policy", and client-go's flowcontrol.Backoff.
"""

from dataclasses import dataclass, field

FIRST_S = 10.0
LONGEST_S = 300.0
FORGET_S = 600.0


@dataclass(slots=True)
class BackOff:
    """Times are seconds of a monotonic clock that the caller reads."""

    first_s: float = FIRST_S
    longest_s: float = LONGEST_S
    _entries: dict[str, tuple[float, float]] = field(default_factory=dict)
    """What is tried → (the pause after the latest failure, when that was)."""

    def failed(self, key: str, now: float) -> float:
        """Another failure at ``now``: how many seconds to wait before the next attempt; the first one is free."""
        pause_s, since = self._entries.get(key, (-1.0, now))
        if pause_s < 0 or now - since > 2 * self.longest_s:
            pause_s = 0.0
        elif pause_s == 0:
            pause_s = self.first_s
        else:
            pause_s = min(pause_s * 2, self.longest_s)
        self._entries[key] = (pause_s, now)
        return pause_s

    def forget(self, key: str) -> None:
        self._entries.pop(key, None)


def shown(pause_s: float) -> str:
    """A duration as Go prints it: 10s, 1m20s, 5m0s."""
    minutes, seconds = divmod(int(pause_s), 60)
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
