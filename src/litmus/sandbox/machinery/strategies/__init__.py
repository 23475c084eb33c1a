"""What is special about a kind: its defaults, what a write may not change, and what is refused.

The registry asks the strategy of a resource at fixed points of a write. Most kinds need one or two of them; the rest is
the behaviour of ``Strategy`` itself. Source of the shape: k8s.io/apiserver/pkg/registry/rest, RESTCreateStrategy and
RESTUpdateStrategy.
"""

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause


class Strategy:
    """A kind without peculiarities. ``obj`` and ``new`` are private copies that may be changed in place."""

    def default(self, obj: Obj) -> None:
        """Fills in what the author left out. Runs on every write, before validation."""

    def prepare_create(self, obj: Obj) -> None:
        """Sets what only the server may say; the status has been dropped already where there is a subresource."""

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """The same for an update; status and metadata have been kept apart already."""

    def validate(self, obj: Obj) -> list[Cause]:
        """What is wrong with an object, whoever sends it and whenever."""
        return []

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """What may not change."""
        return []

    def validate_status_update(self, new: Obj, old: Obj) -> list[Cause]:
        return []

    def name_causes(self, name: str) -> list[Cause] | None:
        """What is wrong with a name, or None for the rule that most kinds have (a DNS-1123 subdomain)."""
        return None

    def grace_s(self, obj: Obj, asked: int | None) -> int:
        """How many seconds a deletion gives the object; 0 removes it at once."""
        return 0
