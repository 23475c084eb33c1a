"""k8sProbe: whether objects are there, or are not; and whether one can be created, or some can be deleted.

Both forms are read: that of 1.10 (``operation`` beside the inputs and the rest below ``command``) and that of 3.x (all
of it directly in the inputs, with ``resourceNames``). Any resource of the cluster can be named, by the plural that its
discovery knows. Without a namespace it is that of the application, else that of the engine; ``*`` looks into all.

What a probe creates stays, as in the original, until a probe deletes it; where no probe of the engine does, that is
said. A deletion of everything is refused: it needs names or a selector. Objects count as present until they are gone.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from litmus import api
from litmus.api import yaml_text
from litmus.kube import Cluster, discovery, errors
from litmus.kube.kinds import Kind

from .contract import Observation, ProbeError, Surroundings

log = logging.getLogger(__name__)

Operation = Literal["create", "delete", "present", "absent"]

_INPUTS = "k8sProbe/inputs"
_OPERATIONS = "create, delete, present, absent"
# On what a probe creates: which question did, so that an answer that got lost is not taken for somebody else's object.
_CREATED_BY = "litmuschaos.io/created-by-probe"
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``namespace`` '' is the application's; ``names`` () are all that the selectors let through."""

    operation: Operation
    group: str
    version: str
    resource: str
    namespace: str
    names: tuple[str, ...]
    labels: str
    fields: str
    manifest: dict[str, Any]

    @property
    def called(self) -> str:
        """As kubectl writes it: deployments.apps."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def which(self) -> str:
        parts = (
            ", ".join(self.names),
            self.labels and f"-l {self.labels}",
            self.fields and f"--field-selector {self.fields}",
        )
        return " ".join(part for part in (self.called, *parts) if part)


def check(probe: api.Probe) -> list[str]:
    """One sentence for each thing that is wrong with the inputs, with its path inside the probe."""
    found: list[str] = []
    _read(probe, found, filled=False)
    return found


def prober(probe: api.Probe, surroundings: Surroundings) -> "KubernetesProber":
    """Raises ProbeError with the first thing that is wrong."""
    wrong: list[str] = []
    question = _read(probe, wrong)
    if wrong or question is None:
        raise ProbeError(wrong[0])
    return KubernetesProber(question, surroundings)


class KubernetesProber:
    """Asks the cluster of the run, with the rights of the experiment."""

    def __init__(self, question: Question, surroundings: Surroundings) -> None:
        self._question = question
        self._surroundings = surroundings
        self._cluster: Cluster = surroundings.cluster
        self._kind: Kind[dict[str, Any]] | None = None

    async def once(self, *, timeout_s: float) -> Observation:
        at = time.time()
        expected = _EXPECTED[self._question.operation]
        try:
            async with asyncio.timeout(timeout_s):
                passed, observed, error = await self._asked()
        except TimeoutError:
            return Observation(at, False, f"no answer of the cluster within {timeout_s:g} s", expected, error="timeout")
        return Observation(at, passed, observed, f"{self._question.which} {expected}", error=error)

    async def aclose(self) -> None:
        """It holds nothing: the connection is that of the run."""

    async def _asked(self) -> tuple[bool, str, str]:
        """Whether it passed, what was seen, and the kind of the failure."""
        question = self._question
        try:
            if self._kind is None:
                self._kind = await discovery.kind(
                    self._cluster, group=question.group, version=question.version, resource=question.resource
                )
            kind, namespace = self._kind, self._namespace(self._kind)
            match question.operation:
                case "create":
                    return await self._create(kind, namespace)
                case "delete":
                    return await self._delete(kind, namespace)
                case "present" | "absent":
                    return await self._look(kind, namespace)
        except errors.Forbidden as error:
            raise ProbeError(self._missing_right(error)) from error
        except errors.KubeError as error:
            raise ProbeError(f"{question.which}: {error}") from error

    def _namespace(self, kind: Kind[Any]) -> str:
        if not kind.namespaced:
            return ""
        application = self._surroundings.engine.spec.appinfo.appns
        return self._question.namespace or application or self._surroundings.namespace

    async def _look(self, kind: Kind[dict[str, Any]], namespace: str) -> tuple[bool, str, str]:
        found = await self._found(kind, namespace)
        names = {_name(item) for item in found}
        missing = [name for name in self._question.names if name not in names]
        if self._question.operation == "absent":
            return not found, _count(found), "present" if found else ""
        seen = f"{_count(found)}, missing {', '.join(missing)}" if missing else _count(found)
        passed = bool(found) and not missing
        return passed, seen, "" if passed else "absent"

    async def _delete(self, kind: Kind[dict[str, Any]], namespace: str) -> tuple[bool, str, str]:
        """Asks for each deletion; that finalizers let it happen is another probe's question (absent)."""
        found = await self._found(kind, namespace)
        names = {_name(item) for item in found}
        missing = [name for name in self._question.names if name not in names]
        if missing or not found:
            return False, f"nothing deleted: {', '.join(missing) or self._question.which} is not there", "absent"
        for item in found:
            where = item["metadata"].get("namespace", "")
            await self._cluster.delete(kind, _name(item), namespace=where if kind.namespaced else "")
        return True, f"deletion asked for {_listed(found)}", ""

    async def _create(self, kind: Kind[dict[str, Any]], namespace: str) -> tuple[bool, str, str]:
        manifest, nonce = self._question.manifest, secrets.token_hex(8)
        named = manifest["kind"]
        if named != kind.kind or manifest["apiVersion"] != kind.api_version:
            raise ProbeError(
                f"data: is a {manifest['apiVersion']} {named}, but {_INPUTS} name {kind.api_version} {kind.plural}; "
                "make them agree"
            )
        meta = dict(manifest.get("metadata") or {})
        meta["annotations"] = {**(meta.get("annotations") or {}), _CREATED_BY: nonce}
        if kind.namespaced:
            meta["namespace"] = self._question.namespace or meta.get("namespace") or namespace
        where = meta.get("namespace", "") if kind.namespaced else ""
        try:
            made = await self._cluster.create(kind, {**manifest, "metadata": meta}, namespace=where)
        except errors.Conflict as error:
            there = await self._cluster.find(kind, meta.get("name", ""), namespace=where)
            if there is None or (there["metadata"].get("annotations") or {}).get(_CREATED_BY) != nonce:
                return False, f"not created: {error}", "exists"
            made = there
        told = f"created {_name(made)}"
        if not self._is_deleted_again():
            told += "; it stays, as no probe of this engine deletes it"
            log.warning("a k8sProbe leaves what it created: %s %s", self._question.called, _name(made))
        return True, told, ""

    def _is_deleted_again(self) -> bool:
        """Whether a probe of the engine deletes objects of this resource."""
        for experiment in self._surroundings.engine.spec.experiments:
            for other in experiment.spec.probe:
                question = _read(other, [], filled=False) if other.type == "k8sProbe" else None
                if question and question.operation == "delete" and question.called == self._question.called:
                    return True
        return False

    async def _found(self, kind: Kind[dict[str, Any]], namespace: str) -> Sequence[dict[str, Any]]:
        """What the names and the selectors both let through. Names alone need only the right to get."""
        question = self._question
        if question.names and not (question.labels or question.fields) and namespace != "*":
            found = []
            for name in question.names:
                item = await self._cluster.find(kind, name, namespace=namespace)
                found += [item] if item is not None else []
            return found
        items = await self._cluster.select(kind, namespace=namespace, labels=question.labels, fields=question.fields)
        return [item for item in items if not question.names or _name(item) in question.names]

    def _missing_right(self, error: errors.Forbidden) -> str:
        """What an administrator has to add to the role; what refused for another reason is told as it is."""
        question = self._question
        if "cannot " not in str(error):
            return f"{question.which}: {error}"
        verb = str(error).partition("cannot ")[2].split(" ", 1)[0]
        account = self._surroundings.service_account or "of the experiment"
        return (
            f"the service account {account} lacks the right to {verb} {question.called}; add to its role "
            f"apiGroups: [{question.group!r}], resources: [{question.resource!r}], verbs: [{verb!r}] ({error})"
        )


