"""``litmus sandbox``: what it says, where, and how it refuses. What it starts is in tests/sandbox/whole."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from litmus.cli import app
from litmus.cli import sandbox as commands
from litmus.sandbox.images.table import Table
from litmus.sandbox.lifecycle import MissingExtra, claim, extra, identity, overview
from litmus.sandbox.lifecycle import folder as folders
from litmus.sandbox.lifecycle.folder import Folder, Settings
from litmus.sandbox.lifecycle.identity import Process

Said = tuple[int, str, str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folders, "_LONGEST_SOCKET", 1000)  # pytest's folders may be too long
    monkeypatch.setenv("LITMUS_SANDBOX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def litmus(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    """Exit status, standard output, standard error."""
    status = app.main(["sandbox", *arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


def there(home: Path, name: str = "sandbox", **settings: object) -> Folder:
    """A sandbox of which only the folder is there."""
    folder = Folder(home / name)
    folder.make()
    folder.save(Settings(name=name, **settings))  # type: ignore[arg-type]
    return folder


@pytest.fixture
def running(home: Path) -> Iterator[Folder]:
    """One that this process seems to be."""
    with claim.taken(Folder(home / "sandbox"), Settings()):
        yield there(home, control=identity.own(), ready=True, port=1)


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ("up --nodes 0", 4, 'Invalid value "0" for --nodes. Must be >= 1.'),
        ("up --nodes 21", 4, 'Invalid value "21" for --nodes. Must be <= 20.'),
        ("up --nodes x", 4, 'Invalid value for --nodes: unable to convert "x" into int.'),
        ("up --port 65536", 4, 'Invalid value "65536" for --port. Must be <= 65535.'),
        ("up --name Mine", 2, "'Mine' is no name for a sandbox: use up to 32 lower-case letters, digits and dashes"),
        ("status --name ../x", 2, "'../x' is no name for a sandbox"),
        ("down --name a/b", 2, "'a/b' is no name for a sandbox"),
        ("logs", 2, "there is no sandbox 'sandbox'; start it with: litmus sandbox up\n"),
        ("logs --name other", 2, "start it with: litmus sandbox up --name other\n"),
        ("image list", 2, "there is no sandbox 'sandbox'; start it with: litmus sandbox up"),
        ("image add web -- true", 2, "there is no sandbox 'sandbox'; start it with: litmus sandbox up"),
        ("image add web", 4, "image add web: name the command after --, for instance: -- redis-server --bind {ip}"),
        ("node start", 2, "there is no sandbox 'sandbox'; start it with: litmus sandbox up"),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_can_not_be_done_is_one_line(
    arguments: str, status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ended, out, err = litmus(capsys, *arguments.split())
    assert ended == status
    assert out == ""
    assert sentence in err
    assert err.startswith("litmus: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(("command", "status"), [("down", 0), ("status", 0), ("status --name mine", 1)])
def test_without_a_sandbox_there_is_nothing_to_end_or_to_show(
    home: Path, command: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ended, out, _ = litmus(capsys, *command.split())
    assert ended == status
    assert out.startswith("There is no sandbox")
    assert not home.exists()  # looking leaves nothing behind either


@pytest.mark.parametrize("content", ["{", '{"nodes": "many"}', "\xff\xfe"])
def test_settings_that_are_broken_can_be_cleared(home: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = there(home)
    folder.settings_file.write_text(content)
    for command in ("up", "logs", "image list"):
        ended, _, err = litmus(capsys, *command.split())
        assert ended == 2
        assert err.endswith("; remove the sandbox with: litmus sandbox down\n")
    ended, out, _ = litmus(capsys, "status")
    assert "remove the sandbox with: litmus sandbox down" in out
    assert litmus(capsys, "down") == (0, "The sandbox 'sandbox' is gone.\n", "")
    assert not folder.path.exists()


def test_a_table_of_images_that_is_broken_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = there(home)
    folder.images.write_text("[]")
    for command in ("image list", "image add web -- true"):
        ended, _, err = litmus(capsys, *command.split())
        assert ended == 2
        assert str(folder.images) in err
        assert "remove the file to begin anew" in err


def test_a_name_that_no_manifest_could_use_is_no_image(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there(home)
    ended, _, err = litmus(capsys, "image", "add", "Not A Name", "--", "true")
    assert ended == 4
    assert err.startswith("litmus: image add Not A Name: ")
    assert err.count("\n") == 1


def test_an_image_is_added_and_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = there(home)
    ended, out, _ = litmus(capsys, "image", "add", "redis", "--", "redis-server", "--bind", "{ip}")
    assert (ended, out) == (0, "redis is now: redis-server --bind '{ip}'\n")
    found = Table.load(folder.images).find("redis:7")
    assert found is not None
    assert found.cmd == ("redis-server", "--bind", "{ip}")
    _, out, _ = litmus(capsys, "image", "list")
    assert any(line.split()[:2] == ["redis", "added"] for line in out.splitlines())
    assert any(line.split()[:3] == ["nginx", "built", "in"] for line in out.splitlines())


def test_one_that_died_is_shown_as_such(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there(home, control=Process(pid=1, born=-2))
    there(home, name="kept", persist=True)
    ended, out, _ = litmus(capsys, "status")
    assert ended == 0
    assert "kept: not running; it is kept for the next up --persist. Clear it with: litmus sandbox down --name" in out
    assert "sandbox: not running; it did not end well. Clear it with: litmus sandbox down\n" in out
    assert litmus(capsys, "status", "--name", "sandbox")[0] == 1
    assert litmus(capsys, "node", "start")[0] == 2


@pytest.mark.usefixtures("running")
def test_a_second_up_is_told_how_to_use_the_first(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for way in ([], ["--foreground"]):
        ended, out, err = litmus(capsys, "up", *way)
        assert (ended, out) == (2, "")
        assert err.startswith("litmus: the sandbox 'sandbox' is already up; use it with: export KUBECONFIG=")
        assert str(home / "sandbox" / "kubeconfig") in err


def test_one_that_does_not_answer_is_said_so(running: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    ended, out, _ = litmus(capsys, "status", "--name", "sandbox")
    assert ended == 1
    assert "does not answer" in out
    assert "litmus sandbox down" in out
    assert running.path.exists()


def test_status_shows_nodes_pods_and_memory(
    running: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def seen(_: Folder, *, own: object) -> overview.Overview:
        nodes = {"node1": "Ready", "node2": "NotReady"}
        return overview.Overview(nodes=nodes, pods={"Running": 3, "Pending": 1}, processes=6, memory_mb=160.4)

    monkeypatch.setattr(overview, "overview", seen)
    ended, out, _ = litmus(capsys, "status")
    assert ended == 0
    assert f"  export KUBECONFIG={running.kubeconfig}\n" in out
    assert "  nodes   node1 Ready, node2 NotReady\n  pods    1 Pending, 3 Running\n  memory  160 MB in 6 proc" in out


def test_logs_are_found_by_their_part(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = there(home)
    assert "does not run" in litmus(capsys, "logs")[2]
    folder.logs.mkdir()
    for part in ("control", "node1"):
        (folder.logs / f"{part}.log").write_text(f"said by {part}\n")
    (folder.path / "secret.log").write_text("not to be shown\n")
    assert litmus(capsys, "logs") == (0, "said by control\n", "")
    assert litmus(capsys, "logs", "node1") == (0, "said by node1\n", "")
    for part in ("nosuch", "../secret"):
        assert litmus(capsys, "logs", part) == (4, "", f"litmus: no log {part!r}: there are control, node1\n")


@pytest.mark.parametrize("kind", ["a file", "not writable", "too long"])
def test_a_place_that_is_of_no_use_names_the_variable(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / ("x" * 120 if kind == "too long" else "here")
    if kind != "too long":
        monkeypatch.setattr(folders, "_LONGEST_SOCKET", 1000)
    if kind == "a file":
        place.touch()
    if kind == "not writable":
        place = Path("/proc/litmus")  # also for root
    monkeypatch.setenv("LITMUS_SANDBOX_HOME", str(place))
    ended, out, err = litmus(capsys, "up", "--foreground")
    assert (ended, out) == (2, "")
    assert err.endswith("LITMUS_SANDBOX_HOME\n")
    assert err.count("\n") == 1


def test_the_missing_extra_is_named_in_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(extra, "MODULES", ("asyncio", "no_such_module"))
    with pytest.raises(MissingExtra):
        extra.expect()
    for way in ([], ["--foreground"]):
        ended, out, err = litmus(capsys, "up", *way)
        assert (ended, out) == (2, "")
        assert err.endswith("not installed (no_such_module); run: pip install 'litmus-py[sandbox]'\n")
    assert not home.exists()


def test_the_list_of_the_extra_is_complete() -> None:
    """What the control process and the nodes import of the extra."""
    code = (
        "import sys, litmus.sandbox.control.running, litmus.sandbox.control.plane, litmus.sandbox.node.__main__;"
        "import importlib.metadata as m; of = m.packages_distributions();"
        "print(*sorted({d for n in list(sys.modules) for d in of.get(n.partition('.')[0], ())}))"
    )
    used = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    mine = {"cronsim", "cryptography", "httptools", "jsonpatch", "pyjwt", "starlette", "uvicorn", "websockets"}
    assert {name.lower() for name in used} & mine <= {"pyjwt" if name == "jwt" else name for name in extra.MODULES}


@pytest.mark.parametrize("arguments", ["--help", "sandbox --help", "sandbox status", "sandbox down"])
def test_what_starts_nothing_imports_no_server(home: Path, arguments: str) -> None:
    code = (
        f"import sys; from litmus.cli import app; app.main({arguments.split()!r});"
        "heavy = {'starlette', 'uvicorn', 'cryptography', 'jwt', 'jsonpatch', 'aiohttp', 'kopf'};"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LITMUS_SANDBOX_HOME": "/tmp/none-such"},
    )
    assert "HEAVY []" in done.stdout


@pytest.mark.parametrize(("seconds", "said"), [(9, "9s"), (61, "1m01s"), (3725, "1h02m")])
def test_ages_read_as_kubectl_shows_them(seconds: float, said: str) -> None:
    assert commands._age(seconds) == said


def test_a_port_in_use_is_refused_before_anything_is_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended, out, err = litmus(capsys, "up", "--port", str(port))
    assert (ended, out) == (2, "")
    assert err == f"litmus: port {port} is in use; name another with --port (0 takes a free one)\n"
    assert list(home.iterdir()) == []
