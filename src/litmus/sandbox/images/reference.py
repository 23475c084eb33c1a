"""Names of images: registry, repository, tag, digest, and what a short name is short for.

Source: the Distribution project's reference grammar, and Docker's rule for short names (``nginx`` means
``docker.io/library/nginx:latest``).
"""

import re
from dataclasses import dataclass

DEFAULT_REGISTRY = "docker.io"
DEFAULT_TAG = "latest"
_OFFICIAL = "library/"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]+)?"
_SHAPE = re.compile(
    rf"(?:(?P<registry>{_REGISTRY})/)??(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[A-Za-z][\w.+-]*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)

_UPPER = re.compile(r"[a-z0-9._/-]*[A-Z]", re.ASCII)


class Invalid(ValueError):
    """The text is no name of an image; the message says what is wrong in the words of a container runtime."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A name taken apart. ``tag`` is '' when a digest alone was given."""

    registry: str
    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        """The full name: ``docker.io/library/nginx:latest``."""
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def name(self) -> str:
        """The full name without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def short(self) -> str:
        """The repository as people say it: without registry and without ``library/``."""
        return self.repository.rpartition(_OFFICIAL)[2] or self.repository


def parse(text: str) -> Reference:
    """A name as written in a manifest. Raises Invalid."""
    shape = _SHAPE.fullmatch(text)
    if not shape:
        why = "repository name must be lowercase" if _UPPER.match(text) else ""
        raise Invalid("invalid reference format" + (f": {why}" if why else ""))
    registry, repository = shape["registry"] or "", shape["repository"]
    first, slash, rest = repository.partition("/")
    if not registry and slash and ("." in first or ":" in first or first == "localhost"):
        registry, repository = first, rest
    elif registry and not ("." in registry or ":" in registry or registry == "localhost"):
        registry, repository = "", f"{registry}/{repository}"
    if not registry:
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and "/" not in repository:
        repository = _OFFICIAL + repository
    tag = shape["tag"] or ("" if shape["digest"] else DEFAULT_TAG)
    return Reference(registry, repository, tag, shape["digest"] or "")
