"""A Python process in a container sees its mounts, its /proc and its address. Real processes, with the real shim."""

import subprocess
import sys
from pathlib import Path

import pytest

from litmus.sandbox.node.view import Mount, View


@pytest.fixture
def view(tmp_path: Path) -> View:
    place = tmp_path / "place"
    (place / "sub").mkdir(parents=True)
    (place / "file").write_text("content")
    proc = tmp_path / "proc"
    (proc / "4242").mkdir(parents=True)
    (proc / "4242" / "cgroup").write_text("0::/kubepods/abc\n")
    mounts = (Mount("/etc/mounted", str(place)), Mount("/var/run/mounted", str(place)))
    return View(mounts=mounts, ip="127.77.9.9", hostname="pod-1", proc=str(proc))


def run(view: View, script: str, *options: str, **env: str) -> str:
    variables = view.variables(env.pop("PYTHONPATH", "")) | {"PATH": "/usr/bin:/bin", **env}
    said = subprocess.run(
        [sys.executable, *options, "-c", script], env=variables, capture_output=True, text=True, timeout=30, check=False
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.strip()


@pytest.mark.parametrize(
    "script",
    [
        "print(open('/etc/mounted/file').read())",
        "import io; print(io.open('/etc/mounted/file').read())",
        "print(open(b'/etc/mounted/file').read())",
        "import pathlib; print(pathlib.Path('/etc/mounted/file').read_text())",
        "import os; print(os.read(os.open('/etc/mounted/file', os.O_RDONLY), 9).decode())",
        "import os; os.chdir('/etc/mounted'); print(open('file').read())",
        "print(open('/etc/mounted/sub/../file').read())",
        "print(open('/etc//mounted/file').read())",
        "import os; print(open(os.path.realpath('/var/run/mounted') + '/file').read())",
        "import shutil; shutil.copy('/etc/mounted/file', '/etc/mounted/copy'); print(open('/etc/mounted/copy').read())",
        "import os; os.rename('/etc/mounted/file', '/etc/mounted/x'); print(open('/etc/mounted/x').read())",
        "import os; assert os.path.isdir('/etc/mounted/sub'); assert os.path.exists('/etc/mounted'); print('content')",
        "import os; assert sorted(os.listdir('/etc/mounted')) == ['file', 'sub']; print('content')",
        "import os; assert [e.name for e in os.scandir('/etc/mounted') if e.is_dir()] == ['sub']; print('content')",
        "import os; assert next(os.walk('/etc/mounted'))[1:] == (['sub'], ['file']); print('content')",
        "import glob; assert glob.glob('/etc/mounted/f*') == ['/etc/mounted/file']; print('content')",
        "import pathlib; p = pathlib.Path('/etc/mounted/new'); p.write_text('content'); print(open(p).read())",
        "import shutil; shutil.rmtree('/etc/mounted/sub'); print('content')",
        "import tempfile; tempfile.TemporaryDirectory(dir='/etc/mounted').cleanup(); print('content')",
    ],
)
def test_files_are_found_at_their_mount_paths(view: View, script: str) -> None:
    assert run(view, script) == "content"


def test_paths_that_only_begin_alike_are_the_machines(view: View) -> None:
    assert run(view, "import os; print(os.path.exists('/etc/mounted2'), os.path.exists('/etc/passwd'))") == "False True"
    assert run(view, "print(open(0).read())") == "", "a descriptor is not a path"


def test_a_mirror_stands_for_proc(view: View) -> None:
    script = "import os; print(os.listdir('/proc'), open('/proc/4242/cgroup').read().strip())"
    assert run(view, script) == "['4242'] 0::/kubepods/abc"
    assert "python" in run(view, "print(open('/proc/self/cmdline').read())")
    assert int(run(view, "print(open('/proc/meminfo').read().split()[1])")) > 0


def test_without_a_mirror_proc_is_the_machines(view: View) -> None:
    plain = View(mounts=view.mounts)
    assert run(plain, "import os; print(str(os.getpid()) in os.listdir('/proc'))") == "True"


@pytest.mark.parametrize("host", ["''", "'0.0.0.0'", "'127.0.0.1'", "'localhost'", "'127.77.9.9'"])
def test_listening_on_all_addresses_means_the_pods(view: View, host: str) -> None:
    script = f"import socket; s = socket.socket(); s.bind(({host}, 0)); print(s.getsockname()[0])"
    assert run(view, script) == "127.77.9.9"


def test_a_dual_stack_socket_listens_on_the_pods_address_too(view: View) -> None:
    script = (
        "import socket; s = socket.socket(socket.AF_INET6); s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0);"
        "s.bind(('::', 0)); print(s.getsockname()[0])"
    )
    assert run(view, script) == "::ffff:127.77.9.9"


def test_asyncio_servers_listen_there(view: View) -> None:
    script = """
import asyncio
async def main():
    server = await asyncio.start_server(lambda r, w: None, "0.0.0.0", 0)
    print(server.sockets[0].getsockname()[0])
asyncio.run(main())
"""
    assert run(view, script) == "127.77.9.9"


def test_localhost_is_the_pod_where_it_listens_and_the_machine_elsewhere(view: View) -> None:
    script = """
import socket
pod = socket.socket(); pod.bind(("", 0)); pod.listen()
port = pod.getsockname()[1]
print(socket.create_connection(("localhost", port)).getpeername()[0])
try:
    socket.create_connection(("127.0.0.1", 1))
except ConnectionRefusedError:
    print("refused")
"""
    assert run(view, script).split() == ["127.77.9.9", "refused"]


def test_a_low_port_is_found_higher_where_it_may_not_be_bound(view: View) -> None:
    script = "import socket; s = socket.socket(); s.bind(('', 81)); print(s.getsockname()[1])"
    assert run(view, script, LITMUS_SANDBOX_LOW="1024") == "20081"


def test_the_host_name_is_the_pods(view: View) -> None:
    assert run(view, "import socket; print(socket.gethostname())") == "pod-1"


def test_certificates_are_found_below_mounts(view: View, tmp_path: Path) -> None:
    import certifi

    (tmp_path / "place" / "ca.crt").write_text(Path(certifi.where()).read_text())
    script = (
        "import ssl; context = ssl.create_default_context(cafile='/etc/mounted/ca.crt');"
        "print(len(context.get_ca_certs()) > 10)"
    )
    assert run(view, script) == "True"


def test_the_sitecustomize_of_the_image_still_runs(view: View, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import builtins; builtins.OWN = 'ran'\n")
    assert run(view, "print(OWN, open('/etc/mounted/file').read())", PYTHONPATH=str(own)) == "ran content"


def test_it_makes_an_interpreter_import_next_to_nothing(view: View) -> None:
    with_shim = set(run(view, "import sys; print(' '.join(sys.modules))", HOME="/").split())
    without = subprocess.run(
        [sys.executable, "-E", "-c", "import sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert with_shim - set(without.stdout.split()) <= {"sitecustomize"}
