"""The course as data: its steps, what the learner runs in each, and how the outcome is checked. The words are
in ``text``.

A step teaches one idea with one command or a few (its tasks). Pure but for the checks.
"""

from collections.abc import Callable
from dataclasses import dataclass

from . import checks
from .checks import Facts, Run, Scene, Seen

DEADLINE_S = 30.0
_CHAOS_S = 90.0
_RUN = checks.CHAOS
_IMPATIENT = Run("nginx-impatient")
_LONG = Run("nginx-long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One command and what has to hold after it.

    ``command`` may name facts in braces. ``before`` sees what has to be remembered first. ``lasting``: later steps need
    what it leaves, so that it is done even where it is passed over. ``fails``: it ends with a status other than 0.
    """

    id: str
    command: str
    check: Callable[[Scene], Seen]
    before: Callable[[Scene], Facts] = checks.nothing
    lasting: bool = False
    fails: bool = False
    deadline_s: float = DEADLINE_S

    def line(self, facts: Facts) -> str:
        """The command as it is run."""
        return self.command.format_map(facts) if "{" in self.command else self.command


@dataclass(frozen=True, slots=True)
class Step:
    """One idea."""

    id: str
    tasks: tuple[Task, ...]


STEPS = (
    Step("sandbox", (Task(id="nodes", command="kubectl get nodes", check=checks.nodes_ready),)),
    Step(
        "application",
        (Task(id="deploy", command="kubectl apply -f nginx.yaml", check=checks.application_ready, lasting=True),),
    ),
    Step("steady-state", (Task(id="ask", command="python3 ask.py", check=checks.answered),)),
    Step(
        "by-hand",
        (
            Task(
                id="delete",
                command="kubectl delete pod {pod} -n nginx",
                before=checks.present,
                check=checks.replaced,
            ),
        ),
    ),
    Step(
        "install",
        (
            Task(id="operator", command="litmus install", check=checks.operator_ready, lasting=True, deadline_s=60),
            Task(
                id="experiments",
                command="kubectl apply -f experiments.yaml -n nginx",
                check=checks.experiments_there,
                lasting=True,
            ),
        ),
    ),
    Step("role", (Task(id="apply", command="kubectl apply -f rbac.yaml", check=checks.role_is_small, lasting=True),)),
    Step(
        "agreement",
        (
            Task(
                id="refused",
                command="litmus run engine.yaml",
                before=_RUN.before,
                check=checks.refused,
                fails=True,
                deadline_s=_CHAOS_S,
            ),
            Task(
                id="annotate",
                command='kubectl annotate deploy/nginx litmuschaos.io/chaos="true" -n nginx',
                check=checks.agreed,
                lasting=True,
            ),
        ),
    ),
    Step("plan", (Task(id="plan", command="litmus plan engine.yaml", check=checks.planned),)),
    Step(
        "run",
        (
            Task(
                id="run",
                command="litmus run engine.yaml",
                before=_RUN.before,
                check=_RUN.passed,
                deadline_s=_CHAOS_S,
            ),
        ),
    ),
    Step(
        "result",
        (
            Task(
                id="describe",
                command="kubectl describe chaosresult nginx-chaos-pod-delete -n nginx",
                check=_RUN.there,
            ),
        ),
    ),
    Step(
        "kill",
        (
            Task(
                id="kill",
                command="python3 ask.py litmus run container-kill.yaml",
                before=checks.KILL.before,
                check=checks.killed,
                deadline_s=_CHAOS_S,
            ),
        ),
    ),
    Step(
        "weakness",
        (
            Task(id="slow", command="kubectl apply -f nginx-slow.yaml", check=checks.slow, deadline_s=120),
            Task(
                id="fail",
                command="litmus run impatient.yaml",
                before=_IMPATIENT.before,
                check=_IMPATIENT.failed,
                fails=True,
                deadline_s=_CHAOS_S,
            ),
            Task(
                id="mend",
                command="kubectl apply -f nginx.yaml",
                check=checks.fast,
                lasting=True,
                deadline_s=120,
            ),
            Task(
                id="proof",
                command="litmus run impatient.yaml",
                before=_IMPATIENT.before,
                check=_IMPATIENT.passed,
                deadline_s=_CHAOS_S,
            ),
        ),
    ),
    Step(
        "stop",
        (
            Task(id="begin", command="kubectl apply -f long.yaml", before=_LONG.before, check=_LONG.begun),
            Task(id="stop", command="litmus stop nginx-long -n nginx", check=_LONG.stopped, deadline_s=60),
        ),
    ),
    Step("end", (Task(id="uninstall", command="litmus uninstall", check=checks.operator_gone),)),
)


def find(word: str) -> int | None:
    """The place of a step by its name or its number from 1; None when there is none."""
    if word.isascii() and word.isdecimal():
        return int(word) - 1 if 1 <= int(word) <= len(STEPS) else None
    return next((place for place, step in enumerate(STEPS) if step.id == word), None)
