"""An image: what a container of it runs when its manifest says nothing else. It has no file system of its own."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_PLACEHOLDER = re.compile(r"\{(ip|port:([0-9]{1,5}))\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """``entrypoint`` and ``cmd`` combine with a container's ``command`` and ``args`` as in Kubernetes.

    ``programs``: words that containers may use as commands, and the command line each stands for.
    ``folders``: put in front of PATH. ``stop_signal``: '' means SIGTERM. ``about``: for people who list images.
    """

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    working_dir: str = ""
    programs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    stop_signal: str = ""
    about: str = ""

    def command_line(self, command: Sequence[str], args: Sequence[str]) -> list[str]:
        """What runs ("Define a Command and Arguments for a Container"): ``command`` replaces both of the image's."""
        if command:
            return [*command, *args]
        return [*self.entrypoint, *(args or self.cmd)]

    def direct(self, argv: Sequence[str]) -> list[str]:
        """The command line with a program of this image in first place replaced by what it stands for."""
        if not argv:
            return []
        word = argv[0].rpartition("/")[2] if argv[0].startswith("/") else argv[0]
        return [*self.programs.get(word, (argv[0],)), *argv[1:]]


def filled(words: Sequence[str], *, ip: str, port: Callable[[int], int]) -> list[str]:
    """The words with ``{ip}`` and ``{port:80}`` replaced; ``port`` says where a port is really found."""

    def known(match: re.Match[str]) -> str:
        return ip if match[1] == "ip" else str(port(int(match[2])))

    return [_PLACEHOLDER.sub(known, word) for word in words]
