"""Caps that an administrator sets for a cluster, and that every engine obeys: who, how much, how long, and when. Pure.

They come from a ConfigMap of the operator's namespace, which the authors of engines can't write (see ``caps_text`` and
docs/safety.md). The operator checks them before a run, and hands them to the experiment, which checks again what it has
chosen. Caps that can't be understood are a ``Mistake``: whoever meets one must let nothing run.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NoReturn

import msgspec

from litmus.api import calendars

CONFIG_MAP = "litmus-caps"
# How the operator hands them to the runner, and the runner to the experiment.
VARIABLE = "LITMUS_CAPS"

_DAY = timedelta(days=1)


class Mistake(ValueError):
    """The caps can't be understood. The sentence has the line and the remedy."""


class Exceeded(Exception):
    """A run would go beyond a cap. The sentence says which, its value, and who may lift it."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which chaos is allowed, on the days on which it begins; ``to`` may be on the next day."""

    days: str = "Mon-Sun"
    from_: str = msgspec.field(name="from", default="00:00")
    to: str = "24:00"
    time_zone: str = msgspec.field(name="timeZone", default="UTC")

    def __str__(self) -> str:
        return f"{self.days} {self.from_}-{self.to} {self.time_zone}"

    def holding(self, moment: datetime) -> datetime | None:
        """The end of this window if it holds the moment."""
        zone = calendars.zone(self.time_zone)
        today = moment.astimezone(zone).date()
        begin, end = calendars.clock_time(self.from_), calendars.clock_time(self.to)
        for day in (today - _DAY, today):
            if day.weekday() in calendars.days(self.days):
                last = day + _DAY if end <= begin else day
                opens, closes = (_instant(on, at, zone) for on, at in ((day, begin), (last, end)))
                if opens <= moment < closes:
                    return closes
        return None


class Caps(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All caps of a cluster; None is no cap. Shares are in percent. ``place`` is where they are written."""

    forbidden_namespaces: tuple[str, ...] = ("kube-system",)
    nodes: float | None = 66.0
    pods: float | None = None
    longest_s: float | None = 3600.0
    windows: tuple[Window, ...] = ()
    place: str = f"litmus/{CONFIG_MAP}"

    def check_namespaces(self, namespaces: Iterable[str]) -> None:
        """Raises Exceeded when a target is in a forbidden namespace."""
        hit = sorted(set(namespaces) & set(self.forbidden_namespaces))
        if hit:
            listed = ", ".join(self.forbidden_namespaces)
            self._refuse(f"forbiddenNamespaces ({listed})", f"it would hit namespace {', '.join(hit)}")

    def check_duration(self, experiment: str, seconds: float) -> None:
        """Raises Exceeded when the chaos of an experiment would last too long."""
        if self.longest_s is not None and seconds > self.longest_s:
            asked = f"TOTAL_CHAOS_DURATION of {experiment} is {seconds:g} s"
            self._refuse(f"longestDuration ({self.longest_s:g} s)", asked)

    def check_time(self, start: datetime, lasting_s: float) -> None:
        """Raises Exceeded unless all of a run lies within the allowed times."""
        end, covered = start + timedelta(seconds=max(lasting_s, 1.0)), start
        while self.windows and covered < end:
            closes = max((c for w in self.windows if (c := w.holding(covered))), default=None)
            if closes is None:
                shown = "; ".join(map(str, self.windows))
                began = "now" if covered == start else f"at {_shown(covered)}, when it would still run,"
                self._refuse(f"allowedTimes ({shown})", f"{began} it is not one of them ({_shown(start)})")
            covered = closes

    def check_nodes(self, hit: int, *, schedulable: int, elsewhere: int = 0) -> None:
        """Raises Exceeded when too many nodes would be hit at once. ``elsewhere``: those that other runs hit now.

        The share is rounded down. One node may always be hit, however small the cluster: a share of 0 forbids it.
        """
        if self.nodes is None or not hit:
            return
        most = max(1, int(self.nodes * schedulable / 100)) if self.nodes else 0
        if hit + elsewhere > most:
            others = f", and other runs hit {elsewhere} now" if elsewhere else ""
            self._refuse(
                f"largestShareOfNodes ({self.nodes:g}%)",
                f"it would hit {_counted(hit, 'node')}{others}; of {schedulable} that take pods at most {most} may be",
            )

    def check_pods(self, hit: Mapping[str, int], *, of: Mapping[str, int]) -> None:
        """Raises Exceeded when too many of a namespace's pods would be hit at once. The share is rounded down."""
        for namespace, number in hit.items():
            most = int((100.0 if self.pods is None else self.pods) * of.get(namespace, 0) / 100)
            if self.pods is not None and number > most:
                self._refuse(
                    f"largestShareOfPods ({self.pods:g}%)",
                    f"it would hit {_counted(number, 'pod')} of namespace {namespace}; "
                    f"of its {of.get(namespace, 0)} at most {most} may be",
                )

    def _refuse(self, cap: str, why: str) -> NoReturn:
        namespace, _, name = self.place.partition("/")
        raise Exceeded(
            f"refused by the cap {cap} of this cluster: {why}. Who administers namespace {namespace} may change it: "
            f"kubectl edit configmap {name} -n {namespace}"
        )


def standard(namespace: str, *, alone: bool = False) -> Caps:
    """The caps where nobody wrote any. ``alone``: the operator serves only its own namespace."""
    forbidden = ("kube-system",) if alone else tuple(dict.fromkeys(("kube-system", namespace)))
    return Caps(forbidden_namespaces=forbidden, place=f"{namespace}/{CONFIG_MAP}")


def handed(text: str) -> Caps | None:
    """The caps that an experiment was started with; None when it was started by somebody who knows none.

    Raises Mistake.
    """
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Caps)
    except msgspec.MsgspecError as error:
        raise Mistake(f"{VARIABLE} can't be read: {error}; are operator and experiment of the same release?") from error


def written(caps: Caps) -> str:
    """The counterpart of ``handed``."""
    return msgspec.json.encode(caps).decode()


def _instant(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%a %H:%M UTC")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
