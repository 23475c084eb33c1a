"""Hubs are fetched by the real git, from real hosts on loopback; what a hostile one packs stays where it is."""

import asyncio
import os
import shutil
import socket
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from litmus.hub import git, programs, sources
from litmus.hub.sources import CannotFetch, Limits, Source
from tests.hub import git_hosts, others
from tests.hub.git_hosts import Host, needs_git

CHARTS = others.of_1_10("a")
SMALL = Limits(packed=200_000, unpacked=300_000, files=100)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither settings nor helpers of whoever runs the tests."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home/.config"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def written(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def asked(files: dict[str, str | bytes]) -> dict[str, bytes]:
    return {path: content.encode() if isinstance(content, str) else content for path, content in files.items()}


async def fetch(url: object, into: Path, *, limits: Limits | None = None, unless: str = "", **how: str):
    return await sources.fetch(sources.check(Source(url=str(url), **how)), into, limits=limits, unless=unless)


# Git on this machine


@needs_git
async def test_a_local_repository_is_fetched_at_its_newest_commit(tmp_path: Path, into: Path):
    repository = git_hosts.repository(tmp_path / "repository", CHARTS | {"README.md": "no chart"})
    newest = git_hosts.commit(repository, others.of_1_10("b", group="caches"))
    done = await fetch(repository, into)
    assert (done.revision, done.problems, done.changed) == (newest, (), True)
    assert written(into) == asked(CHARTS | others.of_1_10("b", group="caches"))
    assert list((tmp_path / "home").glob("litmus-hub-*")) == []  # nothing of the clone stays


@needs_git
async def test_an_unchanged_repository_is_not_fetched_again(tmp_path: Path, into: Path):
    repository = git_hosts.repository(tmp_path / "repository", CHARTS)
    first = await fetch(repository, into)
    (tmp_path / "again").mkdir()
    again = await fetch(repository, tmp_path / "again", unless=first.revision)
    assert (again.revision, again.changed) == (first.revision, False)
    assert written(tmp_path / "again") == {}


@needs_git
async def test_a_branch_and_a_tag_are_fetched_by_name_and_an_unknown_one_is_named(tmp_path: Path, into: Path):
    repository = git_hosts.repository(tmp_path / "repository", CHARTS)
    first = git_hosts.git(repository, "rev-parse", "HEAD")
    git_hosts.git(repository, "tag", "--annotate", "--message", "one", "v1")
    git_hosts.git(repository, "checkout", "--quiet", "-b", "next")
    second = git_hosts.commit(repository, {"charts/queues/a/engine.yaml": "changed: 1\n"})
    assert (await fetch(repository, into, branch="v1")).revision == first
    (tmp_path / "next").mkdir()
    assert (await fetch(repository, tmp_path / "next", branch="next")).revision == second
    with pytest.raises(CannotFetch, match="it has no branch or tag 'nxt'; there is main, next"):
        await fetch(repository, into, branch="nxt")


@needs_git
async def test_a_repository_without_a_commit_or_without_charts_is_no_hub(tmp_path: Path, into: Path):
    (tmp_path / "empty").mkdir()
    git_hosts.git(tmp_path / "empty", "init", "--quiet")
    with pytest.raises(CannotFetch, match="has no commit yet"):
        await fetch(tmp_path / "empty", into)
    plain = git_hosts.repository(tmp_path / "plain", {"README.md": "x"})
    with pytest.raises(CannotFetch, match="neither a folder charts/"):
        await fetch(plain, into)


async def test_a_machine_without_git_is_told_so(tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "repository/.git").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotFetch, match=r"there is no git here; install it .*, or give the hub as a zip"):
        await fetch(tmp_path / "repository", into)


# Hostile repositories


@needs_git
async def test_links_submodules_and_lfs_are_left_out_and_named(tmp_path: Path, into: Path):
    inner = git_hosts.repository(tmp_path / "inner", {"x.yaml": "a: 1\n"})
    repository = git_hosts.repository(tmp_path / "repository", CHARTS)
    (repository / "charts/queues/a/link.yaml").symlink_to("/etc/passwd")
    (repository / "charts/queues/folder.yaml").symlink_to("..")
    (repository / "charts/queues/a/big.yaml").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    git_hosts.git(repository, "-c", "protocol.file.allow=always", "submodule", "add", str(inner), "charts/inner")
    git_hosts.commit(repository, {})
    done = await fetch(repository, into)
    assert {problem.file: problem.message.split(";")[0] for problem in done.problems} == {
        "charts/queues/a/link.yaml": "unsafe path: a symbolic link",
        "charts/queues/folder.yaml": "unsafe path: a symbolic link",
        "charts/queues/a/big.yaml": "is kept in Git LFS, which is not fetched",
        "charts/inner": "a submodule",
    }
    assert written(into) == asked(CHARTS)
    assert not [f for f in into.rglob("*") if f.is_symlink()]


