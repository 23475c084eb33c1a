"""What is served beside objects: version, health, OpenAPI, keys, metrics, and the list of all that.

Source: the documentation "Kubernetes API health endpoints", "OpenAPI" and "ServiceAccount token issuer discovery";
k8s.io/apiserver/pkg/server/healthz and routes.
"""

import platform
import resource as process
import sys
from collections.abc import Callable

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, discovery, handlers, openapi, tokens
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.apiserver.negotiation import Accepted
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj

_GO_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
VERSION: Obj = {
    "major": "1",
    "minor": "37",
    "emulationMajor": "1",
    "emulationMinor": "37",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "36",
    "gitVersion": "v1.37.0+sandbox",
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": f"python{platform.python_version()}",
    "compiler": sys.implementation.name,
    "platform": f"{sys.platform}/{_GO_MACHINES.get(platform.machine(), platform.machine())}",
}
_CHECKS = {
    "healthz": ("ping", "log", "etcd"),
    "livez": ("ping", "log", "etcd"),
    "readyz": ("ping", "log", "etcd", "informer-sync", "shutdown"),
}
_HOOKS = ("poststarthook/rbac/bootstrap-roles", "poststarthook/scheduling/bootstrap-system-priority-classes")
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def respond(call: Call) -> Response:
    """Raises Refusal 404, 405 and 406."""
    parts = [part for part in call.info.path.split("/") if part]
    if call.info.method not in ("GET", "HEAD"):
        if parts and parts[0] in _ROUTES:
            raise handlers.method_not_allowed()
        return _index(call, code=404)
    if not parts:
        return _index(call)
    found = _ROUTES[parts[0]](call, parts) if parts[0] in _ROUTES else None
    if found is not None:
        return found
    if parts[0] in ("api", "apis"):
        raise status.path_not_found()
    return _index(call, code=404)


def _index(call: Call, *, code: int = 200) -> Response:
    return answers.respond({"paths": paths(call)}, Accepted(pretty=True), code=code)


def paths(call: Call) -> list[str]:
    """All paths that are no resources."""
    found = ["/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/", "/metrics", "/openapi/v2"]
    found += ["/openapi/v3", "/openapi/v3/", "/openid/v1/jwks", "/version"]
    for group, versions in call.services.catalogue.groups().items():
        if group:
            found += [f"/apis/{group}", *(f"/apis/{group}/{version}" for version in versions)]
    for endpoint, checks in _CHECKS.items():
        found += [f"/{endpoint}", *(f"/{endpoint}/{check}" for check in (*checks, *_HOOKS))]
    return sorted(found)


def _version(call: Call, parts: list[str]) -> Response | None:
    return answers.respond(VERSION, Accepted(pretty=True)) if len(parts) == 1 else None


def _health(call: Call, parts: list[str]) -> Response | None:
    """Who gets here has a server that works: objects live in this process."""
    endpoint, checks = parts[0], (*_CHECKS[parts[0]], *_HOOKS)
    if len(parts) > 1:
        return answers.text("ok") if "/".join(parts[1:]) in checks else None
    if "verbose" not in call.query:
        return answers.text("ok")
    excluded = call.query.getlist("exclude")
    lines = [f"[+]{check} {'excluded: ok' if check in excluded else 'ok'}" for check in checks]
    return answers.text("\n".join([*lines, f"{endpoint} check passed", ""]))


def _openid(call: Call, parts: list[str]) -> Response | None:
    if parts == ["openid", "v1", "jwks"]:
        return answers.respond(call.services.issuer.jwks(), Accepted())
    if parts == [".well-known", "openid-configuration"]:
        content = {
            "issuer": tokens.ISSUER,
            "jwks_uri": f"{call.request.base_url}openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        return answers.respond(content, Accepted())
    return None


def _metrics(call: Call, parts: list[str]) -> Response | None:
    if len(parts) > 1:
        return None
    store, usage = call.registry.store, process.getrusage(process.RUSAGE_SELF)
    lines = ["# HELP apiserver_resource_objects Number of stored objects.", "# TYPE apiserver_resource_objects gauge"]
    lines += [f'apiserver_resource_objects{{resource="{name}"}} {store.count(name)}' for name in store.storages()]
    lines += ["# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds."]
    lines += ["# TYPE process_cpu_seconds_total counter"]
    lines += [f"process_cpu_seconds_total {usage.ru_utime + usage.ru_stime}", ""]
    return answers.text("\n".join(lines), media_type=_METRICS_TYPE)


_ROUTES: dict[str, Callable[[Call, list[str]], Response | None]] = {
    ".well-known": _openid,
    "api": discovery.respond,
    "apis": discovery.respond,
    "healthz": _health,
    "livez": _health,
    "metrics": _metrics,
    "openapi": openapi.respond,
    "openid": _openid,
    "readyz": _health,
    "version": _version,
}
