"""What a trafficProbe sends and what counts as good: its inputs, understood and checked, and fit to travel to a pod."""

import re
import urllib.parse
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from litmus import api
from litmus.api import strict
from litmus.api.probe import TrafficProbe

from . import properties
from .contract import ProbeError

INPUTS = "trafficProbe/inputs"
DEFAULT_RATE = 10.0
LEAST_RATE, HIGHEST_RATE = 0.01, 1000.0
DEFAULT_TIMEOUT_S = 1.0
# Every request may last as long as its timeout, and none waits for another: rate x timeout of them can be open at once.
MOST_OPEN = 1000
SOURCES = ("experiment", "pod")
GOOD_CODES = ((200, 399),)

Scheme = Literal["http", "https", "tcp", "grpc"]
_SCHEMES: dict[str, tuple[Scheme, int | None]] = {
    "http": ("http", 80),
    "https": ("https", 443),
    "tcp": ("tcp", None),
    "grpc": ("grpc", None),
}
_TOKEN = re.compile(r"[A-Za-z!#$%&'*+.^_`|~0-9-]{1,32}")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")
_CODES = re.compile(r"\s*([1-5][0-9][0-9])\s*(?:-\s*([1-5][0-9][0-9])\s*)?")
# Of a URL, what is sent as it stands; the rest is escaped (RFC 3986, 2.2 and 2.3).
_SAFE = "/%:@!$&'()*+,;=~?[]-._"


class Aim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``target``: path and query of HTTP, or the name of a gRPC service ('' for the server as a whole).

    ``good``: pairs of the first and the last code of HTTP that is good. ``rate``: requests a second.
    """

    scheme: Scheme
    host: str
    port: int
    target: str = ""
    method: str = "GET"
    body: str = ""
    content_type: str = ""
    good: tuple[tuple[int, int], ...] = GOOD_CODES
    insecure: bool = False
    rate: float = DEFAULT_RATE
    timeout_s: float = DEFAULT_TIMEOUT_S

    @property
    def authority(self) -> str:
        """Host and port as a Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if _SCHEMES[self.scheme][1] == self.port else f"{host}:{self.port}"

    @property
    def expected(self) -> str:
        """What would be good, for people."""
        within = f"within {self.timeout_s:g} s"
        if self.scheme == "tcp":
            return f"a connection {within}"
        if self.scheme == "grpc":
            return f"status SERVING {within}"
        codes = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in self.good)
        return f"code {codes} {within}"


def check(probe: api.Probe) -> list[str]:
    """One sentence for each thing that is wrong with the inputs, with its path inside the probe."""
    given = probe.traffic
    if given is None:
        return [f"{INPUTS}: missing; a probe of type trafficProbe needs a url, such as http://web.shop:80/"]
    parts: list[Callable[[TrafficProbe], object]] = [_address, _words, _codes, _pace, source]
    found = []
    for part in parts:
        # A value that an earlier probe has yet to fill in can't be judged: `read` does so when it is there.
        if part in (_address, _words) and "{{" in given.url:
            continue
        try:
            part(given)
        except ProbeError as error:
            found.append(str(error))
    return found


def read(probe: api.Probe) -> Aim:
    """Raises ProbeError with the first thing that is wrong."""
    given = probe.traffic
    if given is None:
        raise ProbeError(check(probe)[0])
    scheme, host, port, target = _address(given)
    _words(given)
    rate, timeout_s = _pace(given)
    return Aim(
        scheme=scheme,
        host=host,
        port=port,
        target=target,
        method=(given.method or "GET").upper(),
        body=given.body or "",
        content_type=given.content_type or "",
        good=_codes(given),
        insecure=bool(given.insecure_skip_verify),
        rate=rate,
        timeout_s=timeout_s,
    )


def source(given: TrafficProbe) -> str:
    """Where the requests come from. Raises ProbeError."""
    if given.source in (None, ""):
        return "experiment"
    if given.source not in SOURCES:
        near = strict.closest(str(given.source), list(SOURCES))
        raise ProbeError(f"{INPUTS}.source: {given.source!r} is not one of {', '.join(SOURCES)}{near}")
    return str(given.source)


