"""The fixture ``chaos``: runs an experiment to its end, and takes away everything that it made.

Synchronous, because most tests are; within an event loop it blocks like any other call. The run itself is that of
``litmus run``: an engine that the operator takes up.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from litmus import api
from litmus.api import names
from litmus.cli import failures, outcomes, run
from litmus.experiments import catalogue
from litmus.hub import charts
from litmus.kube import Cluster, errors, kinds, waiting

from . import manifest, places
from .outcome import Outcome
from .places import Place

_GONE_DEADLINE_S = 60.0
_SERVICE = "service/"


class Chaos:
    """Experiments on the applications of one test."""

    def __init__(self, place: Place, *, outcomes: list[Outcome], keep: bool = False) -> None:
        self.place = place
        self._outcomes = outcomes
        self._keep = keep
        self._made: list[tuple[kinds.Kind[Any], str, str]] = []  # what is removed at the end, the last first

    def run(
        self,
        experiment: str,
        *,
        app: str = "",
        namespace: str = "default",
        duration: float | None = None,
        tunables: Mapping[str, object] | None = None,
        probes: Sequence[Mapping[str, Any]] = (),
        impact: Mapping[str, str] | None = None,
        traffic: str = "",
        rate: float = 20.0,
        service_account: str = "",
    ) -> Outcome:
        """Runs an experiment and waits for its end, whatever that is.

        ``app``: ``deployment/web``, ``statefulset/…``, ``daemonset/…``, ``pod/…``, or labels such as ``app=web``.
        ``duration``: whole seconds. ``probes``: as in an engine. ``traffic``: ``service/NAME:PORT`` or a URL, which is
        asked ``rate`` times a second all the while, for ``impact`` and the assertions. ``service_account``: else one
        with the least role is made. Raises Misuse for what makes no sense, Failed and KubeError for a
        refusal of the cluster.
        """
        values = {**manifest.duration_s(duration), **(tunables or {})}
        signal = [manifest.traffic(self._url(traffic, namespace), rate=rate)] if traffic else []
        name = f"pytest-{names.random_suffix()}"
        wanted, plain = manifest.engine(
            experiment,
            name=name,
            namespace=namespace,
            app=app,
            service_account=service_account or f"{name}-sa",
            values=values,
            probes=[*probes, *signal],
            criteria=impact or {},
        )
        outcome = places.blocking(self._carry_out(wanted, plain, grant=not service_account))
        if outcome is None:
            raise KeyboardInterrupt
        self._outcomes.append(outcome)
        return outcome

    def close(self) -> None:
        """Removes what the runs made, in the reverse order. Raises KubeError when the cluster does not let it."""
        if self._made and not self._keep:
            places.blocking(self._remove())

    def _url(self, traffic: str, namespace: str) -> str:
        if not traffic.startswith(_SERVICE):
            return traffic
        service, colon, port = traffic.removeprefix(_SERVICE).partition(":")
        if not (service and colon and port.isascii() and port.isdecimal()):
            raise manifest.Misuse(f"traffic={traffic!r}: write service/NAME:PORT, or a URL")
        return f"http://{self.place.address(service, int(port), namespace=namespace)}/"

    async def _carry_out(self, wanted: api.ChaosEngine, plain: dict[str, Any], *, grant: bool) -> Outcome | None:
        meta, entry = wanted.metadata, wanted.spec.experiments[0]
        async with self.place.connect() as cluster:
            await self._prepare(
                cluster, entry.name, meta.namespace, account=wanted.spec.chaos_service_account if grant else ""
            )
            self._made.append((kinds.RESULT, names.result(meta.name, entry.name, entry.instance), meta.namespace))
            self._made.append((kinds.ENGINE, meta.name, meta.namespace))
            ended = await run.carry_out(cluster, wanted, plain, shown_on=sys.stdout)
            if ended.interrupted:
                return None
            return await self._outcome(cluster, ended)

    async def _prepare(self, cluster: Cluster, experiment: str, namespace: str, *, account: str) -> None:
        """The ChaosExperiment, where it is not installed, and a service account of this run's own."""
        await _expect_namespace(cluster, namespace)
        known = catalogue.find(experiment)
        wanted: list[dict[str, Any]] = []
        if await cluster.find(kinds.raw(kinds.EXPERIMENT), experiment, namespace=namespace) is None:
            text = charts.bundle([known], image=await places.image(cluster, self.place))
            wanted += yaml.safe_load_all(text)
        if account:
            renamed = charts.role(known, namespace=namespace).replace(f"{known.name}-sa", account)
            wanted += yaml.safe_load_all(renamed)
        for each in wanted:
            kind = kinds.of_manifest(each)
            within = namespace if kind.namespaced else ""
            if within:
                each["metadata"]["namespace"] = within
            self._made.append((kinds.raw(kind), each["metadata"]["name"], within))
            await cluster.apply(kinds.raw(kind), each)

    async def _outcome(self, cluster: Cluster, ended: outcomes.Outcome) -> Outcome:
        meta, entry = ended.engine.metadata, ended.engine.spec.experiments[0]
        result = ended.results.get(entry.name, api.ChaosResult())
        name = names.result(meta.name, entry.name, entry.instance)
        setting = f"export KUBECONFIG={self.place.kubeconfig}; " if self.place.kubeconfig else ""
        return Outcome(
            experiment=entry.name,
            verdict=dict(ended.verdicts)[entry.name],
            fail_step=ended.why(entry.name),
            engine=ended.engine,
            result=result,
            events=await _events(cluster, meta.namespace, {meta.name, name}),
            look=(
                f"{setting}kubectl describe chaosresult {name} -n {meta.namespace}",
                "with --pdb while the test stands still, with --litmus-keep also afterwards",
            ),
        )

    async def _remove(self) -> None:
        async with self.place.connect() as cluster:
            while self._made:
                kind, name, namespace = self._made.pop()
                if await cluster.delete(kind, name, namespace=namespace) and kind is kinds.ENGINE:
                    await _until_gone(cluster, name, namespace)


async def _expect_namespace(cluster: Cluster, namespace: str) -> None:
    try:
        if await cluster.find(kinds.NAMESPACE, namespace) is None:
            raise failures.Failed(f"there is no namespace {namespace!r}; create it before chaos.run")
    except errors.Forbidden:
        return  # who may not look is told by what comes next


async def _until_gone(cluster: Cluster, name: str, namespace: str) -> None:
    """The operator has ended what runs, and put everything back."""
    await waiting.until(
        cluster,
        kinds.ENGINE,
        lambda found: None if found else True,
        namespace=namespace,
        name=name,
        what=f"engine {name} in namespace {namespace} to be gone; look at it: kubectl describe chaosengine {name}",
        deadline_s=_GONE_DEADLINE_S,
    )


async def _events(cluster: Cluster, namespace: str, about: set[str]) -> tuple[str, ...]:
    """'Reason: message' of the run's events, in the order of their times."""
    try:
        found = await cluster.select(kinds.EVENT, namespace=namespace)
    except errors.KubeError as error:
        return (f"(they can't be read: {error})",)
    mine = sorted((e for e in found if e.involved_object.name in about), key=lambda e: e.last_timestamp or "")
    return tuple(f"{event.reason}: {event.message}" for event in mine)
