"""docs/windows.md says what the code does: settings, limits, and a recipe that verifies what we sign."""

import argparse
import re
from pathlib import Path

from litmus.exporter.outlets import delivery, feeding, posting, settings, signature

TEXT = (Path(__file__).parents[2] / "docs" / "windows.md").read_text(encoding="utf-8")


def test_every_flag_and_variable_is_in_the_table() -> None:
    parser = argparse.ArgumentParser()
    settings.add_flags(parser)
    told = parser.format_help()
    names = set(re.findall(r"--[a-z-]+\b|\b(?:LITMUS|OTEL)_[A-Z_]+\b", told)) - {"--help"}
    assert len(names) >= 15
    assert {name for name in names if f"`{name}`" not in TEXT} == set()


def test_the_limits_are_those_of_the_code() -> None:
    assert f"more than {feeding.MEMORY_S / 60:g} minutes ago" in TEXT
    assert f"after {delivery.FIRST_PAUSE_S:g} s" in TEXT
    assert f"up to {delivery.LONGEST_PAUSE_S:g} s" in TEXT
    assert f"A try has {posting.TIMEOUT_S:g} seconds" in TEXT
    *first, last = sorted(posting._LATER)
    assert f"{', '.join(map(str, first))} or {last}" in TEXT


def test_the_recipe_accepts_what_we_sign_and_nothing_else() -> None:
    [recipe] = re.findall(r"```python\n(import hashlib.*?)```", TEXT, re.DOTALL)
    scope: dict[str, object] = {}
    exec(recipe, scope)
    clock = type("Clock", (), {"time": staticmethod(lambda: 1000.0)})
    scope["time"] = clock
    genuine = scope["genuine"]
    assert callable(genuine)
    signed = signature.headers(b"k" * 16, b"body", at=900)
    given = (signed["Litmus-Timestamp"], signed["Litmus-Signature"])
    assert genuine(b"k" * 16, b"body", *given)
    assert not genuine(b"k" * 16, b"bodY", *given)
    clock.time = staticmethod(lambda: 1201.0)  # type: ignore[attr-defined]
    assert not genuine(b"k" * 16, b"body", *given)
