"""``litmus sandbox``: a cluster on this machine that may be broken."""

import asyncio
import logging
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from litmus.sandbox import lifecycle
from litmus.sandbox.images import reference
from litmus.sandbox.images.image import Image
from litmus.sandbox.images.table import Malformed, Table
from litmus.sandbox.lifecycle import extra, launch
from litmus.sandbox.lifecycle import folder as folders

from . import failures

Name = Annotated[str, Parameter(help="Which sandbox, when there are several.")]
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def up(
    *,
    nodes: Annotated[
        int, Parameter(help="How many nodes, each a process.", validator=validators.Number(gte=1, lte=20))
    ] = 3,
    name: Name = folders.DEFAULT_NAME,
    port: Annotated[
        int,
        Parameter(help="Port of the API server; 0 takes a free one.", validator=validators.Number(gte=0, lte=65535)),
    ] = 0,
    persist: Annotated[bool, Parameter(help="Keep the objects for the next up.", negative="")] = False,
    foreground: Annotated[
        bool, Parameter(help="Stay until Ctrl-C instead of going on in the background.", negative="")
    ] = False,
) -> int:
    """Start a cluster on this machine, without root, Docker or a download; prints how to use it."""
    with _said():
        folder = folders.named(name)
        settings = folders.Settings(name=name, nodes=nodes, port=port, persist=persist)
        if foreground:
            asyncio.run(_foreground(folder, settings))
            return 0
        start(folder, settings)
    _tell(folder)
    return 0


def start(folder: folders.Folder, settings: folders.Settings) -> None:
    """Starts a sandbox in the background that has our own image. Raises SandboxError."""
    launch.up(folder, settings, images=own_images())


def own_images() -> dict[str, Image]:
    """Our own image, as the sandbox runs it: the ``litmus`` command of this Python."""
    from litmus.hub import charts  # with it come the experiments, which ``down`` and ``status`` need not wait for

    name = charts.DEFAULT_IMAGE.rpartition(":")[0]
    command = Path(sys.executable).with_name("litmus")
    about = "this installation of litmus"
    return {name: Image(entrypoint=(str(command),), folders=(str(command.parent),), about=about)}


async def _foreground(folder: folders.Folder, settings: folders.Settings) -> None:
    extra.expect()
    from litmus.sandbox.control import process

    await process.run(
        folder,
        settings,
        images=own_images(),
        on_ready=lambda: _tell(folder, again=False),
        log_to=lambda file: logging.basicConfig(filename=file, level=logging.INFO, format=_LOG_FORMAT),
    )


def _tell(folder: folders.Folder, *, again: bool = True) -> None:
    print(f"export KUBECONFIG={shlex.quote(str(folder.kubeconfig))}", flush=True)
    notes = lifecycle.notes()
    end = f"End it with: litmus sandbox down{folder.option}" if again else "Ctrl-C ends it."
    print("\n".join([f"# {note}" for note in [*notes, end]]), file=sys.stderr, flush=True)


def down(*, name: Name = folders.DEFAULT_NAME) -> int:
    """End a sandbox and remove what it made."""
    with _said():
        folder = folders.named(name)
        ended = launch.down(folder)
    if ended is launch.Ended.NOTHING:
        print(f"There is no sandbox {name!r}.")
    elif ended is launch.Ended.KEPT:
        print(
            f"The sandbox {name!r} is down and its objects are kept. Go on from them with: litmus sandbox up "
            f"--persist{folder.option}. Remove them with the same command again: litmus sandbox down{folder.option}"
        )
    else:
        print(f"The sandbox {name!r} is gone.")
    return 0


async def status(
    *, name: Annotated[str, Parameter(help="Which sandbox; else all of them.", show_default=False)] = ""
) -> int:
    """Show the sandboxes of this user: nodes, pods and memory. Exit status 1 when the one asked for is not running."""
    with _said():
        found = [folders.named(name)] if name else folders.existing()
    states = [await _describe(folder) for folder in found]
    if states in ([], [None]):
        print(f"There is no sandbox{f' {name!r}' if name else ''}. Start one with: litmus sandbox up{_option(name)}")
    return 0 if not name or states == [True] else 1


