"""An HTTP server that a client takes for nginx: welcome page, static files, its headers, log lines and signals.

It runs in a bare interpreter (``python -I -S``) and imports C modules, ``os``, ``signal`` and ``socket`` only, so that
hundreds of it fit on a laptop. One thread, level-triggered epoll. It reads no nginx configuration.

Environment: LITMUS_SANDBOX_IP is the address to listen on, else all; NGINX_PORT the port, else 80;
LITMUS_SANDBOX_LOW the lowest port that may be bound (lower ones are found 20000 higher); LITMUS_SANDBOX_MOUNTS,
``path=place:path=place``, is looked through for /usr/share/nginx/html.
SIGQUIT and SIGTERM: no new connections, requests in progress are answered, idle connections are closed, exit status 0.
"""

import os
import select
import signal
import socket
import sys
import time
from types import FrameType

from . import site
from .site import Answer, Headers, Site

ROOT = "/usr/share/nginx/html"
IDLE_S = 75.0
HEAD_MAX = 32 * 1024
BODY_MAX = 1024 * 1024
CHUNK = 256 * 1024
LOW_PORT_OFFSET = 20_000


class Connection:
    """One client; ``answer`` while one is being sent."""

    __slots__ = ("active", "answer", "body_left", "close", "head_only", "inbox", "outbox", "peer", "socket")

    def __init__(self, accepted: socket.socket, peer: str) -> None:
        self.socket = accepted
        self.peer = peer
        self.inbox = b""
        self.outbox = b""
        self.answer: Answer | None = None
        self.body_left = 0
        self.close = False
        self.head_only = False
        self.active = time.monotonic()

    @property
    def idle(self) -> bool:
        return not self.inbox and not self.outbox and self.answer is None and not self.body_left


