"""Which objects a list, a watch, a controller or a policy means: by labels and by fields.

``labels.parse`` and ``fields.parse`` read the two query parameters; ``from_label_selector`` reads the LabelSelector
objects inside specs. Source: the documentation "Labels and Selectors" and "Field Selectors".
"""

from typing import Protocol

from litmus.sandbox.machinery.objects import Obj

from .labels import EVERYTHING, NOTHING, from_label_selector

__all__ = ["EVERYTHING", "NOTHING", "Selector", "from_label_selector"]


class Selector(Protocol):
    """Says of an object whether it is meant; ``str`` gives the text that the API shows."""

    def matches(self, obj: Obj) -> bool:
        """Whether the object, as it lies in the store, is selected."""
