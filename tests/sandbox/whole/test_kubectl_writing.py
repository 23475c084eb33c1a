"""The ways in which the real kubectl changes objects: apply, patch, replace, edit, delete; and what they refuse."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.whole.conftest import Sandbox

SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {kept: "yes"}}
data: {color: blue, size: small}
"""
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "a", "image": "nginx"}, {"name": "b", "image": "busybox"}]},
        },
    },
}


def test_server_side_apply_owns_its_fields(sandbox: Sandbox, namespace: str) -> None:
    def apply(manager: str, settings: str, *arguments: str) -> Any:
        manager = f"--field-manager={manager}"
        return sandbox.tried("apply", "--server-side", manager, "-n", namespace, "-f", "-", *arguments, stdin=settings)

    assert apply("first", SETTINGS).stdout == "configmap/settings serverside-applied\n"
    other = SETTINGS.replace("blue", "red")
    refused = apply("second", other)
    assert refused.returncode == 1
    assert 'Apply failed with 1 conflict: conflict with "first": .data.color' in refused.stderr
    assert apply("second", other, "--force-conflicts").returncode == 0
    assert apply("first", SETTINGS.replace(", size: small", "").replace("color: blue", "new: x")).returncode == 0
    assert sandbox.get("cm", "settings", "-n", namespace)["data"] == {"color": "red", "new": "x", "size": "small"}
    shown = sandbox.kubectl("get", "cm", "settings", "-n", namespace, "-o", "yaml", "--show-managed-fields")
    assert "manager: second" in shown
    assert "operation: Apply" in shown
    assert "managedFields" not in sandbox.kubectl("get", "cm", "settings", "-n", namespace, "-o", "yaml")


def test_apply_prunes_fields_and_objects_that_are_no_longer_said(sandbox: Sandbox, namespace: str) -> None:
    apply = ["apply", "-n", namespace, "-f", "-"]
    both = SETTINGS + "---\n" + SETTINGS.replace("name: settings", "name: more")
    assert sandbox.kubectl(*apply, stdin=both) == "configmap/settings created\nconfigmap/more created\n"
    fewer = SETTINGS.replace(", size: small", "")
    pruned = sandbox.kubectl(*apply, "--prune", "-l", "kept=yes", "--prune-allowlist=core/v1/ConfigMap", stdin=fewer)
    assert pruned == "configmap/settings configured\nconfigmap/more pruned\n"
    assert sandbox.get("cm", "settings", "-n", namespace)["data"] == {"color": "blue"}
    assert sandbox.kubectl("apply", "-n", namespace, "view-last-applied", "cm/settings").startswith("apiVersion: v1\n")


def test_a_dry_run_of_the_server_changes_nothing(sandbox: Sandbox, namespace: str) -> None:
    done = sandbox.kubectl("apply", "-n", namespace, "-f", "-", "--dry-run=server", stdin=SETTINGS)
    assert done == "configmap/settings created (server dry run)\n"
    assert sandbox.tried("get", "cm", "settings", "-n", namespace).stderr == (
        'Error from server (NotFound): configmaps "settings" not found\n'
    )


