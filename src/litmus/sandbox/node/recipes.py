"""From a container of a manifest to what is really run: command line, environment, folders, and how it sees them."""

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from litmus.sandbox.images import image as images
from litmus.sandbox.machinery import objects, ports
from litmus.sandbox.machinery.objects import Obj

from . import archives, environment, process_one, processes, spawning, volumes
from .container import Recipe
from .pulling import Pulled
from .view import SHIM, Mount, View, untouched

MESSAGE_PATH = "/dev/termination-log"
_COMMAND = ("command", "args")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a pod lives on this node. ``sandbox`` and ``node`` are the marks that its processes carry."""

    folder: Path
    sandbox: str
    node: str
    proc: str = ""

    def attempt(self, container: str, number: int) -> Path:
        """The folder of one run of a container."""
        return self.folder / "containers" / container / str(number)

    def log(self, container: str, number: int) -> Path:
        return self.folder / "logs" / container / f"{number}.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A recipe and what later commands in the container need."""

    recipe: Recipe
    view: View
    image: images.Image
    message: Path
    skipped: list[tuple[str, str, list[str]]]

    def command(self, argv: list[str], env: Mapping[str, str], *, terminal: bool = False) -> spawning.Command:
        """A command in the container (exec, a probe, a hook)."""
        words = archives.named_back(self.view.command(argv), argv, self.view.mounts)
        if not self.view.proc and env.get(process_one.MAIN):
            words = process_one.meant(words, env[process_one.MAIN])
        words = self.image.direct(words)
        return spawning.Command(argv=words, env=env, cwd=self.recipe.cwd, terminal=terminal)


def prepare(
    spec: Obj, pulled: Pulled, context: environment.Context, place: Place, *, places: Mapping[str, Path], attempt: int
) -> Prepared:
    """Makes the folders and works out the rest.

    Raises environment.Missing, volumes.NotMounted, spawning.NotStarted (a working directory that can't be) and OSError.
    """
    pod, image = context.pod, pulled.image
    found = environment.of(spec, context)
    folder = place.attempt(spec["name"], attempt)
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / "root"
    for inner in ("tmp", "root", "dev"):
        (root / inner).mkdir(parents=True)
    host_network = bool((pod.get("spec") or {}).get("hostNetwork"))
    hostname = host_name(pod)
    message = root / "dev" / "termination-log"
    message.touch()
    mounts = volumes.mounts(spec, places, root=root, known=found.values)
    volumes.link(root, mounts)
    extra = [
        Mount("/tmp", str(root / "tmp")),
        Mount(spec.get("terminationMessagePath") or MESSAGE_PATH, str(message)),
        *([] if host_network else [Mount(f"/etc/{name}", str(place.folder / name)) for name in ("hosts", "hostname")]),
    ]
    paths = {mount.path for mount in mounts}
    cwd, made = _working_dir(spec.get("workingDir") or image.working_dir, root, (*mounts, *extra))
    everything = (*mounts, *(mount for mount in (*extra, *made, *_parents(mounts, root)) if mount.path not in paths))
    view = View(
        mounts=(*everything, *untouched(everything, _of_machine(pulled, place))),
        ip="" if host_network else context.ip,
        hostname=hostname,
        proc=place.proc if (pod.get("spec") or {}).get("hostPID") else "",
    )
    env = _variables(found.values, pulled, view, root)
    words = [
        environment.expanded(word, env)
        for word in image.command_line(spec.get("command") or (), spec.get("args") or ())
    ]
    words = view.command(words)
    if not view.proc:
        words = process_one.meant(words, process_one.ITSELF)
    argv = images.filled(image.direct(words), ip=context.ip, port=ports.reachable)
    if not argv:
        raise environment.Missing("no command specified")
    recipe = Recipe(
        name=spec["name"],
        argv=argv,
        env=env | {processes.SANDBOX: place.sandbox},
        cwd=cwd,
        log=place.log(spec["name"], attempt),
        mark=place.node,
        stop_signal=_stop_signal(spec, image),
        stdin=bool(spec.get("stdin")),
        stdin_once=bool(spec.get("stdinOnce")),
        terminal=bool(spec.get("tty")),
    )
    return Prepared(recipe=recipe, view=view, image=image, message=message, skipped=found.skipped)


