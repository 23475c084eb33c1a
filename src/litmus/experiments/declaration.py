"""What an experiment is: one declaration from which the charts, the roles, the docs and the plan are made."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from .tunables import COMPATIBILITY, INSTANCE, Tunable, Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litmus.kube.objects import Pod

    from .context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One rule that an experiment's service account needs, and why."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    reason: str


# The role that the field's manifests grant to every pod experiment (design.md, section 2), to the letter.
SMALL_ROLE = Permission(
    groups=("", "litmuschaos.io", "batch", "apps"),
    resources=(
        "pods",
        "deployments",
        "pods/log",
        "events",
        "jobs",
        "chaosengines",
        "chaosexperiments",
        "chaosresults",
    ),
    verbs=("create", "list", "get", "patch", "update", "delete", "deletecollection"),
    reason="read the engine and the application, hit pods, write events and the result",
)


# Of that role, what a run really asks for; ``litmus plan`` looks for these. All verbs are on the named group.
USED_BY_EVERY_RUN: tuple[Permission, ...] = (
    Permission(groups=("",), resources=("pods",), verbs=("get", "list"), reason="find and watch the application"),
    Permission(groups=("",), resources=("events",), verbs=("create", "get", "patch"), reason="say what happens"),
    Permission(groups=("batch",), resources=("jobs",), verbs=("create", "get", "list", "delete"), reason="run the Job"),
    Permission(
        groups=("litmuschaos.io",),
        resources=("chaosengines",),
        verbs=("get", "list", "patch"),
        reason="read the engine and write its status",
    ),
    Permission(
        groups=("litmuschaos.io",), resources=("chaosexperiments",), verbs=("get",), reason="read the experiment"
    ),
    Permission(
        groups=("litmuschaos.io",),
        resources=("chaosresults",),
        verbs=("create", "get", "list", "patch"),
        reason="write the verdict and the ledger",
    ),
)


class Experiment(ABC):
    """An experiment. Subclasses declare the class attributes and write ``inject``."""

    name: ClassVar[str]
    chart: ClassVar[str] = "generic"
    title: ClassVar[str]
    help: ClassVar[str]
    scope: ClassVar[Literal["Namespaced", "Cluster"]] = "Namespaced"
    tunables: ClassVar[tuple[Tunable, ...]]
    permissions: ClassVar[tuple[Permission, ...]] = (SMALL_ROLE,)
    # What it asks for beyond USED_BY_EVERY_RUN.
    uses: ClassVar[tuple[Permission, ...]] = ()
    # What its helper pods need on a node, for the docs and for `litmus plan`; empty: it has no helper pods.
    privileges: ClassVar[tuple[str, ...]] = ()
    # Whether a hit takes the pod itself away, so that a PodDisruptionBudget has something to say.
    removes_pods: ClassVar[bool] = False

    @abstractmethod
    async def inject(self, context: "Context") -> None:
        """Everything between the pre-checks and the post-checks: choose, record, inject, prove, hold, revert, verify.

        Raises ``verdicts.CheckFailed`` when the application did not hold and ``verdicts.CannotRun`` when the fault
        could not be brought about.
        """

    def vet(self, pods: "Sequence[Pod]", values: Values) -> None:
        """Raises ``verdicts.CannotRun`` when the chosen pods can't be hit as the tunables say. Touches nothing."""
        return  # most experiments can hit any pod

    @classmethod
    def all_tunables(cls) -> tuple[Tunable, ...]:
        """Its own, and those that every experiment has."""
        own = {tunable.name for tunable in cls.tunables}
        shared = (INSTANCE, *COMPATIBILITY)
        return cls.tunables + tuple(tunable for tunable in shared if tunable.name not in own)