def test_patches_of_all_types(sandbox: Sandbox, namespace: str) -> None:
    sandbox.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(DEPLOYMENT))

    def patch(kind: str, what: Any, *more: str) -> Any:
        said = sandbox.kubectl("patch", "deploy/web", "-n", namespace, f"--type={kind}", "-p", json.dumps(what), *more)
        assert said == f"{'scale.autoscaling' if more else 'deployment.apps'}/web patched\n"
        return sandbox.get("deploy", "web", "-n", namespace)["spec"]

    named = {"template": {"spec": {"containers": [{"name": "b", "image": "alpine"}]}}}
    containers = patch("strategic", {"spec": named})["template"]["spec"]["containers"]
    assert [(one["name"], one["image"]) for one in containers] == [("a", "nginx"), ("b", "alpine")]
    assert patch("merge", {"spec": {"paused": True, "replicas": None}})["replicas"] == 1
    assert "paused" not in patch("json", [{"op": "remove", "path": "/spec/paused"}])
    assert patch("merge", {"spec": {"replicas": 0}}, "--subresource=scale")["replicas"] == 0
    assert sandbox.kubectl("patch", "deploy/web", "-n", namespace, "-p", "{}") == (
        "deployment.apps/web patched (no change)\n"
    )
    test = json.dumps([{"op": "test", "path": "/spec/replicas", "value": 5}])
    refused = sandbox.tried("patch", "deploy/web", "-n", namespace, "--type=json", "-p", test)
    assert refused.stderr.startswith(
        "The request is invalid: the server rejected our request due to an error in our re"
    )
    missing = sandbox.tried("patch", "deploy/none", "-n", namespace, "-p", "{}")
    assert missing.stderr == 'Error from server (NotFound): deployments.apps "none" not found\n'


def test_replace_demands_the_latest_version_and_force_makes_a_new_object(sandbox: Sandbox, namespace: str) -> None:
    sandbox.kubectl("create", "-n", namespace, "-f", "-", stdin=SETTINGS)
    first = sandbox.get("cm", "settings", "-n", namespace)
    green = json.dumps({**first, "data": {"color": "green"}})
    assert sandbox.kubectl("replace", "-n", namespace, "-f", "-", stdin=green) == "configmap/settings replaced\n"
    stale = sandbox.tried("replace", "-n", namespace, "-f", "-", stdin=green)
    assert stale.returncode == 1
    assert 'Operation cannot be fulfilled on configmaps "settings": the object has been modified' in stale.stderr
    said = sandbox.kubectl("replace", "--force", "-n", namespace, "-f", "-", stdin=SETTINGS)
    assert said == f'configmap "settings" deleted from {namespace} namespace\nconfigmap/settings replaced\n'
    assert sandbox.get("cm", "settings", "-n", namespace)["metadata"]["uid"] != first["metadata"]["uid"]


@pytest.fixture
def editor(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """An editor that makes blue red, and a mistake of green."""
    script = tmp_path / "editor"
    script.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\npath = pathlib.Path(sys.argv[-1])\n"
        "path.write_text(path.read_text().replace('color: blue', 'color: red').replace('kept:', 'kept!:'))\n"
    )
    script.chmod(0o755)
    return {**sandbox.env, "KUBE_EDITOR": str(script)}


def test_edit_saves_what_the_editor_left(sandbox: Sandbox, namespace: str, editor: dict[str, str]) -> None:
    unlabelled = SETTINGS.replace(', labels: {kept: "yes"}', "")
    sandbox.kubectl("create", "-n", namespace, "-f", "-", stdin=unlabelled)
    edit = ("edit", "cm/settings", "-n", namespace)
    assert sandbox.kubectl(*edit, env=editor) == "configmap/settings edited\n"
    assert sandbox.get("cm", "settings", "-n", namespace)["data"]["color"] == "red"
    assert sandbox.tried(*edit, env=editor).stderr == "Edit cancelled, no changes made.\n"


def test_delete_by_selector_by_file_and_what_is_not_there(sandbox: Sandbox, namespace: str) -> None:
    many = "---\n".join(SETTINGS.replace("name: settings", f"name: c{number}") for number in range(3))
    sandbox.kubectl("create", "-n", namespace, "-f", "-", stdin=many)
    assert sandbox.kubectl("delete", "-n", namespace, "-f", "-", stdin=SETTINGS, check=False) == ""
    assert sandbox.kubectl("delete", "-n", namespace, "--ignore-not-found", "cm/none") == ""
    assert sandbox.kubectl("delete", "-n", namespace, "cm/c0") == f'configmap "c0" deleted from {namespace} namespace\n'
    deleted = sandbox.kubectl("delete", "cm", "-n", namespace, "-l", "kept=yes", "-o", "name")
    assert deleted == "configmap/c1\nconfigmap/c2\n"
    refused = sandbox.tried("delete", "cm", "none", "-n", namespace)
    assert refused.stderr == 'Error from server (NotFound): configmaps "none" not found\n'


