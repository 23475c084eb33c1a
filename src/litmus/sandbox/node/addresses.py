"""The addresses of a node's pods: taken out of a range, given back, never the network's first two or its last."""

import ipaddress
from dataclasses import dataclass, field


class Exhausted(Exception):
    """Every address of the range is in use."""


@dataclass(slots=True)
class Pool:
    """Addresses go round, so that one that was given back is not at once somebody else's."""

    network: ipaddress.IPv4Network
    _taken: set[str] = field(default_factory=set)
    _next: int = 2

    @classmethod
    def of(cls, text: str) -> "Pool":
        """Raises ValueError for what is no IPv4 range with room for pods."""
        try:
            network = ipaddress.IPv4Network(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is no range of addresses for pods: {error}") from error
        if network.num_addresses < 4:
            raise ValueError(f"{text!r} is no range of addresses for pods: it has no room")
        return cls(network)

    @property
    def own(self) -> str:
        """The node's address: the first of the range."""
        return str(self.network[1])

    def take(self, wanted: str = "") -> str:
        """``wanted`` if it is of the range and free, else the next free one. Raises Exhausted."""
        if wanted and wanted not in self._taken and self._fits(wanted):
            self._taken.add(wanted)
            return wanted
        usable = self.network.num_addresses - 3
        for step in range(usable):
            address = str(self.network[2 + (self._next - 2 + step) % usable])
            if address not in self._taken:
                self._next = 2 + (self._next - 2 + step + 1) % usable
                self._taken.add(address)
                return address
        raise Exhausted(f"no address of {self.network} is free")

    def give_back(self, address: str) -> None:
        self._taken.discard(address)

    def _fits(self, text: str) -> bool:
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:
            return False
        return address in self.network and address not in (self.network[0], self.network[1], self.network[-1])