@needs_git
async def test_neither_hooks_nor_filters_nor_programs_of_a_repository_run(tmp_path: Path, into: Path):
    ran = tmp_path / "ran"
    repository = git_hosts.repository(
        tmp_path / "repository", CHARTS | {".gitattributes": "* filter=evil diff=evil export-subst\n"}
    )
    home = tmp_path / "home"
    hook = f"#!/bin/sh\necho $0 >> {ran}\n"
    for folder in (repository / ".git/hooks", home / "template/hooks", home / "hooks"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("post-checkout", "post-merge", "reference-transaction", "post-index-change", "pre-auto-gc"):
            (folder / name).write_text(hook)
            (folder / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[init]\n templateDir = {home}/template\n[core]\n hooksPath = {home}/hooks\n fsmonitor = touch {ran}\n"
        f'[filter "evil"]\n smudge = touch {ran}\n clean = touch {ran}\n process = touch {ran}\n required = true\n'
    )
    await fetch(repository, into)
    assert written(into) == asked(CHARTS)
    assert not ran.exists(), ran.read_text()


@needs_git
async def test_a_repository_that_is_too_large_is_stopped_while_it_grows(tmp_path: Path, into: Path):
    noise = {f"noise/{i}.bin": os.urandom(200_000) for i in range(10)}
    repository = git_hosts.repository(tmp_path / "repository", CHARTS | noise)
    with pytest.raises(CannotFetch, match="it has more than 200,000 bytes"):
        await fetch(repository, into, limits=SMALL)
    assert written(into) == {}


@needs_git
async def test_a_repository_that_unfolds_to_too_much_is_refused_before_it_unfolds(tmp_path: Path, into: Path):
    repository = git_hosts.repository(
        tmp_path / "repository", {f"charts/queues/a/{i}.yaml": f"#{i}" + "\n" * 90_000 for i in range(5)}
    )
    with pytest.raises(CannotFetch, match="it unfolds to more than 300,000 bytes"):
        await fetch(repository, into, limits=SMALL)
    assert written(into) == {}


@needs_git
async def test_a_repository_of_trees_of_trees_is_refused(tmp_path: Path, into: Path):
    """A few objects that name each other make ten to the ninth files."""
    repository = git_hosts.repository(tmp_path / "repository", CHARTS)
    kind, name = "blob", git_hosts.git(repository, "hash-object", "-w", "--stdin", stdin=b"a: 1\n")
    for _ in range(9):
        mode = "100644" if kind == "blob" else "040000"
        lines = "".join(f"{mode} {kind} {name}\tf{i}.yaml\n" for i in range(10))
        kind, name = "tree", git_hosts.git(repository, "mktree", stdin=lines.encode())
    top = git_hosts.git(repository, "mktree", stdin=f"040000 tree {name}\tcharts\n".encode())
    commit = git_hosts.git(repository, "commit-tree", "-m", "bomb", top)
    git_hosts.git(repository, "update-ref", "refs/heads/main", commit)
    with pytest.raises(CannotFetch, match="more files than"):
        await fetch(repository, into, limits=SMALL)


@needs_git
async def test_a_path_out_of_the_repository_is_refused(tmp_path: Path, into: Path):
    repository = git_hosts.repository(tmp_path / "repository", CHARTS)
    blob = git_hosts.git(repository, "hash-object", "-w", "--stdin", stdin=b"a: 1\n")
    # mktree takes no slashes; a folder called '..' can be written as it is
    inner = git_hosts.git(repository, "mktree", stdin=f"100644 blob {blob}\tevil.yaml\n".encode())
    raw = b"40000 ..\0" + bytes.fromhex(inner)
    tree = git_hosts.git(repository, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw)
    raw = b"40000 charts\0" + bytes.fromhex(tree)
    top = git_hosts.git(repository, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw)
    commit = git_hosts.git(repository, "commit-tree", "-m", "out", top)
    git_hosts.git(repository, "update-ref", "refs/heads/main", commit)
    with pytest.raises(CannotFetch, match=r"unsafe path 'charts/\.\./evil\.yaml'"):
        await fetch(repository, into)
    assert not (tmp_path / "evil.yaml").exists()


# Addresses


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("--upload-pack=touch /tmp/x", "is no address"),
        ("ext::sh -c touch% /tmp/x", "helpers"),
        ("git://example.com/x", "git:// is not taken"),
        ("https://user:secret@example.com/x", "has a password in it"),
        ("ssh://-oProxyCommand=x/y", "names no host"),
        ("ssh://-ofoo@host/y", "names no host"),
        ("https:///x", "names no host"),
        ("https://example.com:port/x", "is no address"),
        ("-oProxyCommand=x:y", "is no address"),
        ("host:-y", "is not there"),
        ("/nowhere/at/all", "is not there; give a folder, a repository or a zip"),
        ("", "is no address"),
        ("https://example.com/\nx", "is no address"),
    ],
)
def test_what_is_no_address_or_would_run_something_is_refused(url: str, words: str):
    with pytest.raises(CannotFetch, match=words) as refused:
        sources.check(Source(url=url))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"url": "https://h/x", "token_env": "A", "token_file": "b"}, "give one of --token-env, --token-file"),
        ({"url": "http://h/x", "token_env": "A"}, "a token goes over https only"),
        ({"url": "https://h/x", "ssh_key": "/nowhere"}, "are for addresses of ssh"),
        ({"url": "git@h:x", "ssh_key": "/nowhere"}, "--ssh-key /nowhere: there is no such file"),
        ({"url": "https://h/x.zip", "branch": "main"}, "--branch is for Git"),
        ({"url": "https://h/x", "branch": "-b"}, "no name of a branch"),
        ({"url": "https://h/x", "branch": "a..b"}, "no name of a branch"),
        ({"url": "https://h/x", "branch": "a b"}, "no name of a branch"),
    ],
)
def test_what_does_not_fit_together_is_refused(how: dict[str, str], words: str):
    with pytest.raises(CannotFetch, match=words):
        sources.check(Source(**how))


