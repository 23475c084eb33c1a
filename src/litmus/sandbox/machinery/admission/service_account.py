"""ServiceAccount: every pod runs as somebody and finds the token of its account mounted.

Source: documentation "Managing Service Accounts", "Bound service account tokens"; plugin/pkg/admission/serviceaccount.
"""

from litmus.sandbox.machinery import names, objects
from litmus.sandbox.machinery.objects import Obj

from .request import Request

DEFAULT = "default"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX = "kube-api-access-"
ROOT_CA = "kube-root-ca.crt"
TOKEN_S = 3607
"""An hour and a little, by which the kubelet knows tokens that it may let live longer."""
FILE_MODE = 0o644
_MIRROR = "kubernetes.io/config.mirror"


def admit(request: Request) -> None:
    """Names the account, and mounts its token unless pod or account do not want that; 403 when it is not there."""
    if not request.creates("pods"):
        return
    spec = request.obj["spec"]
    if _MIRROR in objects.annotations(request.obj):
        _check_mirror(request)
        return
    name = spec.setdefault("serviceAccountName", DEFAULT)
    spec["serviceAccount"] = name
    account = request.reader.get("serviceaccounts", name, request.namespace)
    if account is None:
        why = f'error looking up service account {request.namespace}/{name}: serviceaccount "{name}" not found'
        raise request.forbidden(why)
    if _wants_token(spec, account):
        _mount(spec)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [{"name": found.get("name", "")} for found in account["imagePullSecrets"]]


def _check_mirror(request: Request) -> None:
    """The image in the API of a pod that a node runs by itself."""
    spec = request.obj["spec"]
    if spec.get("serviceAccountName"):
        raise request.forbidden("a mirror pod may not reference service accounts")
    if any("secret" in volume for volume in spec.get("volumes", ())):
        raise request.forbidden("a mirror pod may not reference secrets")


def _wants_token(spec: Obj, account: Obj) -> bool:
    for holder in (spec, account):
        if isinstance(wanted := holder.get("automountServiceAccountToken"), bool):
            return wanted
    return True


def _mount(spec: Obj) -> None:
    needing = [
        container
        for kind in ("initContainers", "containers")
        for container in spec.get(kind, ())
        if all(mount.get("mountPath") != MOUNT_PATH for mount in container.get("volumeMounts", ()))
    ]
    if not needing:
        return
    name = _known_volume(spec)
    if not name:
        name = VOLUME_PREFIX + names.suffix()
        spec["volumes"] = [*spec.get("volumes", ()), {"name": name, "projected": token_projection()}]
    for container in needing:
        mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
        container["volumeMounts"] = [*container.get("volumeMounts", ()), mount]


def _known_volume(spec: Obj) -> str:
    """A copy of another pod brings the volume along."""
    for volume in spec.get("volumes", ()):
        name: str = volume.get("name", "")
        if name.startswith(VOLUME_PREFIX) and volume.get("projected") == token_projection():
            return name
    return ""


def token_projection() -> Obj:
    """The volume with the token, the certificate of the API server's authority, and the namespace."""
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_S, "path": "token"}},
            {"configMap": {"name": ROOT_CA, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": FILE_MODE,
    }
