"""What an experiment is: one declaration from which the charts, the roles, the docs and the plan are made."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from . import platforms
from .tunables import COMPATIBILITY, INSTANCE, Tunable, Values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from litmus.api.targeting import AppTarget
    from litmus.kube import Cluster, helpers
    from litmus.kube.objects import Pod

    from . import selection
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

# What an experiment with helper pods asks for, too.
HELPER_PODS = Permission(groups=("",), resources=("pods",), verbs=("create", "delete"), reason="run helper pods")


# What of an application's world is broken, and by which kind of blow: what icons and diagrams are drawn from.
Part = Literal[
    "pod",
    "container",
    "replicas",
    "service",
    "pod-network",
    "pod-processor",
    "pod-memory",
    "pod-storage",
    "node",
    "node-processor",
    "node-memory",
    "node-storage",
    "kubelet",
    "runtime",
    "disk",
]
Blow = Literal[
    "delete",
    "kill",
    "scale",
    "drain",
    "taint",
    "detach",
    "load",
    "fill",
    "stop",
    "restart",
    "delay",
    "drop",
    "corrupt",
    "duplicate",
]


class Experiment(ABC):
    """An experiment. Subclasses declare the class attributes and write ``inject``."""

    name: ClassVar[str]
    chart: ClassVar[str] = "generic"
    title: ClassVar[str]
    help: ClassVar[str]
    scope: ClassVar[Literal["Namespaced", "Cluster"]] = "Namespaced"
    # What is hit, in words: for the docs.
    hits: ClassVar[str] = "pods of the application"
    tunables: ClassVar[tuple[Tunable, ...]]
    permissions: ClassVar[tuple[Permission, ...]] = (SMALL_ROLE,)
    # What it asks for beyond USED_BY_EVERY_RUN, and beyond what helper pods take: see ``all_uses``.
    uses: ClassVar[tuple[Permission, ...]] = ()
    # The mechanism of `faults/` that its helper pods use, and what those need of a node; None: it has no helper pods.
    mechanism: ClassVar[str] = ""
    needs: ClassVar["helpers.Needs | None"] = None
    # One sentence each for the docs: what is measured in the target, and what is put back, by whom.
    proof: ClassVar[str] = ""
    undo: ClassVar[str] = ""
    # Why it answers Error on the sandbox; '' if it runs there.
    sandbox: ClassVar[str] = ""
    # Secrets of the run's namespace that its pod needs, by name, and where they are mounted.
    secrets: ClassVar["Mapping[str, str]"] = {}
    # Whether a hit takes the pod itself away, so that a PodDisruptionBudget has something to say.
    removes_pods: ClassVar[bool] = False
    # For the hub. What it breaks and how, None where none of the words fits; what people search for; where it works;
    # how far it is (alpha to stable); infra where a node or machine is hit; when it came (RFC 3339); what to read and
    # who cares for it, each by name with a URL or a mail address.
    breaks: ClassVar[Part | None] = None
    blow: ClassVar[Blow | None] = None
    keywords: ClassVar[tuple[str, ...]] = ()
    platforms: ClassVar[tuple[str, ...]] = platforms.ANY
    maturity: ClassVar[str] = "alpha"
    chaos_type: ClassVar[str] = ""
    created: ClassVar[str] = ""
    links: ClassVar["Mapping[str, str]"] = {}
    maintainers: ClassVar["Mapping[str, str]"] = {}

    @abstractmethod
    async def inject(self, context: "Context") -> None:
        """Everything between the pre-checks and the post-checks: choose, record, inject, prove, hold, revert, verify.

        Raises ``verdicts.CheckFailed`` when the application did not hold and ``verdicts.CannotRun`` when the fault
        could not be brought about.
        """

    async def foresee(
        self, cluster: "Cluster", targets: "Sequence[AppTarget]", values: Values, *, seed: str
    ) -> "selection.Prospect":
        """Who the first round hits, and who else may be hit: what `litmus plan` shows. Touches nothing.

        Raises ``verdicts.CannotRun`` where the run itself would. By default the targets are pods of the application.
        """
        from . import selection  # with it come the cluster's workloads, which a declaration alone does not need

        choice = await selection.choose(cluster, targets, values, seed=seed)
        self.vet(choice.chosen, values)
        return selection.prospect(choice)

    async def check_before(self, context: "Context") -> None:
        """What has to hold beside the health of the application before the chaos. Raises like ``inject``."""
        return  # most experiments need no more than a healthy application

    async def check_after(self, context: "Context") -> None:
        """What has to hold again after the chaos."""
        return

    def checks_application(self, values: Values) -> bool:
        """Whether the application and its neighbours have to be healthy before and after."""
        return True

    def vet(self, pods: "Sequence[Pod]", values: Values) -> None:
        """Raises ``verdicts.CannotRun`` when the chosen pods can't be hit as the tunables say. Touches nothing."""
        return  # most experiments can hit any pod

    @property
    def all_uses(self) -> tuple[Permission, ...]:
        """What it asks for beyond USED_BY_EVERY_RUN."""
        return (*self.uses, HELPER_PODS) if self.needs else self.uses

    @property
    def privileges(self) -> tuple[str, ...]:
        """What its helper pods need of a node, in words."""
        return self.needs.describe() if self.needs else ()

    @classmethod
    def takes(cls, wanted: Tunable) -> bool:
        """Whether it has the tunable and does not only accept it."""
        return any(tunable.name == wanted.name and not tunable.unneeded for tunable in cls.all_tunables())

    @classmethod
    def all_tunables(cls) -> tuple[Tunable, ...]:
        """Its own, and those that every experiment has."""
        own = {tunable.name for tunable in cls.tunables}
        shared = (INSTANCE, *COMPATIBILITY)
        return cls.tunables + tuple(tunable for tunable in shared if tunable.name not in own)