# Git over https


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    git_hosts.repository(tmp_path / "root/team", CHARTS)
    with git_hosts.https(Host(tmp_path / "root", token="s3cret-t0ken"), tmp_path / "tls") as serving:
        monkeypatch.setenv("GIT_SSL_CAINFO", serving.authority)
        yield serving


@needs_git
async def test_a_private_repository_is_fetched_with_a_token_that_nobody_else_sees(
    tmp_path: Path, into: Path, host: Host, monkeypatch: pytest.MonkeyPatch
):
    seen: list[tuple[str, ...]] = []
    run = programs.run

    async def watched(command, **how):
        seen.append(tuple(command))
        return await run(command, **how)

    monkeypatch.setattr(programs, "run", watched)
    monkeypatch.setenv("HUB_TOKEN", "s3cret-t0ken\n")
    await fetch(f"{host.url}/team", into, token_env="HUB_TOKEN")
    assert written(into) == asked(CHARTS)
    assert len(seen) >= 4
    assert not [word for command in seen for word in command if "s3cret" in word]
    assert not [f for f in tmp_path.rglob("*") if f.is_file() and b"s3cret" in f.read_bytes()]


@needs_git
async def test_a_token_may_stand_in_a_file(tmp_path: Path, into: Path, host: Host):
    (tmp_path / "token").write_text("s3cret-t0ken\n")
    await fetch(f"{host.url}/team", into, token_file=str(tmp_path / "token"))
    assert written(into) == asked(CHARTS)


