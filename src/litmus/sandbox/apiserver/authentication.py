"""Who asks: bearer tokens, and whom they pretend to be.

Source: the Kubernetes documentation "Authenticating" (static token file, service account tokens, anonymous requests,
user impersonation) and k8s.io/apiserver/pkg/endpoints/filters/impersonation.go.
"""

from collections.abc import Mapping
from urllib.parse import unquote

from starlette.datastructures import Headers

from litmus.sandbox.apiserver import rbac, tokens
from litmus.sandbox.apiserver.authorization import Authorizer
from litmus.sandbox.apiserver.rbac import Attributes
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.options import User

AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
ANONYMOUS = User(name="system:anonymous", groups=(UNAUTHENTICATED,))
_AUTHENTICATION = "authentication.k8s.io"
_EXTRA = "impersonate-extra-"


class IncompleteImpersonation(Exception):
    """Groups, uid or extras without a user; the server answers 500 with the text, as Kubernetes does."""


class Authenticator:
    """``static``: token → user; these users are given the group system:authenticated."""

    def __init__(self, static: Mapping[str, User], issuer: tokens.Issuer) -> None:
        self._static = {token: _authenticated(user) for token, user in static.items()}
        self._issuer = issuer

    def request(self, headers: Headers) -> User:
        """The user of a request. Raises Refusal 401."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        found = self._static.get(token.strip())
        if found is not None:
            return found
        try:
            return self._issuer.verify(token.strip()).user
        except tokens.Invalid as error:
            raise status.unauthorized() from error

    def review(self, token: str, audiences: tuple[str, ...]) -> tokens.Verified:
        """What a TokenReview finds. Raises tokens.Invalid."""
        found = self._static.get(token)
        if found is not None:
            return tokens.Verified(found, (tokens.ISSUER,))
        return self._issuer.verify(token, audiences=audiences or (tokens.ISSUER,))


def _authenticated(user: User) -> User:
    if AUTHENTICATED in user.groups:
        return user
    return User(name=user.name, groups=(*user.groups, AUTHENTICATED), uid=user.uid, extra=user.extra)


def impersonated(headers: Headers, user: User, authorizer: Authorizer) -> User:
    """The user that the headers name, or the one who asks. Raises Refusal 403 and IncompleteImpersonation."""
    name = headers.get("impersonate-user", "")
    groups, uid = headers.getlist("impersonate-group"), headers.get("impersonate-uid", "")
    extra = _extra(headers)
    if not name:
        if groups or uid or extra:
            raise IncompleteImpersonation(_without_user(groups, uid, extra))
        return user
    account = rbac.service_account_of(User(name=name))
    if account is not None:
        about = {"resource": "serviceaccounts", "namespace": account.namespace, "name": account.name}
        authorizer.check(Attributes(user=user, verb="impersonate", **about))
    else:
        authorizer.check(Attributes(user=user, verb="impersonate", resource="users", name=name))
    for group in groups:
        authorizer.check(Attributes(user=user, verb="impersonate", resource="groups", name=group))
    for key, values in extra.items():
        for value in values:
            about = {"resource": "userextras", "subresource": key, "name": value, "group": _AUTHENTICATION}
            authorizer.check(Attributes(user=user, verb="impersonate", **about))
    if uid:
        about = {"resource": "uids", "name": uid, "group": _AUTHENTICATION}
        authorizer.check(Attributes(user=user, verb="impersonate", **about))
    if account is not None and not groups:
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{account.namespace}"]
    everybody = UNAUTHENTICATED if name == ANONYMOUS.name else AUTHENTICATED
    if everybody not in groups:
        groups = [*groups, everybody]
    return User(name=name, groups=tuple(groups), uid=uid, extra=extra)


def _extra(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in headers.items():
        if key.startswith(_EXTRA):
            found.setdefault(unquote(key.removeprefix(_EXTRA)), []).append(value)
    return found


def _without_user(groups: list[str], uid: str, extra: Mapping[str, list[str]]) -> str:
    """The list of references as Go prints it."""
    asked = [f"{{Group  {group}    }}" for group in groups]
    asked += [
        f"{{UserExtra  {value}  {_AUTHENTICATION}/v1  {key}}}" for key, values in extra.items() for value in values
    ]
    asked += [f"{{UID  {uid}  {_AUTHENTICATION}/v1  }}"] if uid else []
    return f"requested [{' '.join(asked)}] without impersonating a user"