def _address(given: TrafficProbe) -> tuple[Scheme, str, int, str]:
    path, url = f"{INPUTS}.url", given.url.strip()
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ProbeError(f"{path}: {url!r} is no URL: {error}") from error
    if parts.scheme not in _SCHEMES:
        raise ProbeError(f"{path}: {url!r} must begin with http://, https://, tcp:// or grpc://")
    scheme, usual = _SCHEMES[parts.scheme]
    if parts.username is not None:
        raise ProbeError(f"{path}: a user name in a URL is not supported; leave it out")
    host = _host(parts.hostname or "", path=path, url=url)
    port = usual if port is None else port
    if not port:
        raise ProbeError(f"{path}: {url!r} names no port; write {scheme}://{host}:PORT")
    return scheme, host, port, _target(scheme, parts, path=path)


def _host(host: str, *, path: str, url: str) -> str:
    """As a name server knows it, in ASCII."""
    if not host:
        raise ProbeError(f"{path}: {url!r} names no host; write SCHEME://HOST:PORT")
    try:
        name = host if ":" in host else host.encode("idna").decode()
    except UnicodeError as error:
        raise ProbeError(f"{path}: {host!r} is no name of a host: {error}") from error
    if ":" not in name and not _HOST.fullmatch(name):
        raise ProbeError(f"{path}: {host!r} is no name of a host; write one such as web.shop or 10.0.0.1")
    return name


def _target(scheme: Scheme, parts: urllib.parse.SplitResult, *, path: str) -> str:
    if scheme in ("http", "https"):
        return urllib.parse.quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_SAFE)
    name = parts.path.strip("/")
    if scheme == "tcp" and (name or parts.query):
        raise ProbeError(f"{path}: tcp:// only connects; leave out {parts.path or '?' + parts.query!r}")
    return name


def _words(given: TrafficProbe) -> None:
    """What belongs to HTTP has no meaning elsewhere, and would be missed there by whoever wrote it."""
    scheme = given.url.strip().partition(":")[0]
    fields: dict[str, Any] = {
        "method": given.method,
        "body": given.body,
        "contentType": given.content_type,
        "responseCode": given.response_code,
    }
    if scheme not in ("http", "https"):
        for name, value in fields.items():
            if value:
                raise ProbeError(f"{INPUTS}.{name}: {value!r} has no meaning for {scheme}://; remove it")
    elif given.method and not _TOKEN.fullmatch(given.method):
        raise ProbeError(f"{INPUTS}.method: {given.method!r} is no method of HTTP; write one such as GET or POST")
    elif given.body and (given.method or "GET").upper() in ("GET", "HEAD"):
        raise ProbeError(f"{INPUTS}.body: a {given.method or 'GET'} sends none; set method to POST or PUT")
    elif given.content_type and not (given.content_type.isascii() and given.content_type.isprintable()):
        raise ProbeError(f"{INPUTS}.contentType: {given.content_type!r} can't be sent; write one such as text/plain")
    if given.insecure_skip_verify and scheme != "https":
        raise ProbeError(f"{INPUTS}.insecureSkipVerify: true has no meaning for {scheme}://; remove it")


def _codes(given: TrafficProbe) -> tuple[tuple[int, int], ...]:
    if not given.response_code:
        return GOOD_CODES
    found = []
    for item in given.response_code.split(","):
        match = _CODES.fullmatch(item)
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if low > high:
            raise ProbeError(
                f"{INPUTS}.responseCode: {given.response_code!r} must be codes of 100 to 599, as in 200,204 or 200-399"
            )
        found.append((low, high))
    return tuple(found)


def _pace(given: TrafficProbe) -> tuple[float, float]:
    rate = DEFAULT_RATE if given.rate is None else given.rate
    if not LEAST_RATE <= rate <= HIGHEST_RATE:  # NaN is no rate either
        raise ProbeError(
            f"{INPUTS}.rate: {rate:g} requests a second are not within {LEAST_RATE:g} to {HIGHEST_RATE:g}; change it"
        )
    timeout_s = DEFAULT_TIMEOUT_S
    if given.timeout not in (None, ""):
        timeout_s = properties.seconds(given.timeout or 0, path=f"{INPUTS}.timeout")
    if not timeout_s:
        raise ProbeError(f"{INPUTS}.timeout: {given.timeout!r} leaves no time for an answer; write one such as 1s")
    if rate * timeout_s > MOST_OPEN:
        raise ProbeError(
            f"{INPUTS}.timeout: {timeout_s:g} s at {rate:g} requests a second may leave {rate * timeout_s:g} of them "
            f"open at once, and {MOST_OPEN} are allowed; lower the rate or the timeout"
        )
    return rate, timeout_s
