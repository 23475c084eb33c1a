"""Looks at and kills processes of the node it runs on, given the host's process namespace. Standard library only.

It finds them by itself, not by our code: a test must not trust what it tests.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path

PROC = Path("/proc")


def processes() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()]


def read(pid: int, name: str) -> str:
    try:
        return (PROC / str(pid) / name).read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    print(*pids)


def of_container(container_id: str) -> list[int]:
    return [pid for pid in processes() if container_id in read(pid, "cgroup")]


def of_pod(uid: str) -> list[int]:
    """Its containers' processes, without the one that only holds its namespaces; drivers write the uid in two ways."""
    found = [pid for pid in processes() if uid in read(pid, "cgroup").replace("_", "-")]
    return [pid for pid in found if read(pid, "comm").strip() != "pause"]


def of_session(session: str) -> list[int]:
    return [pid for pid in processes() if f'"session":"{session}"' in read(pid, "cmdline")]


def is_guardian(pid: int) -> bool:
    return read(pid, "comm").strip() == "litmus-guardian"


def in_folder(root: str) -> list[Path]:
    try:
        return list(Path(root, "run/litmus").glob("*.json"))
    except OSError:
        return []


def main(task: str, *arguments: str) -> None:
    match task:
        case "kill-pod":
            kill(of_pod(arguments[0]))
        case "kill-session":
            session, *roles = arguments
            found = of_session(session)
            kill([pid for pid in found if ("guardian" if is_guardian(pid) else "helper") in roles])
        case "main":
            print(min(of_container(arguments[0]), default=0))
        case "marked":
            print(*(pid for pid in processes() if f"LITMUS_FAULT={arguments[0]}" in read(pid, "environ")))
        case "guardians":
            print(*(pid for pid in of_session(arguments[0]) if is_guardian(pid)))
        case "journals":
            print(*sorted({path.name for root in ("/proc/1/root", "/") for path in in_folder(root)}))


main(*sys.argv[1:])
