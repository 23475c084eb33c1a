"""What ``litmus install --with`` adds to the operator: one module of this package a component.

A module here that has a ``COMPONENT`` is one; nothing else lists them, neither the command line nor the Helm chart.
"""

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Sequence

from ._component import Component, Option

__all__ = ["Component", "Option", "Unknown", "deployed", "every", "named"]


class Unknown(LookupError):
    """No component of that name; the sentence lists what there is."""


@functools.cache
def every() -> tuple[Component, ...]:
    """All of them, by name."""
    modules = (found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_"))
    found = (importlib.import_module(f"{__name__}.{name}").COMPONENT for name in modules)
    return tuple(sorted(found, key=lambda component: component.name))


def deployed() -> tuple[Component, ...]:
    """Those that are a Deployment: what can be waited for, and what the Helm chart offers."""
    return tuple(component for component in every() if component.deployment)


def named(lists: Sequence[str]) -> list[Component]:
    """The components of lists such as ``hub,exporter``, each once. Raises Unknown."""
    wanted = list(dict.fromkeys(_words(lists)))
    known = {component.name: component for component in every()}
    for name in wanted:
        if name not in known:
            raise Unknown(f"there is no component {name!r}; there is {', '.join(known)}")
    return [known[name] for name in wanted]


def _words(lists: Iterable[str]) -> Iterable[str]:
    return (word.strip() for text in lists for word in text.split(",") if word.strip())
