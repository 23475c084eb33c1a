"""The conversation: shows a task, takes a line, runs it, checks the outcome, explains it, and goes on.

It works on what it is handed (a page, a reader of lines, a shell, a cluster), so that a terminal, a pipe and
``--auto`` are the same course. A line of the learner's own counts as the task when the check holds
after it and did not before, or when it is the same kind of command: who looks around must not be carried on by it.
"""

import enum
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import checks, course, progress, shell
from .checks import Facts, Scene, Seen
from .cluster import Cluster, Unreachable
from .course import Task
from .page import Page
from .texts import TaskText, Texts

ASKED = "asked.json"
_LOOK_AGAIN_S = 0.5  # kubectl has no wait for everything that the checks ask


class Ending(enum.Enum):
    """How a session ended."""

    FINISHED = enum.auto()
    LEFT = enum.auto()
    FAILED = enum.auto()  # a check did not hold, and nobody was there to try again
    LOST = enum.auto()  # the sandbox is gone


class Left(Exception):
    """The learner leaves."""


class Lost(Exception):
    """The sandbox is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a session works with. ``read`` gives the next line and raises EOFError at the end; None: nobody is asked."""

    page: Page
    texts: Texts
    shell: shell.Shell
    cluster: Cluster
    remembered_in: Path
    alive: Callable[[], bool]
    read: Callable[[], str] | None = None
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


