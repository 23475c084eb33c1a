"""pod-network-duplication: sends packets of the application's pods twice."""

from . import network
from .tunables import Tunable, Values

SHARE = Tunable(
    name="NETWORK_PACKET_DUPLICATION_PERCENTAGE",
    default="100",
    unit="%",
    read=network.share,
    help="Share of the packets that is sent twice; a range such as 20-40 draws one value for each pod.",
)


class PodNetworkDuplication(network.PodNetworkFault):
    name = "pod-network-duplication"
    title = "Pod network duplication"
    help = "Sends packets of the application's pods twice."
    breaks = "pod-network"
    blow = "duplicate"
    keywords = ("pod", "network", "duplicate packets", "netem")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"tc-netem(8)": "https://man7.org/linux/man-pages/man8/tc-netem.8.html"}
    tunables = (*network.HEAD, SHARE.listed("100"), *network.SHARED)

    def impairment(self, values: Values, pick: network.Pick) -> tuple[dict[str, float], str]:
        share = pick(SHARE, values)
        return {"duplication": share}, f"{share:g} % duplication"
