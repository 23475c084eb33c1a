"""Where a sandbox keeps its files: one folder below a folder of the user's, which nobody else may read.

Sockets lie in it, and a socket's path may have 107 bytes (unix(7)), so the place is short: $LITMUS_SANDBOX_HOME, else
the user's run-time folder, else one in ``/tmp``; it is made by the first start and goes with the last sandbox.
"""

import contextlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .errors import SandboxError
from .identity import Process

DEFAULT_NAME = "sandbox"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_LONGEST_SOCKET = 107
_ANOTHER = "name another folder in LITMUS_SANDBOX_HOME"


class Settings(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a sandbox was started with, and what it found out at its start. Ports and networks are 0 until then."""

    name: str = DEFAULT_NAME
    nodes: int = 3
    port: int = 0
    persist: bool = False
    network: int = 0  # the sandbox owns 127.<network>.0.0/16
    control: Process = Process()
    janitor: Process = Process()
    started: float = 0.0  # seconds since the epoch
    ready: bool = False

    @property
    def node_names(self) -> list[str]:
        return [f"node{number}" for number in range(1, self.nodes + 1)]


@dataclass(frozen=True, slots=True)
class Folder:
    """The paths of one sandbox."""

    path: Path

    @property
    def option(self) -> str:
        """What a command line needs to mean this sandbox, with a blank before it; nothing for the default one."""
        return "" if self.path.name == DEFAULT_NAME else f" --name {self.path.name}"

    @property
    def settings_file(self) -> Path:
        return self.path / "settings.json"

    @property
    def kubeconfig(self) -> Path:
        return self.path / "kubeconfig"

    @property
    def images(self) -> Path:
        return self.path / "images.json"

    @property
    def pki(self) -> Path:
        return self.path / "pki"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def database(self) -> Path:
        return self.path / "objects.sqlite"

    def node(self, name: str) -> Path:
        return self.path / "nodes" / name

    def kubelet_socket(self, node: str) -> Path:
        """The socket of a node's kubelet server."""
        return self.node(node) / "kubelet.sock"

    def load(self) -> Settings | None:
        """The settings, None when there is no sandbox here. Raises SandboxError for a file that is none."""
        try:
            return msgspec.json.decode(self.settings_file.read_bytes(), type=Settings)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, OSError) as error:
            raise SandboxError(
                f"{self.settings_file} can't be read ({error}); "
                f"remove the sandbox with: litmus sandbox down{self.option}"
            ) from error

    def make(self) -> None:
        """Makes the folder, which only its owner may read. Raises OSError."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)

    def save(self, settings: Settings) -> None:
        """Writes the settings in one step, so that no reader sees half of them."""
        partial = self.settings_file.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(settings))
        partial.replace(self.settings_file)

    def clear(self, *, keep_objects: bool) -> None:
        """Removes the files; ``keep_objects`` spares what the next start with --persist goes on from."""
        if keep_objects:
            for entry in self.path.iterdir():
                if not self._kept(entry.name):
                    _remove(entry)
            return
        _remove(self.path)
        if self.path.parent == default_home():
            with contextlib.suppress(OSError):
                self.path.parent.rmdir()  # the last one takes the place of all sandboxes with it

    def _kept(self, name: str) -> bool:
        kept = (self.pki.name, self.images.name, self.settings_file.name, self.kubeconfig.name)
        return name in kept or name.startswith(self.database.name)  # SQLite has files of its own beside it


def default_home(env: Mapping[str, str] = os.environ) -> Path:
    """Where sandboxes are when LITMUS_SANDBOX_HOME does not say."""
    runtime = env.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK | os.X_OK):
        return Path(runtime) / "litmus-sandbox"
    return Path(tempfile.gettempdir()) / f"litmus-sandbox-{os.getuid()}"


def home(env: Mapping[str, str] = os.environ) -> Path:
    """The folder of all sandboxes of this user, which need not exist. Raises SandboxError when it is of no use."""
    named = env.get("LITMUS_SANDBOX_HOME")
    path = Path(os.path.abspath(os.path.expanduser(named))) if named else default_home(env)  # noqa: PTH100, PTH111
    try:
        found = path.lstat()
    except FileNotFoundError:
        return path
    except OSError as error:
        raise SandboxError(f"{path} can't be used ({error.strerror}); {_ANOTHER}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise SandboxError(f"{path} is no folder; {_ANOTHER}")
    if found.st_uid != os.getuid():
        raise SandboxError(f"{path} belongs to somebody else; {_ANOTHER}")
    return path


def named(name: str, env: Mapping[str, str] = os.environ) -> Folder:
    """The folder of the sandbox of that name. Raises SandboxError for a name that can't be one."""
    if not _NAME.fullmatch(name):
        raise SandboxError(
            f"--name {name!r} is no name for a sandbox: use up to 32 lower-case letters, digits and dashes"
        )
    found = Folder(home(env) / name)
    longest = len(os.fsencode(found.kubelet_socket("node99")))
    if longest > _LONGEST_SOCKET:
        raise SandboxError(
            f"the path {found.path} is {longest - _LONGEST_SOCKET} characters too long for sockets; "
            "name a shorter folder in LITMUS_SANDBOX_HOME"
        )
    return found


def existing(env: Mapping[str, str] = os.environ) -> list[Folder]:
    """The folders of all sandboxes of this user."""
    return [Folder(path.parent) for path in sorted(home(env).glob("*/settings.json"))]


def _remove(path: Path) -> None:
    """Removes a file or a folder, also one whose owner took its own rights away, as a container may have done."""
    if path.is_dir() and not path.is_symlink():
        _open_up(path)
        for folder, names, _ in os.walk(path):  # from the top, so that each is open before it is looked into
            for name in names:
                _open_up(Path(folder, name))
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _open_up(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if not folder.is_symlink():
            folder.chmod(0o700)
