"""The differences that have a reason; docs/sandbox.md lists the same reasons for users."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """Differences whose ``step: path: values`` line matches."""

    pattern: str
    reason: str


KNOWN: list[Known] = []


def reason(step: str, line: str) -> str | None:
    """Why a difference is there, None when nobody knows."""
    return next((known.reason for known in KNOWN if re.search(known.pattern, f"{step}: {line}")), None)
