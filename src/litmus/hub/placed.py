"""A manifest of a hub put where its user wants it: namespace and image are filled in, the rest stays as it was written.

The text is changed and not written anew, so that the comments of its author stay. Roles of old charts name a version
of RBAC that Kubernetes 1.22 removed and that says the same as the one of today; they get that. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

_RBAC = "rbac.authorization.k8s.io"
_CLUSTERWIDE = frozenset(
    {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace", "PodSecurityPolicy", "PriorityClass"}
)


@dataclass(frozen=True, slots=True)
class _Edit:
    """Text in place of what stands between two positions."""

    start: int
    end: int
    text: str


def text(manifest: str, *, namespace: str = "", image: str = "") -> str:
    """The manifest with what is given filled in. Raises yaml.YAMLError for what is no YAML.

    ``namespace`` goes into every object that can have one, into who a binding names, and into the application of an
    engine; ``image`` into ChaosExperiments.
    """
    edits = {
        edit.start: edit  # an alias leads to the same place twice
        for document in yaml.compose_all(manifest, Loader=yaml.SafeLoader)
        for thing in _objects(document)
        for edit in (*_modernized(thing), *_namespaced(thing, namespace), *_imaged(thing, image))
    }
    for start in sorted(edits, reverse=True):
        edit = edits[start]
        manifest = manifest[: edit.start] + edit.text + manifest[edit.end :]
    return manifest


def _objects(document: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if not isinstance(document, yaml.MappingNode):
        return
    items = _child(document, "items")
    if _word(document, "kind") == "List" and isinstance(items, yaml.SequenceNode):
        for item in items.value:
            yield from _objects(item)
    else:
        yield document


def _modernized(thing: yaml.MappingNode) -> Iterator[_Edit]:
    version = _child(thing, "apiVersion")
    if isinstance(version, yaml.ScalarNode) and version.value in (f"{_RBAC}/v1alpha1", f"{_RBAC}/v1beta1"):
        yield _replaced(version, f"{_RBAC}/v1")


def _namespaced(thing: yaml.MappingNode, namespace: str) -> Iterator[_Edit]:
    if not namespace:
        return
    metadata = _child(thing, "metadata")
    if isinstance(metadata, yaml.MappingNode) and _word(thing, "kind") not in _CLUSTERWIDE:
        yield from _set(metadata, "namespace", namespace)
    subjects = _child(thing, "subjects")
    for subject in subjects.value if isinstance(subjects, yaml.SequenceNode) else ():
        if isinstance(subject, yaml.MappingNode) and _word(subject, "kind") == "ServiceAccount":
            yield from _set(subject, "namespace", namespace)
    if _word(thing, "kind") == "ChaosEngine":
        application = _child(_child(thing, "spec"), "appinfo")
        if isinstance(application, yaml.MappingNode):
            yield from _set(application, "appns", namespace)


def _imaged(thing: yaml.MappingNode, image: str) -> Iterator[_Edit]:
    named = _child(_child(_child(thing, "spec"), "definition"), "image")
    if image and _word(thing, "kind") == "ChaosExperiment" and isinstance(named, yaml.ScalarNode):
        yield _replaced(named, image)


def _set(mapping: yaml.MappingNode, key: str, value: str) -> Iterator[_Edit]:
    """Replaces a value, or adds it behind the name, in the style of its neighbours."""
    present = _child(mapping, key)
    if present is not None:
        yield _replaced(present, value)
        return
    if not mapping.value:
        return
    neighbour, named = next(((k, v) for k, v in mapping.value if k.value == "name"), mapping.value[0])
    if mapping.flow_style:
        start = named.end_mark.index
        yield _Edit(start, start, f", {key}: {_quoted(value)}")
    elif isinstance(named, yaml.ScalarNode) and named.style not in ("|", ">"):
        start = named.end_mark.index
        yield _Edit(start, start, f"\n{' ' * neighbour.start_mark.column}{key}: {_quoted(value)}")
    else:  # what is nested ends who knows where
        start = neighbour.start_mark.index
        yield _Edit(start, start, f"{key}: {_quoted(value)}\n{' ' * neighbour.start_mark.column}")


def _replaced(node: yaml.Node, value: str) -> _Edit:
    start, end = node.start_mark.index, node.end_mark.index
    if start == end:  # `key:` without a value has no space behind it
        return _Edit(start, end, f" {_quoted(value)}")
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    return _Edit(start, end, _in_quotes(value) if style in ("'", '"') else _quoted(value))


def _quoted(value: str) -> str:
    """With quotes where it would be read as something else without them, a number for instance."""
    try:
        return value if yaml.safe_load(value) == value else _in_quotes(value)
    except yaml.YAMLError:
        return _in_quotes(value)


def _in_quotes(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _word(node: yaml.MappingNode, key: str) -> str:
    found = _child(node, key)
    return str(found.value) if isinstance(found, yaml.ScalarNode) else ""
