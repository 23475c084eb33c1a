"""Hubs in Git: the real git fetches one commit into a bare folder, and its files are taken out object by object.

There is never a working tree. So nothing of the repository can run or reach out: no hook, no filter (LFS or other), no
submodule, no link that is followed. Secrets go through the environment of the one process that needs them; the
repository's own settings know neither address nor token, and the folder is gone afterwards.
"""

import base64
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from . import programs
from .unpacking import CannotFetch, Limits, Store

_REF = "refs/litmus/hub"
_LINK, _SUBMODULE = "120000", "160000"
_LFS = b"version https://git-lfs.github.com/spec/"
_PATH_BYTES = 400
_BATCH_BYTES = 8_000_000
_SHORT = 200_000  # bytes of an answer that has a few lines

# Everything else of the environment stays out; settings of git and ssh in the home folder count (proxies, CAs).
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_PASSED = (
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH"),
    *_PROXIES,
    *(name.upper() for name in _PROXIES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where to fetch from, and as whom. ``address`` is a URL, ``host:path`` of ssh, or a path of this machine."""

    address: str
    scheme: str  # https, http, ssh or file
    branch: str = ""
    token: str = ""
    ssh_key: str = ""
    known_hosts: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    object: str
    size: int
    path: str


async def fetch(remote: Remote, store: Store, *, scratch: Path, unless: str = "") -> str:
    """Writes the files of the newest commit and returns its id. Writes nothing when it is ``unless``.

    Raises CannotFetch.
    """
    if not shutil.which("git"):
        raise CannotFetch("there is no git here; install it (Debian: apt install git), or give the hub as a zip")
    run = _Runner(remote, scratch=scratch, limits=store.limits)
    wanted, revision = await _tip(run, remote)
    if revision == unless:
        return revision
    await run.git("init", "--quiet", "--bare", "--template=", str(run.repository))
    transfer = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-auto-gc", "--no-write-fetch-head")
    await run.inside("fetch", *transfer, "--", remote.address, f"+{wanted}:{_REF}", grown=True)
    revision = (await run.inside("rev-parse", f"{_REF}^{{commit}}")).decode().strip()
    listing = await run.inside(
        *("ls-tree", "-r", "-l", "-z", "--full-tree", f"{_REF}^{{tree}}"), most=store.limits.files * _PATH_BYTES
    )
    await _unpack(run, list(_entries(listing)), store)
    return revision


async def _tip(run: "_Runner", remote: Remote) -> tuple[str, str]:
    """The ref to fetch and the commit that it is at."""
    branch = remote.branch
    names = [f"refs/heads/{branch}", f"refs/tags/{branch}", f"refs/tags/{branch}^{{}}"] if branch else ["HEAD"]
    found = _refs(await run.git("ls-remote", "--quiet", "--", remote.address, *names))
    if not branch and "HEAD" in found:
        return "HEAD", found["HEAD"]
    for name in names:
        if name in found:
            return name, found.get(f"{name}^{{}}", found[name])
    heads = _refs(await run.git("ls-remote", "--quiet", "--heads", "--", remote.address))
    known = ", ".join(sorted(name.removeprefix("refs/heads/") for name in heads)[:10])
    if not known:
        raise CannotFetch("the repository has no commit yet")
    raise CannotFetch(f"it has no branch or tag {branch or 'HEAD'!r}; there is {known}")


def _refs(output: bytes) -> dict[str, str]:
    lines = (line.split("\t") for line in output.decode("utf-8", errors="replace").splitlines())
    return {line[1]: line[0] for line in lines if len(line) == 2}


def _entries(listing: bytes) -> Iterator[_Entry]:
    for line in listing.split(b"\0"):
        about, tab, path = line.partition(b"\t")
        if tab:
            mode, _, name, size = about.decode().split()
            yield _Entry(mode, name, int(size) if size.isdigit() else 0, path.decode("utf-8", errors="replace"))


async def _unpack(run: "_Runner", entries: list[_Entry], store: Store) -> None:
    store.counts(len(entries))
    wanted = []
    for entry in entries:
        needed = store.wants(entry.path)
        if entry.mode == _LINK and needed:
            store.refuse(entry.path, "unsafe path: a symbolic link; put the file itself here")
        elif entry.mode == _SUBMODULE and entry.path.partition("/")[0] in ("charts", "faults"):
            store.refuse(entry.path, "a submodule; it is not fetched, put the files themselves here")
        elif needed and entry.mode not in (_LINK, _SUBMODULE) and store.fits(entry.path, entry.size):
            wanted.append(entry)
    if sum(entry.size for entry in wanted) > store.limits.unpacked:
        raise CannotFetch(f"it unfolds to more than {store.limits.unpacked:,} bytes")
    for batch in _batches(wanted):
        asked = "".join(f"{entry.object}\n" for entry in batch).encode()
        most = sum(entry.size + 100 for entry in batch)
        answer = await run.inside("cat-file", "--batch", stdin=asked, most=most)
        for entry, content in zip(batch, _contents(answer), strict=True):
            if content.startswith(_LFS):
                store.refuse(entry.path, "is kept in Git LFS, which is not fetched; put the file itself here")
            else:
                store.write(entry.path, content)


def _batches(entries: list[_Entry]) -> Iterator[list[_Entry]]:
    batch: list[_Entry] = []
    size = 0
    for entry in entries:
        if batch and size + entry.size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch


def _contents(answer: bytes) -> Iterator[bytes]:
    """What ``cat-file --batch`` writes: a line with name, type and size, the content, a line feed."""
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        yield answer[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


class _Runner:
    """Calls git for one remote, and says in words of ours what it says in its own."""

    def __init__(self, remote: Remote, *, scratch: Path, limits: Limits) -> None:
        self.repository = scratch / "repository.git"
        self._remote = remote
        self._limits = limits
        self._env = environment(remote, os.environ)

    async def inside(self, *arguments: str, stdin: bytes = b"", most: int = _SHORT, grown: bool = False) -> bytes:
        where = f"--git-dir={self.repository}"
        return await self.git(where, *arguments, stdin=stdin, most=most, grown=grown)

    async def git(self, *arguments: str, stdin: bytes = b"", most: int = _SHORT, grown: bool = False) -> bytes:
        done = await programs.run(
            ("git", *arguments),
            env=self._env,
            stdin=stdin,
            most=most,
            growing=self.repository if grown else None,
            grown=self._limits.packed,
        )
        if done.status:
            raise CannotFetch(explained(done.words, self._remote))
        return done.output


def environment(remote: Remote, outer: Mapping[str, str]) -> dict[str, str]:
    """What git gets to see. Settings stand above all files of settings; secrets are here and nowhere else."""
    settings = [
        ("core.hooksPath", os.devnull),
        ("core.symlinks", "false"),
        ("core.fsmonitor", "false"),
        ("core.askPass", ""),
        ("submodule.recurse", "false"),
        ("fetch.recurseSubmodules", "false"),
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
        ("protocol.allow", "never"),
        ("protocol.ext.allow", "never"),
        ("http.lowSpeedLimit", "1"),
        ("http.lowSpeedTime", "30"),
        *((f"protocol.{scheme}.allow", _allowed(scheme, remote)) for scheme in ("https", "http", "ssh", "file", "git")),
    ]
    if remote.token:
        # A redirect would carry the token to another host, and a helper would offer other passwords, or store this one.
        settings += [("http.followRedirects", "false"), ("credential.helper", "")]
        settings.append(("http.extraHeader", f"Authorization: Basic {_basic(remote)}"))
    env = {name: outer[name] for name in _PASSED if name in outer}
    env |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS_REQUIRE": "never"}
    env |= {"GIT_LFS_SKIP_SMUDGE": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_SSH_COMMAND": _ssh(remote)}
    env["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (name, value) in enumerate(settings):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def _allowed(scheme: str, remote: Remote) -> str:
    return "always" if scheme == remote.scheme else "never"


def _basic(remote: Remote) -> str:
    """Any name does for GitHub and GitLab; a host that wants a certain one has it in the address."""
    user = urlsplit(remote.address).username or "x-access-token"
    return base64.b64encode(f"{user}:{remote.token}".encode()).decode()


def _ssh(remote: Remote) -> str:
    options = ["BatchMode=yes", "StrictHostKeyChecking=yes", "PermitLocalCommand=no", "ClearAllForwardings=yes"]
    words = ["ssh"]
    if remote.ssh_key:
        words += ["-i", remote.ssh_key]
        options += ["IdentitiesOnly=yes", "IdentityAgent=none"]
    if remote.known_hosts:
        options.append(f'UserKnownHostsFile="{remote.known_hosts}"')
    return shlex.join([*words, *(part for option in options for part in ("-o", option))])


_SAYINGS = {
    r"Host key verification failed|No \w+ host key is known": (
        "the key of the server is not known; check it and add it to ~/.ssh/known_hosts (ssh-keyscan HOST), "
        "or name a file with it: --known-hosts FILE"
    ),
    r"Permission denied \(|Load key|UNPROTECTED PRIVATE KEY": (
        "the server refuses the ssh key, or it can't be used; name another: --ssh-key FILE (readable by you only)"
    ),
    r"unable to update url base from redirection|returned error: 30\d": (
        "the server redirects to another address; give that one, since a token is not sent on"
    ),
    r"Could not resolve host": "its host is not known; look at the address",
    r"unable to access .*certificate": (
        "the certificate of the server is not trusted; give its authority in $GIT_SSL_CAINFO"
    ),
}
_LOGIN = re.compile(r"Authentication failed|could not read (Username|Password)|returned error: 40[13]")


def explained(words: str, remote: Remote) -> str:
    """A sentence for what git said, without secrets."""
    for secret in filter(None, (remote.token, remote.token and _basic(remote))):
        words = words.replace(secret, "…")
    if _LOGIN.search(words):
        return (
            "the server refuses the token" if remote.token else "the server wants a login; give it by --token-env NAME"
        )
    for pattern, sentence in _SAYINGS.items():
        if re.search(pattern, words):
            return sentence
    lines = [line.removeprefix("fatal: ").strip() for line in words.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("warning:", "hint:", "Warning:"))]
    return f"git: {' '.join(said[:3])[:300]}" if said else "git failed without a word"
