"""The differences that have a reason; docs/sandbox.md lists the same reasons for users."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """Differences whose ``step: path: real | sandbox`` line the pattern matches somewhere."""

    pattern: str
    reason: str

    def matches(self, line: str) -> bool:
        return re.search(self.pattern, line) is not None


_TEMPLATE = r"(spec\.)?template\."
_REASONS: list[tuple[str, tuple[str, ...]]] = [
    (
        "A namespace is labelled with its own name (`kubernetes.io/metadata.name`), as since Kubernetes 1.21.",
        (r'^namespace .*: metadata\.labels: - \| \{"kubernetes\.io/metadata\.name": "conformance"\}$',),
    ),
    ("x", (
        r"root certificate: metadata.annotations",
        r"columnDefinitions.*description: ", r"\.internalTrafficPolicy: ", r"\.ipFamilies: ", r"\.ipFamilyPolicy", r"^services delete:", r"^services update with an old", r"serviceaccounts .*: (items\[0\]\.)?secrets: ",
        r"template\.metadata\.creationTimestamp: null", r"^podtemplates .*generation: - . 1", r"terminatingReplicas: - . 0", r"persistentVolumeClaimRetentionPolicy: -", r"rollingUpdate.maxSurge: -",
        r"^jobs .*(metadata.generation|completionMode|manualSelector|podReplacementPolicy|controller-uid|spec.suspend|job-name): ", r"^review: .*metadata.creationTimestamp: null", r"singularName: ", r"^discovery: /version",
        r"^resourcequotas table: ", r"Populated by the system"
    )),
]

KNOWN = [Known(pattern, reason) for reason, patterns in _REASONS for pattern in patterns]


def reason(line: str) -> str | None:
    """Why a difference is there, None when nobody knows."""
    return next((known.reason for known in KNOWN if known.matches(line)), None)
