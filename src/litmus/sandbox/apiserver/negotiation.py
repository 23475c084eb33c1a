"""Which form an answer takes: the Accept header, and whether a person reads along.

Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation; the documentation "Resource representations". We write JSON
and YAML. Protobuf is never written: clients list JSON beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from litmus.sandbox.machinery.status import Refusal

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
META, META_VERSIONS = "meta.k8s.io", ("v1", "v1beta1")
_NAMES = {"*/*": JSON, "application/*": JSON, JSON: JSON, YAML: YAML}
_OFFERED = f"{JSON}, {YAML}, {PROTOBUF}"
_WATCH_OFFERED = f"{JSON};stream=watch, {PROTOBUF};stream=watch"
_PEOPLE = ("curl", "Wget", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Accepted:
    """``transform`` is '', Table, PartialObjectMetadata(List) or what a discovery client asks for."""

    media_type: str = JSON
    transform: str = ""
    group: str = ""
    version: str = ""
    pretty: bool = False


@dataclass(frozen=True, slots=True)
class _Clause:
    media_type: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def quality(self) -> float:
        try:
            return float(self.parameters.get("q", "1"))
        except ValueError:
            return 0.0


def _clauses(header: str) -> list[_Clause]:
    """The alternatives of an Accept header, the preferred ones first."""
    found = []
    for text in header.split(","):
        media_type, *rest = [part.strip() for part in text.split(";")]
        pairs = (part.partition("=") for part in rest)
        found.append(_Clause(media_type, {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}))
    return sorted(found, key=lambda clause: -clause.quality)


def negotiate(header: str, *, transforms: Iterable[tuple[str, str, str]] = (), pretty: bool = False) -> Accepted:
    """The first alternative that we can write.

    ``transforms``: the (group, version, as) that the endpoint knows. Raises Refusal 406.
    """
    known = set(transforms)
    refused = False
    for clause in _clauses(header or "*/*"):
        media_type = _NAMES.get(clause.media_type)
        if media_type is None:
            continue
        if "as" not in clause.parameters:
            return Accepted(media_type, pretty=pretty)
        asked = (clause.parameters.get("g", ""), clause.parameters.get("v", ""), clause.parameters["as"])
        if asked in known:
            return Accepted(media_type, asked[2], asked[0], asked[1], pretty)
        refused = True
    if not refused:  # no media type that we know
        if PROTOBUF in header:
            raise unacceptable(f"only the following media types are accepted: {JSON}, {YAML}")
        raise Refusal(406, "NotAcceptable", "406: Not Acceptable")
    raise unacceptable(f"only the following media types are accepted: {_OFFERED}")


def unacceptable(message: str) -> Refusal:
    """406: none of the forms that the client reads."""
    return Refusal(406, "NotAcceptable", message)


def of_meta(*kinds: str) -> list[tuple[str, str, str]]:
    """The transforms of group meta.k8s.io."""
    return [(META, version, kind) for version in META_VERSIONS for kind in kinds]


def of_objects(header: str, *, table: bool, pretty: bool) -> Accepted:
    """For one object or a list of them. Raises Refusal 406."""
    kinds = ("PartialObjectMetadata", "PartialObjectMetadataList", *(("Table",) if table else ()))
    return negotiate(header, transforms=of_meta(*kinds), pretty=pretty)


def of_watch(header: str) -> Accepted:
    """For a stream of events, which is JSON always. Raises Refusal 406."""
    found = negotiate(header, transforms=of_meta("Table", "PartialObjectMetadata", "PartialObjectMetadataList"))
    if found.media_type != JSON:
        raise unacceptable(f"only the following media types are accepted: {_WATCH_OFFERED}")
    return found


def wants_pretty(parameter: str | None, user_agent: str) -> bool:
    """Whether the answer is indented: asked for, or a person is at the other end."""
    if parameter is not None:
        return parameter.lower() not in ("0", "false")
    return user_agent.startswith(_PEOPLE)
