"""``tar`` in a container names what it packs as the container does.

``kubectl cp`` from a pod runs ``tar cf - PATH`` there and looks for members of that name. Here tar is given the real
place of a path below a mount, so its members are renamed back. Source: GNU tar manual, "Modifying File and Member
Names"; other tars than GNU's are left alone.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from .view import Mount

_SPECIAL = re.compile(r"[][\\.*^$,]")


def named_back(words: Sequence[str], said: Sequence[str], mounts: Sequence[Mount]) -> list[str]:
    """The command line ``words`` with what makes tar say ``mount.path``; unchanged for all but a tar that packs.

    ``said``: the same command as it was given. One that ends its options with ``--`` is left alone, too.
    """
    if not _packs(said) or list(words) == list(said) or not _is_gnu(words[0]):
        return list(words)
    found = [
        f"--transform=flags=rSh;s,^{_quoted(mount.place)},{mount.path.strip('/')},"
        for mount in sorted(mounts, key=lambda mount: -len(mount.place))
        if mount.place != mount.path and any(mount.place in word for word in words)
    ]
    return [*words, *found]


def _packs(words: Sequence[str]) -> bool:
    if len(words) < 3 or Path(words[0]).name != "tar" or "--" in words:
        return False
    return "--create" in words or bool(re.fullmatch(r"-?[A-Za-z]*c[A-Za-z]*", words[1]))


def _is_gnu(program: str) -> bool:
    found = shutil.which(program)
    return found is not None and Path(found).resolve().name == "tar"


def _quoted(place: str) -> str:
    return _SPECIAL.sub(lambda match: "\\" + match[0], place.strip("/"))