@needs_git
async def test_a_wrong_token_and_none_are_told_apart_and_not_repeated(
    into: Path, host: Host, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HUB_TOKEN", "wr0ng")
    with pytest.raises(CannotFetch, match="the server refuses the token") as refused:
        await fetch(f"{host.url}/team", into, token_env="HUB_TOKEN")
    assert "wr0ng" not in str(refused.value)
    with pytest.raises(CannotFetch, match="the server wants a login; give it by --token-env"):
        await fetch(f"{host.url}/team", into)
    monkeypatch.delenv("HUB_TOKEN")
    with pytest.raises(CannotFetch, match="the variable HUB_TOKEN holds no token"):
        await fetch(f"{host.url}/team", into, token_env="HUB_TOKEN")


@needs_git
async def test_a_token_does_not_follow_a_redirect_to_another_host(
    tmp_path: Path, into: Path, host: Host, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HUB_TOKEN", "s3cret-t0ken")
    with git_hosts.https(Host(tmp_path, moved_to=host.url), tmp_path / "tls2") as moved:
        both = Path(host.authority).read_text() + Path(moved.authority).read_text()
        (tmp_path / "both.pem").write_text(both)
        monkeypatch.setenv("GIT_SSL_CAINFO", str(tmp_path / "both.pem"))
        with pytest.raises(CannotFetch, match="the server redirects to another address"):
            await fetch(f"{moved.url}/team", into, token_env="HUB_TOKEN")
    assert host.logins == []


@needs_git
async def test_a_certificate_that_nobody_vouches_for_is_refused(
    into: Path, host: Host, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("GIT_SSL_CAINFO")
    with pytest.raises(CannotFetch, match="the certificate of the server is not trusted"):
        await fetch(f"{host.url}/team", into)


@needs_git
async def test_a_repository_that_is_not_there_is_named(into: Path, host: Host, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HUB_TOKEN", "s3cret-t0ken")
    with pytest.raises(CannotFetch, match="not found"):
        await fetch(f"{host.url}/nobody", into, token_env="HUB_TOKEN")


# Git over ssh


def ssh_key(folder: Path, name: str = "key") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    return folder / name


@needs_git
async def test_ssh_gets_the_key_and_asks_nobody(tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch):
    """A stand-in for ssh that takes only this key, and runs on this machine what git asks for."""
    git_hosts.repository(tmp_path / "team", CHARTS)
    (tmp_path / "a key").write_text("k")
    (tmp_path / "bin").mkdir()
    notes = tmp_path / "notes"
    (tmp_path / "bin/ssh").write_text(
        f"#!{sys.executable} -I\nimport os, sys\n"
        f"open({str(notes)!r}, 'a').write('\\n'.join(sys.argv[1:]) + '\\n')\n"
        f"sys.argv[1:3] == ['-i', {str(tmp_path / 'a key')!r}] or sys.exit('git@h: Permission denied (publickey).')\n"
        "os.execvp('sh', ['sh', '-c', sys.argv[-1]])\n"
    )
    (tmp_path / "bin/ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    await fetch(f"git@example.com:{tmp_path}/team", into, ssh_key=str(tmp_path / "a key"))
    assert written(into) == asked(CHARTS)
    words = notes.read_text().splitlines()
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "git@example.com"} <= set(words)
    (tmp_path / "other key").write_text("k")
    with pytest.raises(CannotFetch, match="the server refuses the ssh key"):
        await fetch(f"ssh://git@example.com{tmp_path}/team", into, ssh_key=str(tmp_path / "other key"))


@pytest.fixture
async def sshd(tmp_path: Path):
    """A real server on loopback that lets one key in."""
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("ssh") is None:
        pytest.skip("no sshd here (Debian: openssh-server)")
    folder = tmp_path / "sshd"
    folder.mkdir(mode=0o700)
    ssh_key(folder, "host")
    ssh_key(folder, "user")
    shutil.copy(folder / "user.pub", folder / "authorized")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/authorized\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin prohibit-password\n"
    )
    server = await asyncio.create_subprocess_exec(
        program, "-D", "-e", "-f", str(folder / "config"), stderr=asyncio.subprocess.PIPE
    )
    try:
        said = b""
        while b"Server listening" not in said:
            line = await server.stderr.readline()
            said += line
            if not line:
                pytest.skip(f"sshd does not start here: {said.decode()[-200:]}")
        host_key = (folder / "host.pub").read_text().split()
        (folder / "known").write_text(f"[127.0.0.1]:{port} {host_key[0]} {host_key[1]}\n")
        yield folder, port
    finally:
        if server.returncode is None:
            server.kill()
        await server.communicate()


@needs_git
async def test_a_repository_is_fetched_from_a_real_ssh_server_with_a_key(tmp_path: Path, into: Path, sshd):
    folder, port = sshd
    git_hosts.repository(tmp_path / "team", CHARTS)
    url = f"ssh://127.0.0.1:{port}{tmp_path}/team"
    key, known = str(folder / "user"), str(folder / "known")
    await fetch(url, into, ssh_key=key, known_hosts=known)
    assert written(into) == asked(CHARTS)
    with pytest.raises(CannotFetch, match="the server refuses the ssh key"):
        await fetch(url, into, ssh_key=str(ssh_key(folder, "stranger")), known_hosts=known)
    (folder / "empty").write_text("")
    with pytest.raises(CannotFetch, match="the key of the server is not known"):
        await fetch(url, into, ssh_key=key, known_hosts=str(folder / "empty"))


# Zips


def packed(file: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return file


async def test_a_zip_is_unpacked_with_or_without_a_folder_around_it(tmp_path: Path, into: Path):
    done = await fetch(packed(tmp_path / "a.zip", CHARTS | {"run.sh": "x"}), into)
    assert written(into) == asked(CHARTS)
    (tmp_path / "again").mkdir()
    assert not (await fetch(tmp_path / "a.zip", tmp_path / "again", unless=done.revision)).changed
    (tmp_path / "around").mkdir()
    await fetch(packed(tmp_path / "b.zip", {f"hub-main/{p}": c for p, c in CHARTS.items()}), tmp_path / "around")
    assert written(tmp_path / "around") == asked(CHARTS)


@pytest.mark.parametrize(
    "path",
    ["../evil.yaml", "charts/../../evil.yaml", "/charts/evil.yaml", "charts\\..\\..\\evil.yaml", "charts/a\0b.yaml"],
)
async def test_a_zip_with_a_path_out_of_it_is_refused_as_a_whole(tmp_path: Path, into: Path, path: str):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, content in CHARTS.items():
            archive.writestr(name, content)
        entry = zipfile.ZipInfo("x")
        entry.filename = path
        archive.writestr(entry, "a: 1\n")
    with pytest.raises(CannotFetch, match="unsafe path"):
        await fetch(tmp_path / "a.zip", into)
    assert written(into) == {}
    assert not (tmp_path / "evil.yaml").exists()


async def test_a_link_in_a_zip_is_left_out_and_named(tmp_path: Path, into: Path):
    link = zipfile.ZipInfo("charts/queues/a/link.yaml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(packed(tmp_path / "a.zip", CHARTS), "a") as archive:
        archive.writestr(link, "/etc/passwd")
    done = await fetch(tmp_path / "a.zip", into)
    assert [problem.file for problem in done.problems] == ["charts/queues/a/link.yaml"]
    assert written(into) == asked(CHARTS)


async def test_a_zip_bomb_is_refused_whether_it_admits_its_size_or_not(tmp_path: Path, into: Path):
    bomb = {f"charts/queues/a/{i}.yaml": "\n" * 900_000 for i in range(5)}
    file = packed(tmp_path / "a.zip", bomb)
    assert file.stat().st_size < SMALL.packed
    with pytest.raises(CannotFetch, match="it unfolds to more than 300,000 bytes"):
        await fetch(file, into, limits=SMALL)
    small = (900_000).to_bytes(4, "little")
    liar = file.read_bytes().replace(small, (9).to_bytes(4, "little"))
    (tmp_path / "liar.zip").write_bytes(liar)
    with pytest.raises(CannotFetch):
        await fetch(tmp_path / "liar.zip", into, limits=SMALL)
    assert sum(map(len, written(into).values())) <= SMALL.unpacked


async def test_a_file_that_is_too_large_is_left_out_and_named(tmp_path: Path, into: Path):
    file = packed(tmp_path / "a.zip", CHARTS | {"charts/queues/a/huge.yaml": "\n" * 2_000_000})
    done = await fetch(file, into)
    assert [str(problem) for problem in done.problems] == [
        "charts/queues/a/huge.yaml: has 2,000,000 bytes; 1,048,576 are allowed"
    ]


async def test_a_zip_with_too_many_files_is_refused_before_its_list_is_read(tmp_path: Path, into: Path):
    file = packed(tmp_path / "a.zip", {f"x/{i}": "" for i in range(101)})
    with pytest.raises(CannotFetch, match="more than 100 files"):
        await fetch(file, into, limits=SMALL)
    file = packed(tmp_path / "b.zip", {f"x/{i:0250}": "" for i in range(1000)})
    with pytest.raises(CannotFetch, match="more than 100 files"):
        await fetch(file, into, limits=Limits(files=100))


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all" * 10, b"PK\x05\x06" + b"\0" * 18, b"PK\x05\x06\0"])
async def test_what_is_no_zip_is_refused(tmp_path: Path, into: Path, content: bytes):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(CannotFetch, match=r"no zip, or a broken one|neither a folder charts/"):
        await fetch(tmp_path / "a.zip", into)


async def test_a_broken_zip_is_refused(tmp_path: Path, into: Path):
    content = bytearray(packed(tmp_path / "a.zip", CHARTS).read_bytes())
    content[60:90] = b"\xff" * 30
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(CannotFetch, match="no zip, or a broken one"):
        await fetch(tmp_path / "a.zip", into)


async def test_a_zip_is_downloaded_with_a_token_and_within_its_limit(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "root").mkdir()
    packed(tmp_path / "root/hub.zip", CHARTS)
    (tmp_path / "root/large.zip").write_bytes(b"\0" * 300_000)
    monkeypatch.setenv("HUB_TOKEN", "s3cret")
    with git_hosts.https(Host(tmp_path / "root", token="s3cret"), tmp_path / "tls") as host:
        monkeypatch.setenv("SSL_CERT_FILE", host.authority)
        await fetch(f"{host.url}/hub.zip", into, token_env="HUB_TOKEN")
        assert written(into) == asked(CHARTS)
        with pytest.raises(CannotFetch, match="the zip has more than 200,000 bytes"):
            await fetch(f"{host.url}/large.zip", into, limits=SMALL, token_env="HUB_TOKEN")
        monkeypatch.setenv("HUB_TOKEN", "wr0ng")
        with pytest.raises(CannotFetch, match="the server answers 401") as refused:
            await fetch(f"{host.url}/hub.zip", into, token_env="HUB_TOKEN")
        assert "wr0ng" not in str(refused.value)


async def test_a_token_for_a_zip_stays_with_its_host(tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "root").mkdir()
    packed(tmp_path / "root/hub.zip", CHARTS)
    monkeypatch.setenv("HUB_TOKEN", "s3cret")
    with (
        git_hosts.https(Host(tmp_path / "root"), tmp_path / "tls") as host,
        git_hosts.https(Host(tmp_path, moved_to=host.url), tmp_path / "tls2") as moved,
    ):
        both = Path(host.authority).read_text() + Path(moved.authority).read_text()
        (tmp_path / "both.pem").write_text(both)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))
        await fetch(f"{moved.url}/hub.zip", into, token_env="HUB_TOKEN")
    assert written(into) == asked(CHARTS)
    assert (moved.logins, host.logins) == (["Bearer s3cret"], [""])


async def test_a_host_that_does_not_answer_is_named(into: Path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(CannotFetch, match="no answer"):
            await fetch(f"http://127.0.0.1:{closed.getsockname()[1]}/a.zip", into)


# Folders, deadlines


async def test_a_plain_folder_is_copied_without_what_is_unsafe(tmp_path: Path, into: Path):
    folder = others.write(tmp_path / "mine", CHARTS)
    (folder / "charts/queues/a/link.yaml").symlink_to("/etc/passwd")
    done = await fetch(folder, into)
    assert [problem.file for problem in done.problems] == ["charts/queues/a/link.yaml"]
    assert written(into) == asked(CHARTS)


async def test_a_host_that_is_silent_is_given_up_at_the_deadline_and_leaves_no_process(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
):
    started = tmp_path / "started"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text(
        f"#!/bin/sh\nsleep 1000 &\necho $$ $! > {started}.new\nmv {started}.new {started}\nwait\n"
    )
    (tmp_path / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(CannotFetch, match=r"it was not fetched within 0\.5 s"):
        await fetch("https://example.com/x", into, limits=Limits(deadline_s=0.5))
    for pid in started.read_text().split():
        assert not _runs(int(pid))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_git_sees_nothing_of_the_environment_that_could_change_what_it_does():
    outer = {"PATH": "/bin", "GIT_DIR": "/x", "GIT_TRACE": "1", "LD_PRELOAD": "x", "https_proxy": "http://p"}
    env = git.environment(git.Remote(address="https://h/x", scheme="https", token="t"), outer)
    assert (env["PATH"], env["https_proxy"]) == ("/bin", "http://p")
    assert not {"GIT_DIR", "GIT_TRACE", "LD_PRELOAD"} & set(env)
    count = int(env["GIT_CONFIG_COUNT"])
    settings = {env[f"GIT_CONFIG_KEY_{i}"]: env[f"GIT_CONFIG_VALUE_{i}"] for i in range(count)}
    assert (
        settings["protocol.ext.allow"] == settings["protocol.file.allow"] == settings["protocol.ssh.allow"] == "never"
    )
    assert settings["protocol.https.allow"] == "always"
    assert settings["core.hooksPath"] == "/dev/null"
