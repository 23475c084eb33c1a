import pytest

from litmus.sandbox.apiserver import requests
from litmus.sandbox.apiserver.requests import RequestInfo

# Golden: k8s.io/apiserver/pkg/endpoints/request, and what a real server's refusals say about the same requests.
RESOURCES = [
    ("GET", "/api/v1/pods", {}, ("list", "", "v1", "", "pods", "", "")),
    ("GET", "/api/v1/pods/", {}, ("list", "", "v1", "", "pods", "", "")),
    ("GET", "/api/v1//pods//", {}, ("list", "", "v1", "", "pods", "", "")),
    ("GET", "/api/v1/namespaces/a/pods", {"watch": "1"}, ("watch", "", "v1", "a", "pods", "", "")),
    ("GET", "/api/v1/namespaces/a/pods", {"watch": "0"}, ("list", "", "v1", "a", "pods", "", "")),
    ("GET", "/api/v1/namespaces/a/pods/x", {"watch": "1"}, ("get", "", "v1", "a", "pods", "x", "")),
    ("GET", "/api/v1/watch/namespaces/a/pods", {}, ("watch", "", "v1", "a", "pods", "", "")),
    ("GET", "/api/v1/watch/namespaces/a/pods/x", {}, ("watch", "", "v1", "a", "pods", "x", "")),
    ("GET", "/apis/apps/v1/watch/deployments", {}, ("watch", "apps", "v1", "", "deployments", "", "")),
    ("HEAD", "/api/v1/namespaces/a/pods/x", {}, ("get", "", "v1", "a", "pods", "x", "")),
    ("POST", "/api/v1/namespaces/a/pods", {}, ("create", "", "v1", "a", "pods", "", "")),
    ("POST", "/api/v1/namespaces/a/pods/x/exec", {}, ("create", "", "v1", "a", "pods", "x", "exec")),
    ("PUT", "/api/v1/namespaces/a/pods/x/status", {}, ("update", "", "v1", "a", "pods", "x", "status")),
    ("PATCH", "/apis/apps/v1/namespaces/a/deployments/x", {}, ("patch", "apps", "v1", "a", "deployments", "x", "")),
    ("DELETE", "/api/v1/namespaces/a/pods/x", {}, ("delete", "", "v1", "a", "pods", "x", "")),
    ("DELETE", "/api/v1/namespaces/a/pods", {}, ("deletecollection", "", "v1", "a", "pods", "", "")),
    ("GET", "/api/v1/namespaces", {}, ("list", "", "v1", "", "namespaces", "", "")),
    ("GET", "/api/v1/namespaces/a", {}, ("get", "", "v1", "a", "namespaces", "a", "")),
    ("PUT", "/api/v1/namespaces/a/finalize", {}, ("update", "", "v1", "a", "namespaces", "a", "finalize")),
    ("GET", "/api/v1/nodes/n", {}, ("get", "", "v1", "", "nodes", "n", "")),
    ("OPTIONS", "/api/v1/pods", {}, ("", "", "v1", "", "pods", "", "")),
]


@pytest.mark.parametrize(("method", "path", "query", "expected"), RESOURCES)
def test_a_path_below_a_version_is_a_resource(method, path, query, expected):
    found = requests.info(method, path, query)
    assert found.is_resource
    assert expected == (
        found.verb, found.group, found.version, found.namespace, found.resource, found.name, found.subresource
    )  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/", "/version", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/nope/a/b/c"]
)
def test_other_paths_are_none_and_their_verb_is_the_method(path):
    found = requests.info("GET", path, {})
    assert not found.is_resource
    assert found.verb == "get"


def test_what_follows_a_subresource_is_kept():
    found = requests.info("GET", "/api/v1/nodes/n/proxy/stats/summary", {})
    assert (found.subresource, found.rest) == ("proxy", ("stats", "summary"))


def test_a_list_of_one_name_is_authorized_for_that_name():
    found = requests.info("GET", "/api/v1/namespaces/a/pods", {"fieldSelector": "metadata.name=x"})
    assert (found.verb, found.name, found.authorized_name) == ("list", "", "x")


def test_a_broken_field_selector_is_left_to_the_handler():
    assert requests.info("GET", "/api/v1/pods", {"fieldSelector": "a,b,c"}).selected_name == ""


def test_a_watch_of_nothing_is_a_bad_path():
    with pytest.raises(requests.BadPath, match="unable to determine kind and namespace from url, /api/v1/watch"):
        requests.info("GET", "/api/v1/watch", {})


@pytest.mark.parametrize(
    ("value", "expected"), [(None, False), ("", True), ("1", True), ("foo", True), ("0", False), ("False", False)]
)
def test_a_flag_is_set_unless_it_says_no(value, expected):
    assert requests.truth(value) is expected


def test_a_request_cannot_be_changed():
    with pytest.raises(AttributeError):
        RequestInfo(path="/", method="GET", verb="get").verb = "list"  # type: ignore[misc]
