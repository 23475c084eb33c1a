"""What this machine is, as a Node object says it: proc(5), os-release(5), uname(2), machine-id(5)."""

import os
import platform
import shutil
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VERSION = "v1.37.0+sandbox"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm"}


@dataclass(frozen=True, slots=True)
class Capacity:
    """``memory`` and ``disk`` in bytes."""

    cpus: int
    memory: int
    disk: int


@cache
def architecture() -> str:
    """As Go names it."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def capacity(folder: Path) -> Capacity:
    """What there is; the disk is that of ``folder``."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Capacity(len(os.sched_getaffinity(0)), memory, shutil.disk_usage(folder).total)


def node_info(node: str) -> dict[str, str]:
    """``status.nodeInfo``. The ids of a node are made of its name, since all nodes share one machine."""
    own = uuid.uuid5(uuid.NAMESPACE_DNS, f"{node}.{_read('/etc/machine-id') or platform.node()}")
    return {
        "architecture": architecture(),
        "bootID": str(uuid.uuid4()),
        "containerRuntimeVersion": f"sandbox://{VERSION.removeprefix('v').partition('+')[0]}",
        "kernelVersion": platform.release(),
        "kubeProxyVersion": "",
        "kubeletVersion": VERSION,
        "machineID": own.hex,
        "operatingSystem": "linux",
        "osImage": _os_name(),
        "systemUUID": str(own),
    }


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
