"""What the network experiments share: their tunables, and a fault on packets of chosen pods and peers.

The tunables are those of the 1.10 chart, the names that later charts gave some of them, and ours: direction, engine,
ports, service, correlation.
"""

import random
import re
from collections.abc import Sequence
from typing import Any

from litmus.api.targeting import AppTarget
from litmus.faults import network, processes
from litmus.faults.network import destinations
from litmus.kube import Cluster, errors, helpers, services
from litmus.kube.objects import Pod

from . import held, pod_fault, selection, tunables, verdicts
from .context import Context
from .tunables import (
    AFFECTED,
    DURATION,
    NODE_LABEL,
    RAMP,
    SEQUENCE,
    TARGET_CONTAINER,
    TARGET_PODS,
    Range,
    Tunable,
    Values,
    word_list,
)

# What older kernels can hold a packet for, in milliseconds (tc-netem(8)).
_LONGEST_MS = 240_000
# Beyond it nearly all packets are hit for long, or none.
_MOST_CORRELATION = 95
_LEAST_SHARE = 0.1  # what the probe packets of a few seconds can prove
_HOST = re.compile(r"(?=.{1,253}$)[a-zA-Z0-9_]([-\w]*[a-zA-Z0-9_])?(\.[a-zA-Z0-9_]([-\w]*[a-zA-Z0-9_])?)*\.?", re.ASCII)
_SERVICE = re.compile(r"([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_RATE = re.compile(r"(\d+(?:\.\d+)?)(kbit|mbit|gbit)")
_KBIT = {"kbit": 1.0, "mbit": 1e3, "gbit": 1e6}


def milliseconds(least: int) -> Any:
    """A number of milliseconds or a range of them."""
    what = f"a number of milliseconds from {least} to {_LONGEST_MS}, without a unit, or a range such as 100-300"

    def read(text: str) -> Range:
        return tunables.number(text or "0", least=least, most=_LONGEST_MS, what=what)

    return read


def share(text: str) -> Range:
    """Percent of the packets, above 0, or a range."""
    return tunables.number(
        text, least=_LEAST_SHARE, most=100, what="a percentage of packets from 0.1 to 100, or a range such as 20-40"
    )


def some_share(text: str) -> float:
    """Percent of the packets; 0 and empty are none."""
    found = tunables.number(text or "0", least=0, most=100, what="a percentage from 0 to 100", ranges=False).low
    if 0 < found < _LEAST_SHARE:
        raise ValueError(f"must be 0 or at least {_LEAST_SHARE}: less can't be proven by the packets of a few seconds")
    return found


def correlation(text: str) -> float:
    """Percent; 0 and empty are none."""
    what = f"a percentage from 0 to {_MOST_CORRELATION}"
    return tunables.number(text or "0", least=0, most=_MOST_CORRELATION, what=what, ranges=False).low


def rate(text: str) -> float:
    """kbit/s; empty is no limit, 0."""
    found = _RATE.fullmatch(text.lower())
    if text and (not found or not 8 <= float(found[1]) * _KBIT[found[2]] <= 1e8):
        raise ValueError("must be a rate from 8kbit to 100gbit with its unit, such as 512kbit, 10mbit or 1gbit")
    return float(found[1]) * _KBIT[found[2]] if found else 0.0


def addresses(text: str) -> tuple[str, ...]:
    """Addresses and CIDRs of IPv4 and IPv6."""
    for word in word_list(text):
        if not destinations.network(word):
            raise ValueError(
                f"{word!r} is no IP address or CIDR such as 10.0.0.7, 10.0.0.0/8 or fd00::/8; "
                "host names are given in TARGET_HOSTS"
            )
    return tuple(dict.fromkeys(destinations.network(word) for word in word_list(text)))


def hosts(text: str) -> tuple[str, ...]:
    """Host names."""
    for word in word_list(text):
        if not _HOST.fullmatch(word) or destinations.network(word):
            raise ValueError(f"{word!r} is no host name such as db.example.com; addresses are given in TARGET_IPS")
    return word_list(text)


def ports(text: str) -> tuple[int, ...]:
    """Numbers of TCP and UDP ports."""
    for word in word_list(text):
        if not (word.isascii() and word.isdecimal()) or not 1 <= int(word) <= 65535:
            raise ValueError("must be port numbers from 1 to 65535, separated by commas, such as 80,443")
    return tuple(int(word) for word in word_list(text))


def service_names(text: str) -> tuple[str, ...]:
    """``namespace/name``, or a name in the namespace of the application."""
    for word in word_list(text):
        if not _SERVICE.fullmatch(word):
            raise ValueError(f"{word!r} is no service such as shop/db, or db for the namespace of the application")
    return word_list(text)


def interface(text: str) -> str:
    """The name of an interface; the kernel allows 15 characters."""
    if len(text) > 15 or "/" in text or any(character.isspace() for character in text):
        raise ValueError("must be the name of one network interface, such as eth0")
    return text


INTERFACE = Tunable(
    name="NETWORK_INTERFACE",
    default="",
    read=interface,
    help="Network interface in the pod; empty means the one that carries the default route.",
)
TARGET_IPS = Tunable(
    name="TARGET_IPS",
    default="",
    read=addresses,
    help="Addresses and CIDRs of the peers that are meant, separated by commas; where no peer is named, all traffic.",
)
TARGET_HOSTS = Tunable(
    name="TARGET_HOSTS",
    default="",
    read=hosts,
    help="Host names of peers that are meant, separated by commas; resolved again about every 10 s.",
)
DESTINATION_IPS = Tunable(
    name="DESTINATION_IPS", default="", read=addresses, help="The later name of TARGET_IPS; both count."
)
DESTINATION_HOSTS = Tunable(
    name="DESTINATION_HOSTS", default="", read=hosts, help="The later name of TARGET_HOSTS; both count."
)
TARGET_SERVICE = Tunable(
    name="TARGET_SERVICE",
    default="",
    read=service_names,
    help="Services that are meant, as namespace/name, separated by commas: their addresses and their endpoints' at the "
    "start; needs the right to get services and endpoints in that namespace, which the usual role has not.",
)
DESTINATION_PORTS = Tunable(
    name="DESTINATION_PORTS",
    default="",
    read=ports,
    help="Only TCP and UDP packets from or to these ports, separated by commas, be they the peer's or the pod's own.",
)
SOURCE_PORTS = Tunable(
    name="SOURCE_PORTS", default="", read=ports, help="Like DESTINATION_PORTS, for ports of the pod; both count."
)
DIRECTION = Tunable(
    name="DIRECTION",
    default="egress",
    read=tunables.choice(*network.DIRECTIONS),
    allowed=", ".join(network.DIRECTIONS),
    help="Whether packets are hit that leave the pod, that arrive at it, or both.",
)
ENGINE = Tunable(
    name="ENGINE",
    default="auto",
    read=tunables.choice("auto", *network.ENGINE_NAMES),
    allowed="auto, kernel, userspace",
    help="netem of the node's kernel, our own in user space, or whichever the node's kernel offers.",
)
CORRELATION = Tunable(
    name="CORRELATION",
    default="0",
    unit="%",
    read=correlation,
    allowed=f"0 to {_MOST_CORRELATION}",
    help="How much a packet's fate depends on that of the packet before; the share of packets stays as asked.",
)

HEAD = (DURATION.listed("60", default="60"), RAMP.listed())
SHARED = (
    INTERFACE.listed("eth0"),
    TARGET_IPS.listed(),
    TARGET_HOSTS.listed(),
    DESTINATION_IPS,
    DESTINATION_HOSTS,
    TARGET_SERVICE,
    DESTINATION_PORTS,
    SOURCE_PORTS,
    DIRECTION,
    ENGINE,
    CORRELATION,
    TARGET_CONTAINER.listed(),
    AFFECTED.listed(),
    TARGET_PODS.listed(),
    NODE_LABEL,
    SEQUENCE.listed("parallel"),
    tunables.ignored("TC_IMAGE"),
    tunables.ignored("SOCKET_PATH"),
    tunables.ignored("CONTAINER_RUNTIME"),
)


class PodNetworkFault(pod_fault.PodFault):
    """A fault on the packets of pods. A subclass says in ``impairment`` what happens to them."""

    mechanism = "netem"
    needs = helpers.Needs(capabilities=network.CAPABILITIES)
    proof = (
        "Probe packets from the pod's network namespace to a peer that the fault is about, timed and counted before "
        "and during the fault, and the packets that the engine itself counted."
    )
    undo = (
        "The helper pod, its guardian or the operator takes the fault out of the pod's network namespace and puts back "
        "the queueing discipline that was there."
    )
    sandbox = "The sandbox's pods have no network namespaces of their own."
    _service_destinations: tuple[str, ...] = ()

    def impairment(self, values: Values, pick: "Pick") -> tuple[dict[str, float], str]:
        """Parameters of the mechanism, and the same in words. Raises CannotRun for values that don't fit together."""
        raise NotImplementedError

    def aims(self, pod: Pod, values: Values) -> list[held.Aim]:
        impairment, words = self.impairment(values, Pick(pod))
        if pod.spec.host_network:
            raise verdicts.CannotRun(
                f"pod {pod.metadata.name} is in the host's own network; the fault would hit its whole node",
                code=verdicts.TARGET_SELECTION,
            )
        target, status = pod_fault.container_of(pod, values, asked=words)
        peers = (values[TARGET_IPS], values[DESTINATION_IPS], values[TARGET_HOSTS], values[DESTINATION_HOSTS])
        parameters = {
            **impairment,
            "container_id": processes.bare_id(status.container_id),
            "interface": values[INTERFACE],
            "destinations": list(
                dict.fromkeys([word for words in peers for word in words] + list(self._service_destinations))
            ),
            "ports": sorted({*values[DESTINATION_PORTS], *values[SOURCE_PORTS]}),
            "direction": values[DIRECTION],
            "engine": values[ENGINE],
            "correlation": values[CORRELATION],
        }
        return [held.Aim(target=target, parameters=parameters)]

    async def foresee(
        self, cluster: Cluster, targets: Sequence[AppTarget], values: Values, *, seed: str
    ) -> selection.Prospect:
        await self._find_services(cluster, values, namespace=targets[0].namespace if targets else "")
        return await super().foresee(cluster, targets, values, seed=seed)

    async def inject(self, context: Context) -> None:
        targets = context.setting.targets
        namespace = targets[0].namespace if targets else context.setting.namespace
        await self._find_services(context.cluster, context.values, namespace=namespace)
        await super().inject(context)

    async def _find_services(self, cluster: Cluster, values: Values, *, namespace: str) -> None:
        found: list[str] = []
        for word in values[TARGET_SERVICE]:
            where, _, name = word.rpartition("/")
            where = where or namespace
            try:
                of_one = await services.destinations(cluster, name, namespace=where)
            except errors.Forbidden as error:
                raise verdicts.CannotRun(
                    f"TARGET_SERVICE={word!r}: the service account may not get services and endpoints in namespace "
                    f"{where}; allow it in its role, or give the addresses in TARGET_IPS",
                    code=verdicts.PERMISSION,
                ) from error
            except errors.NotFound as error:
                raise verdicts.CannotRun(
                    f"TARGET_SERVICE={word!r}: there is no service {name} in namespace {where}",
                    code=verdicts.TARGET_SELECTION,
                ) from error
            if not of_one:
                raise verdicts.CannotRun(
                    f"TARGET_SERVICE={word!r}: the service has no address and no endpoint now",
                    code=verdicts.TARGET_SELECTION,
                )
            found += of_one
        self._service_destinations = tuple(dict.fromkeys(found))


class Pick:
    """Draws from ranges, the same for the same pod: a plan, a check and the run ask one after the other."""

    def __init__(self, pod: Pod) -> None:
        self._seed = pod.metadata.uid

    def __call__(self, tunable: Tunable, values: Values) -> float:
        """A value with at most three significant digits after the point."""
        drawn: Range = values[tunable]
        return round(drawn.draw(random.Random(f"{self._seed}/{tunable.name}")), 3)


def unfit(sentence: str) -> verdicts.CannotRun:
    """Tunables that are right by themselves and don't fit together."""
    return verdicts.CannotRun(sentence, code=verdicts.TUNABLE)
