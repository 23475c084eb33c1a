"""What every namespace has from the start, and tokens in Secrets for who asks for them so.

Source: "Managing Service Accounts" and "Secrets", "ServiceAccount token Secrets", of the Kubernetes documentation;
k8s.io/kubernetes/pkg/controller/serviceaccount and pkg/controller/certificates/rootcacertpublisher.
"""

import base64
from collections.abc import Callable, Iterable, Mapping

from ..machinery import objects
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj

DEFAULT = "default"
TOKEN_TYPE = "kubernetes.io/service-account-token"
ACCOUNT_NAME = "kubernetes.io/service-account.name"
ACCOUNT_UID = "kubernetes.io/service-account.uid"
ROOT_CA = "kube-root-ca.crt"
ROOT_CA_SAYS = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)

Issue = Callable[[Obj, Obj], str]
"""Service account and Secret → a token that does not expire and that is valid while both exist."""


def _of_namespace(obj: Obj) -> list[Key]:
    return [Key("", objects.namespace(obj))]


class ServiceAccounts:
    """An account named default in every namespace."""

    name = "serviceaccount-controller"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "namespaces": lambda namespace: [objects.key(namespace)],
            "serviceaccounts": lambda account: _of_namespace(account) if objects.name(account) == DEFAULT else [],
        }

    def reconcile(self, key: Key) -> None:
        """Make the account when it is missing."""
        if _lives(self._cluster, key.name) and self._cluster.get("serviceaccounts", DEFAULT, key.name) is None:
            self._cluster.create("serviceaccounts", {"metadata": {"name": DEFAULT, "namespace": key.name}})


class RootCa:
    """The certificate of the API server's authority in every namespace; ``ca`` is its PEM text."""

    name = "root-ca-certificate-publisher-controller"

    def __init__(self, cluster: Cluster, *, ca: str) -> None:
        self._cluster = cluster
        self._data = {"ca.crt": ca}
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "namespaces": lambda namespace: [objects.key(namespace)],
            "configmaps": lambda config: _of_namespace(config) if objects.name(config) == ROOT_CA else [],
        }

    def reconcile(self, key: Key) -> None:
        """Make the ConfigMap when it is missing, put it right when somebody has changed it."""
        if not _lives(self._cluster, key.name):
            return
        current = self._cluster.get("configmaps", ROOT_CA, key.name)
        if current is None:
            meta = {"name": ROOT_CA, "namespace": key.name, "annotations": {"kubernetes.io/description": ROOT_CA_SAYS}}
            self._cluster.create("configmaps", {"metadata": meta, "data": self._data})
        elif current.get("data") != self._data:
            self._cluster.update("configmaps", {**current, "data": self._data})


class TokenSecrets:
    """Fills Secrets of the type for tokens, and removes them with their account."""

    name = "serviceaccount-token-controller"

    def __init__(self, cluster: Cluster, *, ca: str, issue: Issue) -> None:
        self._cluster = cluster
        self._ca, self._issue = ca, issue
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "secrets": lambda secret: [objects.key(secret)] if secret.get("type") == TOKEN_TYPE else [],
            "serviceaccounts": self._secrets,
        }

    def _secrets(self, account: Obj) -> list[Key]:
        found = self._cluster.list("secrets", objects.namespace(account))
        return [
            objects.key(secret)
            for secret in found
            if secret.get("type") == TOKEN_TYPE
            and objects.annotations(secret).get(ACCOUNT_NAME) == objects.name(account)
        ]

    def reconcile(self, key: Key) -> None:
        """Write token, CA certificate and namespace into one Secret."""
        secret = self._cluster.get("secrets", key.name, key.namespace)
        if secret is None or secret.get("type") != TOKEN_TYPE or objects.leaving(secret):
            return
        asked = objects.annotations(secret)
        account = self._cluster.get("serviceaccounts", asked.get(ACCOUNT_NAME, ""), key.namespace)
        if account is None or asked.get(ACCOUNT_UID) not in (None, "", objects.uid(account)):
            self._cluster.delete("secrets", key.name, key.namespace, uid=objects.uid(secret))
            return
        data = secret.get("data") or {}
        if data.get("token") and data.get("ca.crt") and data.get("namespace") and asked.get(ACCOUNT_UID):
            return
        changed = objects.copy(secret)
        changed["metadata"]["annotations"][ACCOUNT_UID] = objects.uid(account)
        token = data.get("token") or _encoded(self._issue(account, secret))
        known = {"ca.crt": _encoded(self._ca), "namespace": _encoded(key.namespace), "token": token}
        changed["data"] = {**data, **known}
        self._cluster.update("secrets", changed)


def _lives(cluster: Cluster, namespace: str) -> bool:
    found = cluster.get("namespaces", namespace)
    return found is not None and not objects.leaving(found)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