class Session:
    """One sitting, from where ``state`` says."""

    def __init__(self, around: Surroundings, state: progress.Progress) -> None:
        self._around = around
        self._page = around.page
        self._texts = around.texts
        self._words = around.texts.phrases
        self._facts: dict[str, str] = dict(state.facts)
        self._step = course.find(state.step) or 0
        self._task = min(state.task, len(course.STEPS[self._step].tasks) - 1)
        self._shown = -1  # the step whose heading is on the page

    def play(self) -> Ending:
        """Until the end of the course, or until the learner leaves."""
        try:
            while self._step < len(course.STEPS):
                self._remember()
                if not self._one():
                    return Ending.FAILED
        except Left:
            self._page.blank()
            self._page.remark(self._words.left, style="")
            return Ending.LEFT
        except Lost:
            self._page.prose(self._words.lost)
            return Ending.LOST
        self._step, self._task = 0, 0
        self._remember()
        return Ending.FINISHED

    def prepare(self, step: int) -> bool:
        """Goes to a step, doing first what earlier ones would have left; False when that can't be done."""
        for earlier in course.STEPS[:step]:
            if not all(self._provide(task) for task in earlier.tasks if task.lasting):
                return False
        self._go(step)
        return True

    def explain_keys(self) -> None:
        """What the learner may type, and where things lie."""
        lies = self._around.shell
        places = {"folder": lies.folder, "kubeconfig": lies.env.get("KUBECONFIG", "")}
        self._page.prose(self._words.keys.format_map(places))

    def _one(self) -> bool:
        """A task, up to the learner's next decision; False when nobody is there to make it and the check fails."""
        step, task = course.STEPS[self._step], self._current()
        words = self._texts.steps[step.id]
        if self._shown != self._step:
            self._page.heading(f"{self._step + 1}/{len(course.STEPS)}  {words.title}")
            self._page.prose(words.why)
            self._shown = self._step
        self._facts.update(self._asked_of_cluster(task))
        self._page.prose(self._filled(words.tasks[task.id].next))
        return self._rehearse(task) if self._around.read is None else self._converse(task)

    def _rehearse(self, task: Task) -> bool:
        self._page.command(task.line(self._facts))
        seen = self._run(task)
        self._explain(task, seen)
        if seen.ok:
            self._advance()
        return seen.ok

    def _converse(self, task: Task) -> bool:
        """Reads lines until one leads to another task."""
        while True:
            self._page.command(task.line(self._facts))
            self._page.remark(self._words.prompt)
            try:
                if self._answered(task, self._line()):
                    return True
            except KeyboardInterrupt:
                self._page.blank()  # as in a shell: what was typed, or a question to the cluster, is dropped

    def _answered(self, task: Task, line: str) -> bool:
        """Does what a line says; whether it leads to another task."""
        word = line.lower()
        if word in ("quit", "exit", "q"):
            raise Left
        if word in ("?", "help"):
            self.explain_keys()
            return False
        if word in ("skip", "back", "again"):
            self._move(word)
            return True
        done = self._done(task, line)
        if done:
            self._advance()
        return done

    def _line(self) -> str:
        try:
            return (self._around.read or str)().strip()
        except EOFError:
            raise Left from None

    def _done(self, task: Task, line: str) -> bool:
        """Runs the line; whether the task is done by it."""
        suggested = task.line(self._facts)
        if not line or line.split() == suggested.split():
            seen = self._run(task)
            self._explain(task, seen)
            return seen.ok
        held = self._look(task).ok
        status = self._around.shell.run(line)
        self._tell_status(status)
        seen = self._look(task, status)
        if not seen.ok or (held and (status or line.split()[:2] != suggested.split()[:2])):
            return False
        self._explain(task, seen)
        return True

    def _run(self, task: Task) -> Seen:
        """The task's own command, and its check; a command that failed is not waited for."""
        (self._around.shell.folder / ASKED).unlink(missing_ok=True)
        status = self._around.shell.run(task.line(self._facts))
        self._tell_status(status, expected=task.fails)
        if not status or task.fails:
            return self._await(task, status, deadline_s=task.deadline_s)
        seen = self._look(task, status)
        return Seen("command") if seen.ok else seen

    def _await(self, task: Task, status: int | None, *, deadline_s: float) -> Seen:
        """What the check says when it holds, or at the deadline. Ctrl-C ends the wait."""
        give_up = self._around.clock() + deadline_s
        seen = self._look(task, status)
        if not _may_come(seen):
            return seen
        try:
            with self._page.waiting() as tell:
                while _may_come(seen) and self._around.clock() < give_up:
                    tell(f"{self._words.checking}\n{self._missing(seen)}")
                    self._around.pause(_LOOK_AGAIN_S)
                    seen = self._look(task, status)
        except KeyboardInterrupt:
            self._page.blank()
        return seen

    def _look(self, task: Task, status: int | None = None) -> Seen:
        try:
            return task.check(self._scene(status))
        except Unreachable as error:
            self._expect_alive()
            return Seen("cluster", {"reason": str(error)})

    def _asked_of_cluster(self, task: Task) -> Facts:
        try:
            return task.before(self._scene(None))
        except Unreachable:
            self._expect_alive()
            return {}

    def _scene(self, status: int | None) -> Scene:
        try:
            asked: Any = checks.account((self._around.shell.folder / ASKED).read_text(encoding="utf-8"))
        except OSError:
            asked = None
        return Scene(cluster=self._around.cluster, asked=asked, facts=self._facts, status=status)

    def _expect_alive(self) -> None:
        if not self._around.alive():
            raise Lost

    def _explain(self, task: Task, seen: Seen) -> None:
        words = self._task_text(task)
        if seen.ok:
            self._facts.update(seen.facts)
            self._page.prose(self._filled(f"✓ {words.done}"))
            return
        self._page.prose(f"✗ {self._words.not_yet}\n{self._missing(seen)}", style="yellow")
        self._page.remark(self._filled(words.hint), style="")

    def _missing(self, seen: Seen) -> str:
        return self._texts.missing[seen.missing].strip().format_map(_Lenient(seen.facts))

    def _filled(self, text: str) -> str:
        return text.format_map(_Lenient(self._facts))

    def _task_text(self, task: Task) -> TaskText:
        step = next(step for step in course.STEPS if task in step.tasks)
        return self._texts.steps[step.id].tasks[task.id]

    def _tell_status(self, status: int, *, expected: bool = False) -> None:
        if shell.interrupted(status):
            self._page.blank()
            self._page.remark(self._words.interrupted)
        elif status and not expected:
            self._page.remark(self._words.ended_with.format(status=status))

    def _move(self, word: str) -> None:
        if word == "skip":
            for task in course.STEPS[self._step].tasks[self._task :]:
                if task.lasting and not self._provide(task):
                    return
            self._go(self._step + 1)
        else:
            self._go(max(0, self._step - (word == "back")))

    def _provide(self, task: Task) -> bool:
        """Does without words what later steps need."""
        if self._look(task).ok:
            return True
        self._facts.update(self._asked_of_cluster(task))
        self._page.remark(f"{self._words.preparing}\n$ {task.line(self._facts)}")
        seen = self._run(task)
        if not seen.ok:
            self._explain(task, seen)
        return seen.ok

    def _advance(self) -> None:
        if self._task + 1 < len(course.STEPS[self._step].tasks):
            self._task += 1
        else:
            self._go(self._step + 1)

    def _go(self, step: int) -> None:
        self._step, self._task, self._shown = step, 0, -1
        self._remember()

    def _current(self) -> Task:
        return course.STEPS[self._step].tasks[self._task]

    def _remember(self) -> None:
        step = course.STEPS[self._step].id if self._step < len(course.STEPS) else ""
        progress.save(
            self._around.remembered_in, progress.Progress(step=step, task=self._task, facts=dict(self._facts))
        )


# What no waiting changes.
_FINAL = frozenset({"verdict", "agreed-already", "over", "role-too-wide", "requests", "still-fast", "still-slow"})


def _may_come(seen: Seen) -> bool:
    return bool(seen.missing) and seen.missing not in _FINAL


class _Lenient(dict[str, str]):
    """Facts of a step that was passed over are shown as a dash."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)

    def __missing__(self, name: str) -> str:
        return "–"
