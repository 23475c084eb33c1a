"""exec and attach over a WebSocket: channels 0 stdin, 1 stdout, 2 stderr, 3 the final Status, 4 resize, 255 close.

Source: Kubernetes documentation, "WebSockets for exec, attach" and the remotecommand protocol v5.channel.k8s.io: the
first byte of a binary message is the channel; 255 is followed by the channel that the client closes.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from aiohttp import WSMsgType, web

from litmus.sandbox.machinery.objects import Obj

from . import container, spawning
from .keeper import Run
from .logs import Stream

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_CHANNELS: Mapping[Stream, int] = {"stdout": STDOUT, "stderr": STDERR}
_CHUNK = 65536
_QUEUE = 64
_DRAIN_S = 1.0
_FAREWELL_S = 10.0
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the client wants to have connected."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool

    @classmethod
    def of(cls, request: web.Request) -> "Wanted":
        asked = {name: request.query.get(name, "").lower() in ("1", "true") for name in ("stdin", "stdout", "stderr")}
        return cls(**asked, tty=request.query.get("tty", "").lower() in ("1", "true"))


async def execute(request: web.Request, run: Run, command: list[str]) -> web.StreamResponse:
    """Runs a command in a container, connected with the client; ends with its exit status."""
    wanted = Wanted.of(request)
    socket = await _accepted(request)
    outbox: asyncio.Queue[bytes] = asyncio.Queue(_QUEUE)
    sending = asyncio.create_task(_send(socket, outbox))
    try:
        status = await _Command(run, wanted, outbox).serve(socket, command)
        await _say(outbox, status)
        await _drained(outbox)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await socket.close()
    return socket


async def attach(request: web.Request, run: Run) -> web.StreamResponse:
    """Connects the client with the main process of a container, until it ends or the client goes."""
    wanted = Wanted.of(request)
    socket = await _accepted(request)
    outbox: asyncio.Queue[bytes] = asyncio.Queue(_QUEUE)
    sending = asyncio.create_task(_send(socket, outbox))

    def tap(stream: Stream, chunk: bytes) -> None:
        if wanted.stdout if stream == "stdout" else wanted.stderr:
            with contextlib.suppress(asyncio.QueueFull):  # who reads too slowly misses some; the log has it all
                outbox.put_nowait(bytes((_CHANNELS[stream],)) + chunk)

    def received(channel: int, data: bytes) -> None:
        if channel == STDIN and wanted.stdin:
            run.container.write(data)
        elif channel == CLOSE and run.prepared.recipe.stdin_once:
            run.container.close_stdin()
        elif channel == RESIZE:
            _resize(data, run.container.resize)

    run.container.log.taps.append(tap)
    listening = asyncio.create_task(_listen(socket, received))
    ended = asyncio.create_task(run.container.wait())
    try:
        await asyncio.wait({listening, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            await _say(outbox, exit_status(ended.result().code))
            await _drained(outbox)
        elif run.prepared.recipe.stdin_once:
            run.container.close_stdin()
    finally:
        run.container.log.taps.remove(tap)
        for task in (listening, ended, sending):
            task.cancel()
        await asyncio.gather(listening, ended, sending, return_exceptions=True)
        await socket.close()
    return socket


def exit_status(code: int) -> Obj:
    """What channel 3 says: Success, or a Failure whose cause ExitCode has the number."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def not_started(message: str) -> Obj:
    """What channel 3 says when there is no such command."""
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: error executing command in container: {message}",
        "reason": "InternalError",
        "details": {"causes": [{"message": f"error executing command in container: {message}"}]},
        "code": 500,
    }


