"""Whatever a prober sees in these tests is of a kind that is known."""

import pytest

from litmus.probes import failures
from litmus.probes.contract import Observation


@pytest.fixture(autouse=True)
def _known_kinds(monkeypatch):
    make = Observation.__init__

    def checked(self, *given, **named):
        make(self, *given, **named)
        assert not (self.passed and self.error), "what passed has no kind of failure"
        assert not self.error or failures.known(self.error), f"{self.error!r} is none of the kinds of failure"

    monkeypatch.setattr(Observation, "__init__", checked)
