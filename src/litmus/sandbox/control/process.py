"""The control process: brings a sandbox up, keeps it running, and takes it down in order.

The order of the start is the shortest: the nodes and the service proxy come first, as processes of their own that keep
trying until the API server listens; what that takes is imported meanwhile. Before all of them comes the janitor, so
that there is no moment at which a crash leaves anything behind.
"""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from litmus.sandbox.images.image import Image
from litmus.sandbox.images.table import Malformed, Table
from litmus.sandbox.lifecycle import SandboxError, claim, identity, launch
from litmus.sandbox.lifecycle.folder import Folder, Settings
from litmus.sandbox.machinery import ports

from .guard import Guard

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
# Second bytes of 127/8 that a sandbox may own; the low ones are where other programs put their loopback addresses.
NETWORKS = range(32, 224)


async def run(
    folder: Folder,
    settings: Settings,
    *,
    images: Mapping[str, Image],
    on_ready: Callable[[], None],
    log_to: Callable[[Path], None],
    stop: asyncio.Event | None = None,
) -> None:
    """Runs a sandbox until ``stop`` or a signal that ends; nothing is left of it when this returns.

    ``log_to`` is told where this process's log is, as soon as the folder is its own. Raises SandboxError when the
    sandbox can't start.
    """
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    wanted = asyncio.Event()
    loop.add_signal_handler(launch.START_NODES, wanted.set)
    with claim.taken(folder, settings) as (lock, settings):
        guard = Guard(folder.path, lock=lock)
        try:
            with _network(folder, settings) as network, _listener(settings) as listener:
                settings.port, settings.network = listener.getsockname()[1], network
                settings.control, settings.janitor = identity.own(), guard.janitor
                settings.started = time.time()
                _write(folder, settings, images)
                log_to(folder.logs / "control.log")
                from . import running  # most of the time of a start is in what this imports

                await running.Running(folder, settings, listener, guard).run(stop, wanted, on_ready)
        finally:
            guard.release()


def _write(folder: Folder, settings: Settings, images: Mapping[str, Image]) -> None:
    """The files that everybody needs. Raises SandboxError."""
    try:
        folder.save(settings)
        folder.logs.mkdir(exist_ok=True)
        table = Table.load(folder.images)
        table.added |= images
        table.save()
    except Malformed as error:
        raise SandboxError(f"{error}; remove the file to begin anew") from error
    except OSError as error:
        raise SandboxError(f"{folder.path} can't be written ({error.strerror or error}); is the disk full?") from error


@contextlib.contextmanager
def _listener(settings: Settings) -> Iterator[socket.socket]:
    # The protocol is named because asyncio turns Nagle's delay off only where it is: else an answer may take 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, settings.port))
        except OSError as error:
            raise SandboxError(_why_not(settings.port, error)) from error
        listener.listen(1024)
        listener.setblocking(False)
        yield listener


def _why_not(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; name another with --port (0 takes a free one)"
    if error.errno == errno.EACCES:
        return f"this user may not open port {port}; name one from {ports.lowest_free()} on with --port"
    return f"port {port} can't be opened ({error.strerror}); name another with --port"


def _preferred(folder: Folder) -> list[int]:
    """All networks, each folder beginning elsewhere: so that of a sandbox that is down is still free later, mostly."""
    first = zlib.crc32(os.fsencode(folder.path)) % len(NETWORKS)
    return [*NETWORKS[first:], *NETWORKS[:first]]


@contextlib.contextmanager
def _network(folder: Folder, settings: Settings) -> Iterator[int]:
    """Claims a loopback network for as long as the sandbox lives: that of its last life, or any.

    The claim is a socket in the abstract name space (unix(7)): the kernel gives it back however the process ends.
    """
    for number in [settings.network] if settings.network else _preferred(folder):
        claimed = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claimed.bind(f"\0litmus-sandbox-127.{number}")
        except OSError:
            claimed.close()
            continue
        with claimed:
            yield number
        return
    if settings.network:
        raise SandboxError(
            f"another sandbox uses 127.{settings.network}.0.0/16, where the kept services are; end that one first, "
            f"or clear the kept objects with: litmus sandbox down{folder.option}"
        )
    raise SandboxError("too many sandboxes run on this machine; end one with: litmus sandbox down --name …")
