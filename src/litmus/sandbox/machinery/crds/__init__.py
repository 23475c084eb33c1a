"""CustomResourceDefinitions: the kind itself, and the kinds that it brings into being.

``sync`` tells a catalogue what a definition serves now and returns how each of those resources behaves;
``DefinitionStrategy`` is the behaviour of definitions, ``CustomStrategy`` that of the objects they define.
"""

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Catalogue, Resource

from . import resources
from .definition import FINALIZER, DefinitionStrategy
from .strategy import CustomStrategy

__all__ = ["FINALIZER", "CustomStrategy", "DefinitionStrategy", "sync"]


def sync(catalogue: Catalogue, old: Obj | None, new: Obj | None) -> dict[Resource, CustomStrategy]:
    """Takes what ``old`` served out of the catalogue and puts in what ``new`` serves; None: there is no such state.

    Returns the strategy of each resource that is served now, the preferred version first.
    """
    known = {f"{crd['spec']['names']['plural']}.{crd['spec']['group']}" for crd in (old, new) if crd}
    for resource in [one for one in catalogue if one.custom and one.qualified in known]:
        catalogue.remove(resource)
    found = {resource: CustomStrategy(resource, new) for resource in resources.of(new)} if new else {}
    for resource in found:
        catalogue.add(resource)
    return found
