"""What there is to tell about an experiment beyond its declaration: facts, the steps of a run, what privileges are for.

Written once, for the docs, the command line and the site. Every sentence is whole and goes through ``say``, so that a
page can put it into another language (``translations``). Code is between backticks, as in Markdown. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from litmus.experiments.declaration import Experiment
from litmus.experiments.node_fault import NodeFault
from litmus.experiments.tunables import DURATION, INTERVAL, RAMP, Tunable

from .model import Variable

Say = Callable[[str], str]
Phase = Literal["before", "during", "after"]

UNITS = {"s": "seconds", "%": "percent"}

PRIVILEGES = {
    "hostPID": "finds the processes of a container by its id in `/proc/*/cgroup`; no socket of a container runtime",
    "hostPath /sys/fs/cgroup": "lets the guardian leave the pod's control groups, so that it outlives the pod",
    "hostPath /run/litmus": "holds the journal of what has to be undone",
    "capability KILL": "signals processes of other users",
    "capability NET_ADMIN": "changes queueing disciplines, links and packet filters",
    "capability NET_RAW": "sends and receives probe packets",
    "capability SYS_ADMIN": "enters namespaces",
    "capability SYS_BOOT": "restarts the node",
    "capability SYS_CHROOT": "enters mount namespaces and root folders",
    "capability SYS_PTRACE": "opens the namespaces and the root folder of other users' processes",
    "capability SYS_RESOURCE": "exceeds limits that are meant for its own processes",
    "capability DAC_OVERRIDE": "writes files of other users",
    "capability DAC_READ_SEARCH": "reads files of other users",
}

_NAMESPACED = "Namespaced, so its service account has a Role."
_CLUSTERWIDE = "Cluster, so its service account has a ClusterRole."

_READY = "Waits until the application and those of `auxiliaryAppInfo` are ready."
_NODES_READY = "Waits until the application and those of `auxiliaryAppInfo` are ready, and until the nodes are Ready."


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run, and whether it comes before, during or after the chaos."""

    phase: Phase
    text: str


def facts(experiment: Experiment, *, say: Say = str) -> dict[str, str]:
    """What there is to know about an experiment before its details, as plain sentences by their headings."""
    privileges = _enumerated(short(experiment.privileges), say)
    needed = say("need {privileges} on the node of a target.").format(privileges=privileges)
    found = {
        "Hits": say("{targets}.").format(targets=say(experiment.hits)),
        "Proven by": say(experiment.proof),
        "Undone": say(experiment.undo),
        "Scope": say(_CLUSTERWIDE if experiment.scope == "Cluster" else _NAMESPACED),
        "Helper pods": needed if privileges else say("none."),
        "Sandbox": _on_the_sandbox(experiment.sandbox, say),
    }
    return {say(name): fact for name, fact in found.items() if fact}


def _on_the_sandbox(refusal: str, say: Say) -> str:
    return together(say("Error."), say(sentence(refusal))) if refusal else say("it runs there.")


def steps(experiment: Experiment, *, say: Say = str) -> list[Step]:
    """What a run does, in order."""
    return [
        *(Step("before", text) for text in _before(experiment, say)),
        *(Step("during", text) for text in _during(experiment, say)),
        *(Step("after", text) for text in _after(experiment, say)),
    ]


def _before(experiment: Experiment, say: Say) -> Iterator[str]:
    yield together(
        say("Reads the tunables."), say("A value that is not allowed ends the run with an Error that says what is.")
    )
    missed = say("If they are not in time, the verdict is Fail, and nothing is hit.")
    yield together(_healthy(experiment, say), missed)
    yield from _waiting(experiment, say)
    yield together(say("Chooses the targets."), say("If there are none, the run ends with an Error."))
    yield say("Writes into the ChaosResult who will be hit and how it is undone.")


def _during(experiment: Experiment, say: Say) -> Iterator[str]:
    if experiment.needs:
        yield say("Starts a helper pod on the node of each target, which injects the fault.")
    else:
        yield say("Injects the fault from the experiment's own pod; no helper pod is sent.")
    if experiment.proof:
        without = say("A fault without its effect ends in an Error.")
        yield together(say("Looks for its effect."), say(experiment.proof), without)
    if experiment.takes(INTERVAL):
        again = say("Chooses and hits again every `{interval}`, until `{duration}` is over.")
        yield again.format(interval=INTERVAL.name, duration=DURATION.name)
    elif experiment.takes(DURATION):
        yield say("Holds the fault until `{duration}` is over.").format(duration=DURATION.name)


def _after(experiment: Experiment, say: Say) -> Iterator[str]:
    if experiment.undo:
        yield say(experiment.undo)
    yield from _waiting(experiment, say)
    yield together(_healthy(experiment, say), say("If they are not in time, the verdict is Fail."))


def _healthy(experiment: Experiment, say: Say) -> str:
    return say(_NODES_READY if isinstance(experiment, NodeFault) else _READY)


def _waiting(experiment: Experiment, say: Say) -> list[str]:
    return [say("Waits `{ramp}`.").format(ramp=RAMP.name)] if experiment.takes(RAMP) else []


def health_checks(steps: Iterable[Step]) -> list[int]:
    """The numbers, from 1, of the steps that ``defaultHealthCheck: false`` leaves out: the second and the last."""
    return [2, len(list(steps))]


def explained(tunable: Tunable | Variable, *, say: Say = str) -> str:
    """What a tunable means and what it may be, without its unit."""
    allowed = say("Allowed: {allowed}.").format(allowed=say(tunable.allowed)) if tunable.allowed else ""
    return together(say(tunable.help), allowed)


def unit(tunable: Tunable | Variable, *, say: Say = str) -> str:
    """The unit as a word or a sign; '' where there is none."""
    return say(UNITS.get(tunable.unit, tunable.unit)) if tunable.unit else ""


def short(privileges: Iterable[str]) -> list[str]:
    """Without what every helper pod has that holds a fault."""
    return [name.removeprefix("capability ") for name in privileges if not name.endswith(("/run/litmus", "/cgroup"))]


def together(*sentences: str) -> str:
    """Sentences in a row; Japanese has no blank between them."""
    return "".join(s if s.endswith("。") else f"{s} " for s in sentences if s).rstrip()


def _enumerated(names: Sequence[str], say: Say) -> str:
    if len(names) < 2:
        return "".join(names)
    return say("{others} and {last}").format(others=", ".join(names[:-1]), last=names[-1])


def sentence(text: str) -> str:
    """With a capital and one full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
