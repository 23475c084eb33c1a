"""The terminal of the live view: its own screen, single keys, and everything as it was when it ends - by a key, by a
signal or by a defect.

A frame replaces the one before it character by character, without clearing in between, so that nothing flickers.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from datetime import datetime

from rich.console import Console, Group
from rich.live import Live

from . import drawing, rows
from .watching import Watching, either

_TICK_S = 1.0  # the clock and the remaining times
_FRAME_S = 0.1  # news that come faster than this are drawn together
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def usable() -> bool:
    """Whether standard output is a terminal that can be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM", "").lower() not in ("", "dumb", "unknown")


def console() -> Console:
    """Standard output for rich; names and messages are shown as they are."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


@contextlib.contextmanager
def ending(stop: asyncio.Event) -> Iterator[None]:
    """Within the block, Ctrl-C and the signals that end a process set ``stop`` instead."""
    loop = asyncio.get_running_loop()
    for number in _ENDING:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in _ENDING:
            loop.remove_signal_handler(number)


async def show(watching: Watching, stop: asyncio.Event) -> None:
    """Draws what is watched until ``stop`` is set or q is pressed."""
    on = console()
    live = Live(console=on, screen=True, auto_refresh=False, vertical_overflow="crop", redirect_stdout=False)
    with _quiet(), _resized(watching.changed.set), _keys({"q": stop.set, "Q": stop.set}), live:
        while not stop.is_set():
            watching.changed.clear()
            width, height = on.size
            view = rows.view(watching.seen(), datetime.now().astimezone())
            live.update(Group(*drawing.draw(view, width=width, height=height)), refresh=True)
            await either(stop, watching.changed, timeout_s=_TICK_S)
            await either(stop, timeout_s=_FRAME_S)


@contextlib.contextmanager
def _keys(meaning: dict[str, Callable[[], None]]) -> Iterator[None]:
    """Keys take effect at once and are not echoed. Ctrl-Z is off: it would leave the shell on our screen."""
    if not sys.stdin.isatty():
        yield
        return
    fd, loop = sys.stdin.fileno(), asyncio.get_running_loop()

    def read() -> None:
        try:
            pressed = os.read(fd, 64).decode("ascii", "ignore")
        except OSError:
            pressed = ""
        if not pressed:
            loop.remove_reader(fd)  # the terminal is gone; a signal says so, too
        for key in pressed:
            meaning.get(key, lambda: None)()

    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd, termios.TCSANOW)
        changed = termios.tcgetattr(fd)
        changed[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(fd, termios.TCSANOW, changed)
        loop.add_reader(fd, read)
        yield
    finally:
        loop.remove_reader(fd)
        with contextlib.suppress(termios.error):  # a terminal that was closed has nothing to restore
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _resized(redraw: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, redraw)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Log lines of libraries would be written across the screen."""
    nowhere = logging.NullHandler()
    logging.getLogger().addHandler(nowhere)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(nowhere)
