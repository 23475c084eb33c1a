"""What a component is. It knows nothing of clusters: who installs, waits and uninstalls asks it for data only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litmus.hub import documents

from ..parts import Document, Installation

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Option:
    """A value of the Helm chart. ``schema`` is JSON Schema."""

    name: str
    default: Any
    help: str
    schema: Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A Deployment beside the operator, and what belongs to it; or, without ``deployment``, only objects for others.

    ``manifests`` makes everything in the order in which it has to be created; the namespace is there already. An object
    whose kind is in ``theirs`` belongs to users once it was created: an installation does not touch it again, and
    an uninstallation deletes it only as it was created.

    One whose kind is in ``foreign`` is of a definition that is not ours, and is created where the cluster has it.

    ``reach`` is a sentence that tells how to come to it in a namespace.

    For the Helm chart, which has those with a Deployment: ``values`` are its own values under its name, and
    ``template`` makes the holes for them in the manifests (``helm.holes``). The last manifest is the Deployment, and
    one is a ServiceAccount.
    """

    name: str
    help: str
    manifests: Callable[[Installation], list[Document]]
    deployment: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    theirs: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    reach: Callable[[str], str] = lambda namespace: ""
    values: Sequence[Option] = ()
    template: Callable[[list[Document], Any], None] = field(default=lambda manifests, holes: None)

    def objects(self, wanted: Installation) -> list[dict[str, Any]]:
        """The manifests as an API server wants them."""
        return [documents.plain(manifest) for manifest in self.manifests(wanted)]
