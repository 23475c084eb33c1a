"""Tokens of service accounts: JSON web tokens that the sandbox signs and verifies with a key of its own.

Source: the Kubernetes documentation "Managing Service Accounts"; the claims are those of
k8s.io/kubernetes/pkg/serviceaccount (claims.go, legacy.go). A token is worth something only while its account, and what
it is bound to, exist.
"""

import base64
import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.options import User
from litmus.sandbox.machinery.store import Store

ISSUER = "https://kubernetes.default.svc.cluster.local"
LEGACY_ISSUER = "kubernetes/serviceaccount"
_LEGACY = "kubernetes.io/serviceaccount/"
_ALGORITHM = "ES256"
_LEEWAY = timedelta(seconds=60)  # how long a pod's tokens outlive its deletionTimestamp
BINDABLE = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}
_EXTRA = "authentication.kubernetes.io/"


class Invalid(Exception):
    """The token is no (longer) good; the message says why."""


class ForOthers(Invalid):
    """The token is good, and meant for other audiences."""


def new_key() -> bytes:
    """A private key in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass(frozen=True, slots=True)
class Verified:
    """Whose token it is, and for whom it is meant ('' nobody in particular: a legacy one)."""

    user: User
    audiences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Issued:
    """``expires``: when, in UTC."""

    token: str
    expires: datetime


def user_of(namespace: str, name: str, *, uid: str = "", extra: dict[str, list[str]] | None = None) -> User:
    """The user that a service account is. Source: k8s.io/apiserver/pkg/authentication/serviceaccount."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(name=f"system:serviceaccount:{namespace}:{name}", groups=groups, uid=uid, extra=extra or {})


