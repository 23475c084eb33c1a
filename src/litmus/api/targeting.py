"""Which application an engine names, in the one form that the runner hands to an experiment.

The form is that of 3.x, ``kind:namespace:[names or labels]`` joined by ``;`` (reference, 2.2): it carries everything
that ``appinfo`` of 1.10 and ``selectors`` of 3.x can say, and it can name the annotated workloads one by one.
"""

import re
from dataclasses import dataclass

from .engine import EngineSpec

ANY_OWNER = "KIND"
POD = "pod"

_ENTRY = re.compile(r"(?P<kind>[^:;]*):(?P<namespace>[^:;]*):\[(?P<items>[^\]]*)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppTarget:
    """An application: workloads of a kind by name or by label, pods by name, or any pods with a label."""

    kind: str
    namespace: str
    names: tuple[str, ...] = ()
    labels: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}:[{','.join(self.names) or self.labels}]"

    def describe(self) -> str:
        """For people: 'deployment with label app=nginx in namespace nginx'."""
        what = "pods of any owner" if self.kind == ANY_OWNER else self.kind
        which = f" {', '.join(self.names)}" if self.names else (f" with label {self.labels}" if self.labels else "")
        return f"{what}{which} in namespace {self.namespace}"


def render(targets: list[AppTarget]) -> str:
    """The value of TARGETS."""
    return ";".join(map(str, targets))


def parse(text: str) -> list[AppTarget]:
    """The targets in a TARGETS value. Raises ValueError with the entry that can't be read."""
    found = []
    for entry in re.split(r";(?![^\[]*\])", text):
        match = _ENTRY.fullmatch(entry.strip())
        if not match:
            raise ValueError(f"TARGETS entry {entry!r} is not of the form kind:namespace:[names or labels]")
        items = match["items"].strip()
        # A selector has an operator; names are plain words. Pods are named only, pods of any owner never.
        by_label = match["kind"] in ("", ANY_OWNER) or (match["kind"] != POD and is_selector(items))
        labels = items if by_label else ""
        names = () if labels or not items else tuple(word.strip() for word in items.split(",") if word.strip())
        found.append(
            AppTarget(kind=match["kind"] or ANY_OWNER, namespace=match["namespace"], names=names, labels=labels)
        )
    return found


def is_selector(text: str) -> bool:
    """Whether a text can be told from a list of names: ``tier`` alone, 'has the label', can't."""
    return re.search(r"[=!()]|\s(in|notin)\s", text) is not None


def of_engine(spec: EngineSpec, *, namespace: str) -> list[AppTarget]:
    """What the engine names: its selectors, else its appinfo; empty for an engine without an application."""
    if spec.selectors:
        workloads = [
            AppTarget(kind=w.kind, namespace=w.namespace, names=_split(w.names), labels=w.labels)
            for w in spec.selectors.workloads
        ]
        pods = [AppTarget(kind=POD, namespace=p.namespace, names=_split(p.names)) for p in spec.selectors.pods]
        return workloads + pods
    app = spec.appinfo
    if not (app.applabel or app.appkind or app.appns):
        return []
    return [AppTarget(kind=app.appkind or ANY_OWNER, namespace=app.appns or namespace, labels=app.applabel)]


def auxiliary(text: str) -> list[AppTarget]:
    """The applications of ``auxiliaryAppInfo``: ``ns1:name=percona,ns2:run=nginx``. Raises ValueError."""
    found = []
    for entry in _split(text):
        namespace, colon, label = entry.partition(":")
        if not (namespace and colon and label):
            raise ValueError(f"auxiliaryAppInfo: {entry!r} is not of the form namespace:label")
        found.append(AppTarget(kind=ANY_OWNER, namespace=namespace, labels=label))
    return found


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