class Server:
    """Listens, reads requests and writes answers, until a signal ends it. Raises OSError when it can't listen."""

    def __init__(self, files: Site, address: tuple[str, int]) -> None:
        self.site = files
        self.connections: dict[int, Connection] = {}
        self.quitting = False
        self.epoll = select.epoll()
        self.listener: socket.socket | None = socket.socket(
            socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(address)
        self.listener.listen(511)
        self.listening = self.listener.fileno()
        self.epoll.register(self.listening, select.EPOLLIN)
        self.wake, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.epoll.register(self.wake, select.EPOLLIN)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        for number in (signal.SIGQUIT, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.quit)

    def quit(self, number: int, frame: FrameType | None) -> None:
        if not self.quitting:
            self.quitting = True
            notice(f"signal {number} ({signal.Signals(number).name}) received, gracefully shutting down")

    def run(self) -> None:
        while not (self.quitting and self.drained()):
            for handle, events in self.epoll.poll(1.0 if self.quitting else 15.0):
                if handle == self.wake:
                    os.read(self.wake, 4096)
                elif handle == self.listening:
                    self.accept()
                elif handle in self.connections:
                    self.serve(self.connections[handle], events)
            self.expire()

    def drained(self) -> bool:
        """Whether nobody waits for an answer any more, after closing what is idle."""
        if self.listener is not None:
            self.accept()  # who was already in the queue has connected as far as he knows
            self.epoll.unregister(self.listening)
            self.listener.close()
            self.listener, self.listening = None, -1
        for connection in list(self.connections.values()):
            if connection.idle:
                self.read(connection)  # bytes that have come but were not read yet are a request in progress
            if connection.idle:
                self.drop(connection)
        return not self.connections

    def accept(self) -> None:
        for _ in range(64):
            if self.listener is None:
                return
            try:
                accepted, peer = self.listener.accept()
            except OSError:
                return
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections[accepted.fileno()] = Connection(accepted, peer[0])
            self.epoll.register(accepted.fileno(), select.EPOLLIN)

    def serve(self, connection: Connection, events: int) -> None:
        if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            self.read(connection)
        if events & select.EPOLLOUT and connection.socket.fileno() >= 0:
            self.write(connection)

    def read(self, connection: Connection) -> None:
        try:
            received = connection.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            if connection.answer is None:
                self.drop(connection)
            else:
                connection.close = True  # it has said all, and still waits for the answer
                self.epoll.modify(connection.socket.fileno(), select.EPOLLOUT)
            return
        connection.active = time.monotonic()
        connection.inbox += received
        self.advance(connection)

    def advance(self, connection: Connection) -> None:
        """Answers what has come in full, one request after the other."""
        while connection.answer is None and connection.inbox and connection.socket.fileno() >= 0:
            if connection.body_left:
                taken = min(connection.body_left, len(connection.inbox))
                connection.inbox = connection.inbox[taken:]
                connection.body_left -= taken
                continue
            head, found, rest = connection.inbox.partition(b"\r\n\r\n")
            if not found:
                if len(connection.inbox) > HEAD_MAX:
                    self.respond(connection, "", {}, site.failure(414), close=True)
                return
            connection.inbox = rest
            self.handle(connection, head.lstrip(b"\r\n").decode("latin-1"))

    def handle(self, connection: Connection, head: str) -> None:
        first, *lines = head.split("\r\n")
        headers: Headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        wrong = _refused(first, headers)
        if wrong:
            self.respond(connection, first, headers, site.failure(wrong), close=True)
            return
        method, target, protocol = first.split(" ")
        wishes = headers.get("connection", "").lower()
        # A body of unknown length is not read, so nothing after it can be.
        close = "close" in wishes or "transfer-encoding" in headers
        close = close or (protocol == "HTTP/1.0" and "keep-alive" not in wishes)
        connection.body_left = int(headers.get("content-length", "0"))
        connection.head_only = method == "HEAD"
        self.respond(connection, first, headers, self.site.answer(method, target, headers), close=close)

    def respond(self, connection: Connection, first: str, headers: Headers, answer: Answer, *, close: bool) -> None:
        connection.close = close or self.quitting
        lines = [
            f"HTTP/1.1 {answer.code} {site.REASONS[answer.code]}",
            f"Server: nginx/{site.VERSION}",
            f"Date: {site.http_date(time.time())}",
        ]
        if answer.code != 304:
            lines.append(f"Content-Length: {answer.length}")
        lines += [f"{name}: {value}" for name, value in answer.headers]
        lines.append(f"Connection: {'close' if connection.close else 'keep-alive'}")
        connection.outbox = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        if connection.head_only:
            answer.close()
            answer.body = b""
        connection.head_only = False
        connection.outbox += answer.body
        connection.answer = answer
        access(connection.peer, first, headers, answer)
        self.write(connection)

    def write(self, connection: Connection) -> None:
        try:
            while connection.outbox or _refill(connection):
                sent = connection.socket.send(connection.outbox)
                connection.outbox = connection.outbox[sent:]
                connection.active = time.monotonic()
        except BlockingIOError:
            self.epoll.modify(connection.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
            return
        except OSError:
            connection.close = True
        if connection.close:
            self.drop(connection)
            return
        self.epoll.modify(connection.socket.fileno(), select.EPOLLIN)
        self.advance(connection)

    def expire(self) -> None:
        now = time.monotonic()
        for connection in [known for known in self.connections.values() if now - known.active > IDLE_S]:
            self.drop(connection)

    def drop(self, connection: Connection) -> None:
        handle = connection.socket.fileno()
        if handle < 0:
            return
        del self.connections[handle]
        if connection.answer is not None:
            connection.answer.close()
        self.epoll.unregister(handle)
        connection.socket.close()


def _refused(first: str, headers: Headers) -> int:
    """The status for a request that is none, 0 for a good one."""
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        return 400
    if words[2] not in ("HTTP/1.0", "HTTP/1.1"):
        return 505
    length = headers.get("content-length", "0")
    if not length.isdecimal() or (words[2] == "HTTP/1.1" and "host" not in headers):
        return 400
    return 413 if int(length) > BODY_MAX else 0


def _refill(connection: Connection) -> bool:
    """More of the file into the outbox; False when the answer is complete."""
    answer = connection.answer
    if answer is None:
        return False
    if answer.file >= 0 and answer.left > 0:
        connection.outbox = os.read(answer.file, min(CHUNK, answer.left))
        answer.left -= len(connection.outbox)
        if connection.outbox:
            return True
        connection.close = True  # the file became shorter: only a closed connection tells the client
    answer.close()
    connection.answer = None
    return False


def access(peer: str, first: str, headers: Headers, answer: Answer) -> None:
    """A line of the access log in nginx's combined format."""
    when = time.localtime()
    zone = abs(when.tm_gmtoff) // 60
    moment = (
        f"{when.tm_mday:02}/{site.MONTHS[when.tm_mon - 1]}/{when.tm_year}"
        f":{when.tm_hour:02}:{when.tm_min:02}:{when.tm_sec:02}"
        f" {'-' if when.tm_gmtoff < 0 else '+'}{zone // 60:02}{zone % 60:02}"
    )
    referer, agent = headers.get("referer", "-"), headers.get("user-agent", "-")
    forwarded = headers.get("x-forwarded-for", "-")
    sys.stdout.write(
        f'{peer} - - [{moment}] "{first}" {answer.code} {answer.length} "{referer}" "{agent}" "{forwarded}"\n'
    )


def notice(message: str) -> None:
    """A line of the error log."""
    when = time.strftime("%Y/%m/%d %H:%M:%S")
    sys.stderr.write(f"{when} [notice] {os.getpid()}#{os.getpid()}: {message}\n")


def address() -> tuple[str, int]:
    """Where to listen. A service named nginx puts ``NGINX_PORT=tcp://…`` into every container, which is no port."""
    wanted = os.environ.get("NGINX_PORT", "")
    port = int(wanted) if wanted.isdecimal() else 80
    lowest = int(os.environ.get("LITMUS_SANDBOX_LOW") or 0)
    return os.environ.get("LITMUS_SANDBOX_IP", ""), port if port >= lowest else port + LOW_PORT_OFFSET


def document_root(mounts: str) -> str | None:
    """The place of ROOT in ``path=place:path=place``; None when nothing is mounted there or above it."""
    pairs = [line.partition("=") for line in mounts.split(":") if line]
    for path, _, place in sorted(pairs, key=lambda pair: -len(pair[0])):
        if path == ROOT:
            return place
        if ROOT.startswith(path.rstrip("/") + "/"):
            return place + ROOT[len(path.rstrip("/")) :]
    return None


def main(arguments: list[str]) -> int:
    """The exit status. ``-v`` and ``-t`` answer at once, other arguments are ignored."""
    name = os.open("/proc/self/comm", os.O_WRONLY)
    os.write(name, b"nginx")
    os.close(name)
    if arguments[:1] in (["-v"], ["-V"]):
        sys.stderr.write(f"nginx version: nginx/{site.VERSION}\n")
        return 0
    if arguments[:1] == ["-t"]:
        sys.stderr.write("nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n")
        sys.stderr.write("nginx: configuration file /etc/nginx/nginx.conf test is successful\n")
        return 0
    host, port = address()
    try:
        server = Server(Site(document_root(os.environ.get("LITMUS_SANDBOX_MOUNTS", ""))), (host, port))
    except OSError as error:
        where = f"{host or '0.0.0.0'}:{port}"
        sys.stderr.write(f"nginx: [emerg] bind() to {where} failed ({error.errno}: {error.strerror})\n")
        return 1
    notice(f"nginx/{site.VERSION}")
    server.run()
    notice("exit")
    return 0