_EXPECTED: dict[Operation, str] = {
    "create": "created",
    "delete": "deleted",
    "present": "present",
    "absent": "absent",
}


def _read(probe: api.Probe, wrong: list[str], *, filled: bool = True) -> Question | None:
    """The question of a probe; mistakes are added to ``wrong``. None where there is none.

    ``filled``: what earlier probes give is in it (see ``chaining``); before, a manifest may not be YAML yet.
    """
    inputs = probe.k8s
    if inputs is None:
        wrong.append(f"{_INPUTS}: missing; a probe of type k8sProbe needs resource and operation")
        return None
    nested = inputs.command

    def given(field: str) -> str:
        """A field of either form."""
        flat, deep = getattr(inputs, field) or "", (getattr(nested, field) or "") if nested else ""
        name = "".join(part.capitalize() if place else part for place, part in enumerate(field.split("_")))
        if flat and deep and flat != deep:
            wrong.append(f"{_INPUTS}.{name}: {flat!r}, but command.{name} is {deep!r}; keep one of them")
        return str(flat or deep).strip()

    operation = inputs.operation or probe.operation
    if inputs.operation and probe.operation and inputs.operation != probe.operation:
        wrong.append(
            f"{_INPUTS}.operation: {inputs.operation!r}, but operation is {probe.operation!r}; keep one of them"
        )
    if operation is None:
        wrong.append(f"{_INPUTS}.operation: missing; it is one of {_OPERATIONS}")
        return None
    question = Question(
        operation=operation,
        group=given("group"),
        version=given("version"),
        resource=given("resource"),
        namespace=given("namespace"),
        names=tuple(name for part in (inputs.resource_names or "").split(",") if (name := part.strip())),
        labels=given("label_selector"),
        fields=given("field_selector"),
        manifest=_manifest(probe, wrong, filled=filled) if operation == "create" else {},
    )
    wrong += _mistakes(question)
    return question


