"""Tokens of service accounts, bound to a pod, renewed before they expire.

Source: Kubernetes documentation, "Service account token volume projection": a kubelet renews a token when it is older
than 80 % of its time, or than 24 hours.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from litmus.sandbox.client import Client
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

DEFAULT_S = 3600
_RENEWED_AFTER = 0.8
_LONGEST = timedelta(hours=24)


@dataclass(slots=True)
class Tokens:
    """The tokens of one pod."""

    client: Client
    pod: Callable[[], Obj]
    _known: dict[tuple[str, int], tuple[str, datetime]] = field(default_factory=dict)
    """(audience, seconds) → the token, and when it is to be renewed."""

    async def of(self, projection: Obj) -> str:
        """The token for a projection. Raises Refusal and Unreachable."""
        audience = projection.get("audience") or ""
        lasting_s = int(projection.get("expirationSeconds") or DEFAULT_S)
        known = self._known.get((audience, lasting_s))
        if known and datetime.now(UTC) < known[1]:
            return known[0]
        pod = self.pod()
        wanted = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [audience] if audience else [],
                "expirationSeconds": lasting_s,
                "boundObjectRef": {
                    "kind": "Pod",
                    "apiVersion": "v1",
                    "name": objects.name(pod),
                    "uid": objects.uid(pod),
                },
            },
        }
        account = (pod.get("spec") or {}).get("serviceAccountName") or "default"
        answer = await self.client.create(
            "serviceaccounts", wanted, objects.namespace(pod), name=account, subresource="token"
        )
        found = answer["status"]
        now = datetime.now(UTC)
        lasting = objects.moment(found["expirationTimestamp"]) - now
        self._known[audience, lasting_s] = (found["token"], now + min(lasting * _RENEWED_AFTER, _LONGEST))
        return str(found["token"])