def host_name(pod: Obj) -> str:
    """``spec.hostname``, else the pod's name; the machine's for a pod in the host's network."""
    spec = pod.get("spec") or {}
    if spec.get("hostNetwork"):
        return os.uname().nodename
    return str(spec.get("hostname") or objects.name(pod)[:63])


def write_hosts(pod: Obj, place: Place, *, ip: str) -> None:
    """The pod's /etc/hosts and /etc/hostname ("Adding entries to Pod /etc/hosts with HostAliases")."""
    spec = pod.get("spec") or {}
    name = host_name(pod)
    full = (
        f"{name}.{spec['subdomain']}.{objects.namespace(pod)}.svc.cluster.local\t{name}"
        if spec.get("subdomain")
        else name
    )
    lines = ["# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"]
    lines.append(f"{ip}\t{full}")
    if spec.get("hostAliases"):
        lines += ["", "# Entries added by HostAliases."]
        lines += ["\t".join([alias["ip"], *(alias.get("hostnames") or [])]) for alias in spec["hostAliases"]]
    place.folder.mkdir(parents=True, exist_ok=True)
    (place.folder / "hosts").write_text("\n".join(lines) + "\n")
    (place.folder / "hostname").write_text(f"{name}\n")


def _variables(given: Mapping[str, str], pulled: Pulled, view: View, root: Path) -> dict[str, str]:
    """What the image gives, what the manifest gives, and what makes mounts and address visible."""
    base = {
        "PATH": environment.PATH,
        "HOSTNAME": view.hostname,
        "HOME": str(root / "root"),
        "TMPDIR": str(root / "tmp"),
        **pulled.image.env,
    }
    env = base | {name: view.said(value) for name, value in given.items()}
    env["PATH"] = os.pathsep.join([*pulled.folders, env["PATH"]])
    env |= view.variables(env.get("PYTHONPATH", ""))
    return {name: value.replace("\0", "") for name, value in env.items()}


def _parents(mounts: tuple[Mount, ...], root: Path) -> list[Mount]:
    """The folders above mounts that this machine does not have: in an image they would be there."""
    found = {}
    for mount in mounts:
        missing = [parent for parent in Path(mount.path).parents if not parent.exists()]
        if missing:
            found[str(missing[-1])] = Mount(str(missing[-1]), f"{root}{missing[-1]}")
    return list(found.values())


def _of_machine(pulled: Pulled, place: Place) -> list[str]:
    """Paths that mean this machine's files, whatever is mounted above them."""
    image = pulled.image
    programs = [word for command in image.programs.values() for word in command]
    return [
        *(place.sandbox, str(SHIM), sys.prefix, sys.base_prefix),
        *(*image.entrypoint, *image.cmd, *image.env.values(), image.working_dir, *programs, *pulled.folders),
    ]


def _working_dir(wanted: str, root: Path, mounts: tuple[Mount, ...]) -> tuple[str, list[Mount]]:
    """The real folder to start in, and a mount for one that the image would have had but this machine has not.

    ``/`` and what is not said mean the container's own folder: a program that writes there must not hit the machine.
    """
    path = wanted.rstrip("/")
    if not path:
        return str(root), []
    place = View(mounts=mounts).real(path)
    if place != path or Path(path).is_dir():
        return place, []
    if Path(path).exists():
        raise spawning.NotStarted(
            f"unable to start container process: error during container init: mkdir {path}: not a directory"
        )
    made = root / path.lstrip("/")
    made.mkdir(parents=True, exist_ok=True)
    return str(made), [Mount(path, str(made))]


def _stop_signal(spec: Obj, image: images.Image) -> int:
    """``lifecycle.stopSignal``, else the image's, else SIGTERM."""
    name = str((spec.get("lifecycle") or {}).get("stopSignal") or image.stop_signal or "SIGTERM")
    return signal.Signals[name] if name in signal.Signals.__members__ else signal.SIGTERM


def remove(folder: Path) -> None:
    """A folder and everything in it; what can't be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)
