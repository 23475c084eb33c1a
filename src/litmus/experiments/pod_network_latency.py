"""pod-network-latency: delays the packets of pods."""

from . import network
from .tunables import Tunable, Values

LATENCY = Tunable(
    name="NETWORK_LATENCY",
    default="60000",
    unit="ms",
    read=network.milliseconds(1),
    help="How long each packet is held back; a range such as 100-300 draws one value for each pod.",
)
JITTER = Tunable(
    name="JITTER",
    default="0",
    unit="ms",
    read=network.milliseconds(0),
    help="The delay varies evenly by so much up and down; at most the delay itself.",
)
REORDERING = Tunable(
    name="REORDERING",
    default="0",
    unit="%",
    read=network.some_share,
    help="Share of the packets that is not delayed and so overtakes the others.",
)
RATE = Tunable(
    name="RATE",
    default="",
    unit="bit/s",
    read=network.rate,
    allowed="a number with kbit, mbit or gbit",
    help="Limits the bandwidth as well, such as 10mbit; empty is no limit.",
)


class PodNetworkLatency(network.PodNetworkFault):
    name = "pod-network-latency"
    title = "Pod network latency"
    help = "Delays the packets of the application's pods."
    breaks = "pod-network"
    blow = "delay"
    keywords = ("pod", "network", "latency", "delay", "jitter", "timeout", "netem")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"tc-netem(8)": "https://man7.org/linux/man-pages/man8/tc-netem.8.html"}
    tunables = (*network.HEAD, LATENCY.listed("60000"), JITTER, REORDERING, RATE, *network.SHARED)

    def impairment(self, values: Values, pick: network.Pick) -> tuple[dict[str, float], str]:
        delay, jitter = pick(LATENCY, values), pick(JITTER, values)
        if jitter > delay:
            raise network.unfit(f"JITTER={jitter:g}: must be at most NETWORK_LATENCY, {delay:g} ms")
        more, limit = values[REORDERING], values[RATE]
        words = f"{delay:g} ms delay" + (f" ± {jitter:g} ms" if jitter else "")
        words += (f", {more:g} % reordering" if more else "") + (f", {limit:g} kbit/s" if limit else "")
        return {"delay_ms": delay, "jitter_ms": jitter, "reordering": more, "rate_kbit": limit}, words