def _mistakes(question: Question) -> list[str]:
    found = []
    if not question.resource:
        found.append(f"{_INPUTS}.resource: missing; write the plural, such as pods")
    if "/" in question.version:
        group, _, version = question.version.partition("/")
        found.append(f"{_INPUTS}.version: {question.version!r} must be group: {group} and version: {version}")
    if question.operation == "delete" and not (question.names or question.labels or question.fields):
        found.append(f"{_INPUTS}: would delete all {question.called}; name some by resourceNames or labelSelector")
    if question.operation == "create" and question.namespace == "*":
        found.append(f"{_INPUTS}.namespace: '*' is no namespace to create something in; name one")
    inside = (question.manifest.get("metadata") or {}).get("namespace") or question.namespace
    if question.namespace and inside != question.namespace:
        found.append(
            f"data.metadata.namespace: {inside!r}, but {_INPUTS}.namespace is {question.namespace!r}; keep one"
        )
    return found


def _manifest(probe: api.Probe, wrong: list[str], *, filled: bool) -> dict[str, Any]:
    """The object to create."""
    text = probe.data or ""
    if not text.strip():
        wrong.append("data: missing; a k8sProbe that creates needs the manifest of one object")
        return {}
    if "{{" in text and not filled:
        return {}
    try:
        documents = yaml_text.documents(text)
    except yaml_text.NotYaml as error:
        wrong.append(f"data: is no YAML: {error}")
        return {}
    if len(documents) != 1 or not isinstance(documents[0], dict):
        wrong.append("data: must be the manifest of one object")
        return {}
    manifest: dict[str, Any] = documents[0]
    meta = manifest.get("metadata")
    if not manifest.get("apiVersion") or not manifest.get("kind"):
        wrong.append("data: needs apiVersion and kind")
    elif not isinstance(meta, dict) or not (meta.get("name") or meta.get("generateName")):
        wrong.append("data.metadata.name: missing")
    else:
        return manifest
    return {}


def _name(item: dict[str, Any]) -> str:
    return str((item.get("metadata") or {}).get("name", ""))


def _count(found: Sequence[dict[str, Any]]) -> str:
    return f"found {len(found)}: {_listed(found)}" if found else "found none"


def _listed(found: Sequence[dict[str, Any]]) -> str:
    names = [_name(item) + (" (terminating)" if item["metadata"].get("deletionTimestamp") else "") for item in found]
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