class _Command:
    """One command with the descriptors through which it is connected."""

    def __init__(self, run: Run, wanted: Wanted, outbox: asyncio.Queue[bytes]) -> None:
        self._run = run
        self._wanted = wanted
        self._outbox = outbox
        self._input = -1
        self._pumps: list[asyncio.Task[None]] = []
        self._process: spawning.Process | None = None

    async def serve(self, socket: web.WebSocketResponse, words: list[str]) -> Obj:
        """The Status of its end. A client that goes takes the command with it."""
        try:
            self._process = await self._start(words)
        except spawning.NotStarted as error:
            return not_started(str(error))
        except OSError as error:
            return not_started(error.strerror or str(error))
        listening = asyncio.create_task(_listen(socket, self._received))
        ended = asyncio.create_task(self._process.wait())
        try:
            await asyncio.wait({listening, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await self._hang_up(ended)
            code = await ended
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_S):  # what it left running may keep its output open
                    await asyncio.gather(*(asyncio.shield(pump) for pump in self._pumps))
        finally:
            if self._process.status is None:
                self._process.send_group(signal.SIGKILL)
                await self._process.wait()
            listening.cancel()
            ended.cancel()
            for pump in self._pumps:
                pump.cancel()
            if self._input >= 0:
                os.close(self._input)
                self._input = -1
            await asyncio.gather(listening, ended, return_exceptions=True)
        return exit_status(128 - code if code < 0 else code)

    async def _start(self, words: list[str]) -> spawning.Process:
        env = dict(self._run.container.env)
        if self._wanted.tty:
            env.setdefault("TERM", "xterm")
        command = self._run.prepared.command(words, env, terminal=self._wanted.tty)
        theirs: list[int] = []
        ours: list[tuple[int, int]] = []
        try:
            if self._wanted.tty:
                master, slave = os.openpty()
                theirs.append(slave)
                self._input = master
                ours.append((STDOUT, os.dup(master)))
                process = await spawning.spawn(replace(command, stdin=slave, stdout=slave, stderr=slave))
            else:
                ends = {name: self._pipe(name, theirs, ours) for name in ("stdin", "stdout", "stderr")}
                process = await spawning.spawn(
                    replace(command, stdin=ends["stdin"], stdout=ends["stdout"], stderr=ends["stderr"])
                )
        except BaseException:
            for _, handle in ours:
                os.close(handle)
            if self._input >= 0:
                os.close(self._input)
                self._input = -1
            raise
        finally:
            for handle in theirs:
                os.close(handle)
        self._pumps = [asyncio.create_task(self._pump(handle, channel)) for channel, handle in ours]
        return process

    def _pipe(self, name: str, theirs: list[int], ours: list[tuple[int, int]]) -> int:
        """The child's end of a stream, /dev/null for one that is not wanted."""
        if not getattr(self._wanted, name):
            return subprocess.DEVNULL
        reading, writing = os.pipe()
        if name == "stdin":
            self._input = writing
            theirs.append(reading)
            return reading
        ours.append((STDOUT if name == "stdout" else STDERR, reading))
        theirs.append(writing)
        return writing

    async def _pump(self, handle: int, channel: int) -> None:
        """Its output to the client, no faster than the client takes it."""
        os.set_blocking(handle, False)
        loop = asyncio.get_running_loop()
        try:
            while True:
                await _ready(handle, loop.add_reader, loop.remove_reader)
                with contextlib.suppress(BlockingIOError):
                    chunk = os.read(handle, _CHUNK)
                    if not chunk:
                        return
                    await self._outbox.put(bytes((channel,)) + chunk)
        except OSError:
            return  # EIO: nobody has the terminal open any more
        finally:
            os.close(handle)

    async def _received(self, channel: int, data: bytes) -> None:
        if channel == STDIN and self._input >= 0 and data:
            await _write_all(self._input, data)
        elif channel == CLOSE and data[:1] == bytes((STDIN,)):
            self._close_input()
        elif channel == RESIZE and self._wanted.tty:
            _resize(data, lambda columns, rows: container.set_size(self._input, columns=columns, rows=rows))

    def _close_input(self) -> None:
        if self._input < 0:
            return
        if self._wanted.tty:
            with contextlib.suppress(OSError):
                os.write(self._input, b"\x04")  # end of file, as a terminal says it
            return
        os.close(self._input)
        self._input = -1

    async def _hang_up(self, ended: asyncio.Task[int]) -> None:
        """The client is gone: the end of its input, then SIGHUP, then SIGKILL."""
        assert self._process is not None
        self._close_input()
        for number in (signal.SIGHUP, signal.SIGKILL):
            self._process.send_group(number)
            await asyncio.wait({ended}, timeout=_GRACE_S)
            if ended.done():
                return


async def _accepted(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=0, compress=False)
    await socket.prepare(request)
    return socket


async def _send(socket: web.WebSocketResponse, outbox: asyncio.Queue[bytes]) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await socket.send_bytes(await outbox.get())
            outbox.task_done()


async def _say(outbox: asyncio.Queue[bytes], status: Obj) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL_S):
            await outbox.put(bytes((ERROR,)) + json.dumps(status).encode())


async def _drained(outbox: asyncio.Queue[bytes]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL_S):
            await outbox.join()


Received = Callable[[int, bytes], Awaitable[None] | None]


async def _listen(socket: web.WebSocketResponse, received: Received) -> None:
    """Hands over what the client says, until it is gone."""
    async for message in socket:
        data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY) and data:
            answer = received(data[0], data[1:])
            if answer is not None:
                await answer


async def _write_all(handle: int, data: bytes) -> None:
    """Writes without blocking the loop; gives up when nobody reads any more."""
    os.set_blocking(handle, False)
    loop = asyncio.get_running_loop()
    while data:
        try:
            data = data[os.write(handle, data) :]
        except BlockingIOError:
            await _ready(handle, loop.add_writer, loop.remove_writer)
        except OSError:
            return


async def _ready(handle: int, add: Callable[[int, Callable[[], None]], None], remove: Callable[[int], bool]) -> None:
    """Returns when the descriptor can be read, or written."""
    event = asyncio.Event()
    add(handle, event.set)
    try:
        await event.wait()
    finally:
        remove(handle)


def _resize(data: bytes, apply: Callable[..., None]) -> None:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        size = json.loads(data)
        apply(columns=int(size["Width"]), rows=int(size["Height"]))
