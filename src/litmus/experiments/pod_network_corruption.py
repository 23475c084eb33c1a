"""pod-network-corruption: flips a bit in packets of the application's pods."""

from . import network
from .tunables import Tunable, Values

SHARE = Tunable(
    name="NETWORK_PACKET_CORRUPTION_PERCENTAGE",
    default="100",
    unit="%",
    read=network.share,
    help="Share of the packets in which a bit is flipped, which a checksum catches; a range such as 20-40 draws one "
    "value for each pod.",
)


class PodNetworkCorruption(network.PodNetworkFault):
    name = "pod-network-corruption"
    title = "Pod network corruption"
    help = "Flips a bit in packets of the application's pods."
    breaks = "pod-network"
    blow = "corrupt"
    keywords = ("pod", "network", "corruption", "checksum", "retransmission", "netem")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"tc-netem(8)": "https://man7.org/linux/man-pages/man8/tc-netem.8.html"}
    tunables = (*network.HEAD, SHARE.listed("100"), *network.SHARED)

    def impairment(self, values: Values, pick: network.Pick) -> tuple[dict[str, float], str]:
        share = pick(SHARE, values)
        return {"corruption": share}, f"{share:g} % corruption"
