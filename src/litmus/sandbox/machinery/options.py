"""Who asks, and how a verb is to be carried out: the query and the options object of a request, as data."""

from dataclasses import dataclass, field

from .objects import Obj

BACKGROUND, FOREGROUND, ORPHAN = "Background", "Foreground", "Orphan"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Source: k8s.io/apiserver/pkg/authentication/user."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict)


SYSTEM = User(name="system:apiserver", groups=("system:masters",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to write. ``warnings`` collects what the client is to be told beside the answer."""

    user: User = SYSTEM
    dry_run: bool = False
    manager: str = ""
    force: bool = False
    field_validation: str = "Warn"
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions(Options):
    """How to delete. ``grace_s``: seconds, None for the object's own; ``propagation``: '' for the kind's default."""

    grace_s: int | None = None
    propagation: str = ""
    uid: str = ""
    resource_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of a list. ``continue_`` is '' on the last one; ``remaining`` is None when nobody can know."""

    items: list[Obj]
    revision: int
    continue_: str = ""
    remaining: int | None = None
