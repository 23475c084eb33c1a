"""What a type of probe gives and is given.

The module of a type (``probes.http`` and so on, see ``kinds``) has two functions that count::

    def check(probe: api.Probe) -> list[str]
    def prober(probe: api.Probe, surroundings: Surroundings) -> Prober

``check`` asks nobody: one sentence for every mistake in the inputs, with its path inside the probe; a text with an
expression of ``chaining`` is not known yet, and no mistake. It is called before anything is touched, also by the
operator and by ``litmus plan``.

``prober`` is called whenever a phase of the run begins in which the probe runs, with expressions filled in. It knows
nothing of modes, attempts and intervals, which are ``conduct``'s: it answers one question once. A Prober that is
``Streaming`` too is asked by its stream alone where its mode lasts (Continuous, OnChaos), and by ``once`` otherwise.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from litmus import api
from litmus.kube import Cluster


class ProbeError(Exception):
    """The probe itself could not be evaluated: verdict Error. One sentence, which says what to do."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One evaluation of a probe.

    ``at``: when it began, in seconds of UNIX time. ``observed`` and ``expected`` are for people. ``latency_ms``: of the
    request, where there is one. ``error``: the kind of a failure, one of ``failures.KINDS``, and '' if it passed.
    ``output``: what later probes may use of it as ``.NAME.ProbeArtifacts.Register``.
    """

    at: float
    passed: bool
    observed: str
    expected: str
    latency_ms: float | None = None
    error: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a run takes place. ``engine`` has the namespace, the uid and the service account.

    ``pod``: the pod of the experiment, '' where there is none; its image is our own (``helpers.own_image``). Whatever a
    probe creates belongs to the engine: ``engines.owner(engine)`` and ``engines.labels(engine, …)``.
    """

    cluster: Cluster
    engine: api.ChaosEngine
    experiment: str
    pod: str = ""

    @property
    def namespace(self) -> str:
        return self.engine.metadata.namespace

    @property
    def service_account(self) -> str:
        return self.engine.spec.chaos_service_account


class Prober(Protocol):
    """Asks one question of one application. One that starts a pod for it has ``start_s`` too: see ``evaluation``."""

    async def once(self, *, timeout_s: float) -> Observation:
        """One evaluation, which cancels itself after ``timeout_s`` seconds and is then one that failed (timeout).

        Raises ProbeError when it can't be evaluated at all.
        """
        ...

    async def aclose(self) -> None:
        """Gives back what it holds: connections, pods. Called once, whatever happened."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """A prober with a rhythm of its own, as trafficProbe: many observations, until it is cancelled or closed.

    It is closed as soon as nobody wants more of it, and before the prober is.
    """

    def stream(self) -> AsyncGenerator[Observation]: ...
