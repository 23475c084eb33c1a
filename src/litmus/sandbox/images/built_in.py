"""The images that every sandbox has. What this machine lacks is left out, so a pod that wants it says so.

``busybox``, ``alpine``, ``debian`` and ``ubuntu`` are this machine's own shell and tools: close enough for scripts, and
nothing else could be had without a download.
"""

import functools
import shutil
import sys
from pathlib import Path

from .image import Image

_SOURCE = Path(__file__).resolve().parents[3]
# No site, no environment: a bare interpreter starts in 15 ms and takes 9 MB.
_BARE = (sys._base_executable, "-I", "-S", "-u")  # type: ignore[attr-defined]
_SHELLS = {
    "busybox": ("sh", "this machine's shell and tools"),
    "alpine": ("/bin/sh", "this machine's shell and tools"),
    "debian": ("bash", "this machine's shell and tools"),
    "ubuntu": ("/bin/bash", "this machine's shell and tools"),
}
# The machine's own would tell the machine's name.
_HOSTNAME = """case "${1-}" in
    "") echo "$LITMUS_SANDBOX_HOSTNAME" ;;
    -s) echo "${LITMUS_SANDBOX_HOSTNAME%%.*}" ;;
    -i|-I) echo "${LITMUS_SANDBOX_IP:-127.0.0.1}" ;;
    *) echo "hostname: the sandbox knows -s and -i only" >&2; exit 1 ;;
esac"""
_TOOLS: dict[str, tuple[str, ...]] = {"hostname": ("/bin/sh", "-c", _HOSTNAME, "hostname")}


@functools.cache
def images() -> dict[str, Image]:
    """Name → image. The same object each time; nobody changes it."""
    start = f"import sys; sys.path.insert(0, {str(_SOURCE)!r}); from litmus.sandbox.images.programs import nginx; "
    server = (*_BARE, "-c", start + "sys.exit(nginx.main(sys.argv[1:]))")
    found = {
        "nginx": Image(
            cmd=("nginx", "-g", "daemon off;"),
            programs={"nginx": server, **_TOOLS},
            env={"NGINX_VERSION": "1.29.0"},
            stop_signal="SIGQUIT",
            about="a small HTTP server that answers as nginx does",
        ),
        "pause": Image(
            entrypoint=("/pause",),
            programs={"pause": (*_BARE, "-c", "import signal; signal.sigwait({signal.SIGTERM, signal.SIGINT})")},
            about="does nothing until it is stopped",
        ),
        "python": Image(
            cmd=("python3",),
            programs=_TOOLS | dict.fromkeys(("python", "python3", Path(sys.executable).name), (sys.executable,)),
            about=f"this Python {sys.version_info.major}.{sys.version_info.minor}",
        ),
    }
    for name, (shell, about) in _SHELLS.items():
        if shutil.which(shell):
            found[name] = Image(cmd=(shell,), programs=_TOOLS, about=about)
    if curl := shutil.which("curl"):
        found["curlimages/curl"] = Image(entrypoint=(curl,), about="this machine's curl")
    return found