async def _describe(folder: folders.Folder) -> bool | None:
    """Prints what is known of a sandbox; whether it runs and answers, None when there is none."""
    name, clear = folder.path.name, f"Clear it with: litmus sandbox down{folder.option}"
    try:
        state = launch.look(folder)
    except lifecycle.SandboxError as error:
        print(f"{name}: {error}")
        return False
    settings = state.settings
    if settings is None:
        return None
    if not state.running:
        kept = settings.persist and not settings.control.pid
        print(f"{name}: not running; it {'is kept for the next up --persist' if kept else 'did not end well'}. {clear}")
        return False
    if not settings.ready:
        print(f"{name}: starting for {_age(time.time() - settings.started)}")
        return False
    from litmus.sandbox.lifecycle import overview

    print(f"{name}: running for {_age(time.time() - settings.started)} at https://127.0.0.1:{settings.port}")
    print(f"  export KUBECONFIG={shlex.quote(str(folder.kubeconfig))}")
    try:
        seen = await overview.overview(folder, own=(settings.control.pid, settings.janitor.pid))
    except lifecycle.SandboxError as error:
        print(f"  {error}. {clear}")
        return False
    print(f"  nodes   {', '.join(f'{node} {word}' for node, word in seen.nodes.items())}")
    print(f"  pods    {', '.join(f'{count} {phase}' for phase, count in sorted(seen.pods.items())) or 'none'}")
    print(f"  memory  {seen.memory_mb:.0f} MB in {seen.processes} processes")
    return True


def node_start(*, name: Name = folders.DEFAULT_NAME) -> int:
    """Start the nodes that are down again. (To bring one down, end its process: its pods are evicted.)"""
    with _said():
        folder = _there(name)
        state = launch.look(folder)
    if not state.running or state.settings is None:
        raise failures.Failed(f"the sandbox {name!r} is not running; start it with: litmus sandbox up{folder.option}")
    launch.start_nodes(state.settings)
    print("The nodes that were down are starting: kubectl get nodes --watch")
    return 0


def logs(
    part: Annotated[str, Parameter(help="control, network, or a node.")] = "control",
    *,
    name: Name = folders.DEFAULT_NAME,
) -> int:
    """Print what the sandbox's own processes say. (A pod's logs: kubectl logs.)"""
    folder = _there(name)
    known = {path.stem: path for path in sorted(folder.logs.glob("*.log"))}
    if part not in known:
        there = f"there are {', '.join(known)}" if known else f"the sandbox {name!r} does not run"
        raise failures.Misused(f"no log {part!r}: {there}")
    with known[part].open(errors="replace") as lines:
        for line in lines:
            sys.stdout.write(line)
    return 0


def image_list(*, name: Name = folders.DEFAULT_NAME) -> int:
    """List the images that pods can name, and the command that each stands for."""
    table = _table(name)
    for known, image, own in table:
        means = image.about or shlex.join([*image.entrypoint, *image.cmd]) or "the commands of this machine"
        print(f"{known:24} {'added' if own else 'built in':10} {means}")
    return 0


def image_add(
    image: Annotated[str, Parameter(help="Name of the image, with or without a tag.")],
    *command: Annotated[
        str, Parameter(help="The command, after --; {ip} and {port:80} are the pod's.", allow_leading_hyphen=True)
    ],
    name: Name = folders.DEFAULT_NAME,
) -> int:
    """Let an image stand for a command of this machine: litmus sandbox image add redis -- redis-server --bind {ip}."""
    if not command:
        raise failures.Misused(
            f"image add {image}: name the command after --, for instance: -- redis-server --bind {{ip}}"
        )
    table = _table(name)
    try:
        table.add(image, command)
    except reference.Invalid as error:
        raise failures.Misused(f"image add {image}: {error}") from error
    table.save()
    print(f"{image} is now: {shlex.join(command)}")
    return 0


def _table(name: str) -> Table:
    folder = _there(name)
    try:
        return Table.load(folder.images)
    except (OSError, Malformed) as error:
        raise failures.Failed(f"{error}; remove the file to begin anew") from error


def _there(name: str) -> folders.Folder:
    with _said():
        folder = folders.named(name)
        if folder.load() is None:
            raise failures.Failed(f"there is no sandbox {name!r}; start it with: litmus sandbox up{folder.option}")
    return folder


def _option(name: str) -> str:
    return f" --name {name}" if name not in ("", folders.DEFAULT_NAME) else ""


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except lifecycle.SandboxError as error:
        raise failures.Failed(str(error)) from error
