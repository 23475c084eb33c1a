"""The means by which probes and hooks ask a container: HTTP, TCP, gRPC. (Commands are run by the pod's worker.)

Texts of failures are those of a kubelet, which clients see in events. Source: pkg/probe/http, pkg/probe/tcp,
pkg/probe/grpc.
"""

import asyncio
import ssl
from collections.abc import Mapping

import aiohttp

from litmus.sandbox.machinery import ports
from litmus.sandbox.machinery.objects import Obj

from . import grpc_health
from .probes import Answer

USER_AGENT = "kube-probe/1.37"
_BODY_SHOWN = 10 * 1024
_TIMED_OUT = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


class Unknown(ValueError):
    """The probe names a port that the container does not have."""


def port_of(container: Obj, value: int | str) -> int:
    """A port by number or by the name that the container gives it. Raises Unknown."""
    if isinstance(value, int) or str(value).isdecimal():
        return int(value)
    for port in container.get("ports") or []:
        if port.get("name") == value:
            return int(port["containerPort"])
    raise Unknown(f"couldn't find port: {value}")


async def http(spec: Obj, container: Obj, *, ip: str, timeout_s: float) -> Answer:
    """An httpGet: 200 to 399 is success. Redirects within the host are followed, others count as success."""
    try:
        number = port_of(container, spec["port"])
    except Unknown as error:
        return Answer(False, str(error), error=True)
    scheme, host = (spec.get("scheme") or "HTTP").lower(), spec.get("host") or ip
    path = spec.get("path") or "/"
    shown = f"{scheme}://{host}:{number}/{path.removeprefix('/')}"
    url = f"{scheme}://{host}:{ports.reachable(number)}/{path.removeprefix('/')}"
    headers = {entry["name"]: entry.get("value", "") for entry in spec.get("httpHeaders") or []}
    try:
        async with asyncio.timeout(timeout_s):
            return await _get(url, headers)
    except TimeoutError:
        return Answer(False, f'Get "{shown}": {_TIMED_OUT}')
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(False, f'Get "{shown}": {_dialled(error, host, number)}')


async def _get(url: str, headers: Mapping[str, str]) -> Answer:
    # Certificates of containers are not verified, as in Kubernetes.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connector = aiohttp.TCPConnector(force_close=True, ssl=context if url.startswith("https") else False)
    defaults = {"User-Agent": USER_AGENT, "Accept": "*/*", "Connection": "close"}
    async with (
        aiohttp.ClientSession(connector=connector, headers={**defaults, **headers}) as session,
        session.get(url, allow_redirects=False) as answer,
    ):
        if 200 <= answer.status < 400:
            return Answer(True)
        await answer.content.read(_BODY_SHOWN)
        return Answer(False, f"HTTP probe failed with statuscode: {answer.status}")


async def tcp(spec: Obj, container: Obj, *, ip: str, timeout_s: float) -> Answer:
    """A tcpSocket: success when somebody accepts."""
    try:
        number = port_of(container, spec["port"])
    except Unknown as error:
        return Answer(False, str(error), error=True)
    host = spec.get("host") or ip
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host, ports.reachable(number))
    except TimeoutError:
        return Answer(False, f"dial tcp {host}:{number}: i/o timeout")
    except OSError as error:
        return Answer(False, _dialled(error, host, number))
    writer.close()
    return Answer(True)


async def grpc(spec: Obj, *, ip: str, timeout_s: float) -> Answer:
    """A grpc probe: the standard health service says SERVING."""
    number, service = int(spec["port"]), spec.get("service") or ""
    try:
        async with asyncio.timeout(timeout_s):
            status = await grpc_health.check(ip, ports.reachable(number), service)
    except TimeoutError:
        return Answer(False, f'timeout: failed to connect service "{ip}:{number}" within {timeout_s:.0f}s')
    except (OSError, grpc_health.Failed) as error:
        return Answer(False, f"error: health rpc probe failed: {error}")
    if status == "SERVING":
        return Answer(True, f"service healthy (responded with {status!r})")
    return Answer(False, f'service unhealthy (responded with "{status}")')


def _dialled(error: Exception, host: str, port: int) -> str:
    reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    cause = error.__cause__ if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(error, ConnectionRefusedError) or isinstance(cause, ConnectionRefusedError) or "refused" in reason:
        return f"dial tcp {host}:{port}: connect: connection refused"
    return f"dial tcp {host}:{port}: {reason.lower()}"