class Issuer:
    """Signs and verifies. ``now``: the clock, in UTC."""

    def __init__(self, key: bytes, *, store: Store, now: Callable[[], datetime]) -> None:
        private = serialization.load_pem_private_key(key, password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError("the key of service accounts is no elliptic-curve key")
        self._private = private
        self._public = private.public_key()
        self._store = store
        self._now = now
        self.key_id = _key_id(self._public)

    def issue(
        self,
        account: Obj,
        *,
        seconds: int,
        audiences: Sequence[str] = (ISSUER,),
        bound: Obj | None = None,
    ) -> Issued:
        """A token of an account for some time; ``bound`` is the Pod, Secret or Node that it dies with."""
        now = self._now().replace(microsecond=0)
        expires = now + timedelta(seconds=seconds)
        namespace, name = objects.key(account)
        private: Obj = {"namespace": namespace, "serviceaccount": {"name": name, "uid": objects.uid(account)}}
        if bound is not None:
            private |= self._bound_claims(bound)
        claims = {
            "aud": list(audiences),
            "exp": int(expires.timestamp()),
            "iat": int(now.timestamp()),
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": dict(sorted(private.items())),
            "nbf": int(now.timestamp()),
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        return Issued(self._sign(claims), expires)

    def legacy(self, account: Obj, secret: Obj) -> str:
        """The token for a secret of type kubernetes.io/service-account-token; it does not expire."""
        namespace, name = objects.key(account)
        claims = {
            "iss": LEGACY_ISSUER,
            f"{_LEGACY}namespace": namespace,
            f"{_LEGACY}secret.name": objects.name(secret),
            f"{_LEGACY}service-account.name": name,
            f"{_LEGACY}service-account.uid": objects.uid(account),
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        return self._sign(claims)

    def verify(self, token: str, *, audiences: Sequence[str] = (ISSUER,)) -> Verified:
        """Raises Invalid. ``audiences``: the token must be meant for one of them."""
        try:
            claims = jwt.decode(
                token,
                self._public,
                algorithms=[_ALGORITHM],
                options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise Invalid(str(error)) from error
        if claims.get("iss") == LEGACY_ISSUER:
            return self._verified_legacy(claims)
        if claims.get("iss") != ISSUER:
            raise Invalid("invalid issuer")
        return self._verified(claims, audiences)

    def jwks(self) -> Obj:
        """The public key, as /openid/v1/jwks shows it."""
        found: Obj = jwt.algorithms.ECAlgorithm.to_jwk(self._public, as_dict=True)
        return {"keys": [{"use": "sig", "alg": _ALGORITHM, "kid": self.key_id, **found}]}

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._private, algorithm=_ALGORITHM, headers={"kid": self.key_id})

    def _bound_claims(self, bound: Obj) -> Obj:
        kind = bound["kind"].lower()
        claims: Obj = {kind: {"name": objects.name(bound), "uid": objects.uid(bound)}}
        node = (bound.get("spec") or {}).get("nodeName") if kind == "pod" else None
        if node:
            found = self._store.get("nodes", Key("", node))
            claims["node"] = {"name": node, "uid": objects.uid(found)} if found else {"name": node}
        return claims

    def _verified(self, claims: dict[str, Any], audiences: Sequence[str]) -> Verified:
        now = self._now().timestamp()
        if claims.get("exp", 0) <= now:
            raise Invalid("service account token has expired")
        if claims.get("nbf", 0) > now + _LEEWAY.total_seconds():
            raise Invalid("service account token is not valid yet")
        meant = tuple(name for name in claims.get("aud") or () if name in audiences)
        if not meant:
            mine, theirs = (f"[{' '.join(map(status.shown, each))}]" for each in (claims.get("aud") or (), audiences))
            raise ForOthers(f"token audiences {mine} is invalid for the target audiences {theirs}")
        private = claims.get("kubernetes.io") or {}
        account = private.get("serviceaccount") or {}
        namespace = private.get("namespace", "")
        self._check("serviceaccounts", Key(namespace, account.get("name", "")), account.get("uid"))
        extra = {f"{_EXTRA}credential-id": [f"JTI={claims.get('jti', '')}"]}
        for kind, plural in BINDABLE.items():
            about = private.get(kind.lower())
            if about is None:
                continue
            if not (kind == "Node" and "pod" in private):  # the node of a pod may go, the pod's token stays good
                self._check(plural, Key("" if kind == "Node" else namespace, about["name"]), about.get("uid"))
            if kind != "Secret":
                extra[f"{_EXTRA}{kind.lower()}-name"] = [about["name"]]
                if about.get("uid"):
                    extra[f"{_EXTRA}{kind.lower()}-uid"] = [about["uid"]]
        user = user_of(namespace, account["name"], uid=account["uid"], extra=extra)
        return Verified(user, meant)

    def _verified_legacy(self, claims: dict[str, Any]) -> Verified:
        namespace, name = claims.get(f"{_LEGACY}namespace", ""), claims.get(f"{_LEGACY}service-account.name", "")
        uid = claims.get(f"{_LEGACY}service-account.uid", "")
        secret = self._store.get("secrets", Key(namespace, claims.get(f"{_LEGACY}secret.name", "")))
        if secret is None or objects.leaving(secret):
            raise Invalid("Token has been invalidated")
        self._check("serviceaccounts", Key(namespace, name), uid)
        return Verified(user_of(namespace, name, uid=uid), (ISSUER,))

    def _check(self, storage: str, key: Key, uid: str | None) -> None:
        found = self._store.get(storage, key)
        if found is None:
            raise Invalid(f"{status.qualified(storage, '')} {key} is gone")
        if uid and objects.uid(found) != uid:
            raise Invalid(f"{storage} {key} is not the one that the token was made for")
        ends = objects.meta(found).get("deletionTimestamp")
        if ends and objects.moment(ends) + _LEEWAY < self._now().astimezone(UTC):
            raise Invalid(f"{storage} {key} is being deleted")


def _key_id(public: ec.EllipticCurvePublicKey) -> str:
    encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(encoded).digest()).decode().rstrip("=")