@pytest.mark.parametrize(("cascade", "left"), [("background", False), ("foreground", False), ("orphan", True)], ids=str)
def test_a_cascade_decides_what_becomes_of_the_dependents(
    sandbox: Sandbox, namespace: str, cascade: str, left: bool
) -> None:
    sandbox.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(DEPLOYMENT))
    sandbox.kubectl("wait", "deploy/web", "-n", namespace, "--for=condition=Available", "--timeout=20s")
    sandbox.kubectl("delete", "deploy/web", "-n", namespace, f"--cascade={cascade}")
    if not left:
        sandbox.kubectl("wait", "rs", "--all", "-n", namespace, "--for=delete", "--timeout=20s", check=False)
    assert bool(sandbox.get("rs", "-n", namespace)["items"]) is left
    assert sandbox.tried("get", "deploy", "web", "-n", namespace).returncode == 1


def test_a_finalizer_holds_an_object_until_it_is_removed(sandbox: Sandbox, namespace: str) -> None:
    held = SETTINGS.replace("labels:", "finalizers: [example.com/hold], labels:")
    sandbox.kubectl("create", "-n", namespace, "-f", "-", stdin=held)
    gone = ("wait", "--for=delete", "cm/settings", "-n", namespace)
    sandbox.kubectl("delete", "cm", "settings", "-n", namespace, "--wait=false")
    assert sandbox.tried(*gone, "--timeout=0.2s").returncode == 1
    assert sandbox.get("cm", "settings", "-n", namespace)["metadata"]["deletionTimestamp"]
    sandbox.kubectl("patch", "cm/settings", "-n", namespace, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    sandbox.kubectl(*gone, "--timeout=10s")


def test_typed_create_commands_are_understood(sandbox: Sandbox, namespace: str) -> None:
    """They send protobuf."""
    create = {
        "service clusterip s --tcp=80:8080": "service/s",
        "service nodeport n --tcp=80": "service/n",
        "service externalname e --external-name=example.org": "service/e",
        "secret docker-registry d --docker-username=u --docker-password=p": "secret/d",
        "serviceaccount a": "serviceaccount/a",
        "role r --verb=get --resource=pods": "role.rbac.authorization.k8s.io/r",
        "rolebinding b --role=r --serviceaccount=default:a": "rolebinding.rbac.authorization.k8s.io/b",
        "quota q --hard=pods=5": "resourcequota/q",
        "pdb p --selector=app=web --min-available=1": "poddisruptionbudget.policy/p",
        "ingress i --rule=foo.com/=s:80": "ingress.networking.k8s.io/i",
    }
    for command, made in create.items():
        assert sandbox.kubectl("create", *command.split(), "-n", namespace) == f"{made} created\n"
    exposed = sandbox.kubectl("expose", "service/s", "--name=again", "--port=90", "-n", namespace)
    assert exposed == "service/again exposed\n"
    again = sandbox.tried("create", "serviceaccount", "a", "-n", namespace)
    assert again.stderr == 'error: failed to create serviceaccount: serviceaccounts "a" already exists\n'


def test_what_a_server_refuses_is_told_in_its_words(sandbox: Sandbox, namespace: str) -> None:
    def said(change: str, by: str) -> str:
        text = json.dumps(DEPLOYMENT).replace(change, by, 1)
        return sandbox.tried("create", "-n", namespace, "-f", "-", stdin=text).stderr

    assert said('"name": "web"', '"name": "Web"').startswith(
        'The Deployment "Web" is invalid: metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must'
    )
    assert 'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match' in said(
        '"labels": {"app": "web"}', '"labels": {"app": "other"}'
    )
    assert "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32" in said(
        '"replicas": 0', '"replicas": "many"'
    )
    assert 'no matches for kind "Deploymint" in version "apps/v1"' in said("Deployment", "Deploymint")
