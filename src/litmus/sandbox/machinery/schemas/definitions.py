"""The names of definitions in Kubernetes' OpenAPI documents, and where lightkube keeps the same types.

``io.k8s.api.apps.v1.Deployment`` is ``lightkube.models.apps_v1.Deployment``; its short name here is
``apps.v1.Deployment``.
"""

_PREFIXES = {
    "meta": "io.k8s.apimachinery.pkg.apis.meta",
    "apiextensions": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
    "apiregistration": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
}
_MODULES_OF_GROUPS = {"": "core", "rbac.authorization.k8s.io": "rbac"}
_SHORT_GROUPS = ("apps", "autoscaling", "batch", "policy")

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
TIME, MICRO_TIME = f"{META}.Time", f"{META}.MicroTime"
JSON = f"{_PREFIXES['apiextensions']}.v1.JSON"


def module(group: str, version: str) -> str:
    """The module of lightkube.models that holds a group's types."""
    return f"{_MODULES_OF_GROUPS.get(group) or group.partition('.')[0]}_{version}"


def named(module: str, name: str) -> str:
    """The definition's name of a class in a module (``apps_v1``)."""
    package, _, version = module.rpartition("_")
    return f"{_PREFIXES.get(package, f'io.k8s.api.{package}')}.{version}.{name}"


def short(definition: str) -> str:
    """``apps.v1.DeploymentSpec``: the last three words."""
    return ".".join(definition.split(".")[-3:])


def group_version(definition: str) -> tuple[str, str]:
    """The API group and version of a definition that is a kind."""
    package, version, _ = definition.split(".")[-3:]
    if package in ("core", "meta"):
        return "", version
    if package == "rbac":
        return "rbac.authorization.k8s.io", version
    return (package if package in _SHORT_GROUPS else f"{package}.k8s.io"), version
