"""Manifests of hubs get a namespace and an image, and keep everything else as it was written."""

import pytest
import yaml

from litmus.api import yaml_text
from litmus.hub import charts, ours, placed

OLD_ROLE = """\
---
# who may
apiVersion: v1
kind: ServiceAccount
metadata:
  name: pod-delete-sa   # the account
  namespace: default
---
apiVersion: rbac.authorization.k8s.io/v1beta1
kind: Role
metadata: {name: pod-delete-sa}
rules:
- apiGroups: [""]   # core
  resources: ["pods"]
  verbs: ["delete"]
---
apiVersion: rbac.authorization.k8s.io/v1beta1
kind: ClusterRoleBinding
metadata:
  name: pod-delete-sa
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: pod-delete-sa
subjects:
- kind: ServiceAccount
  name: pod-delete-sa
  namespace: default
- kind: User
  name: somebody
"""


def test_every_object_that_can_have_one_gets_the_namespace_and_so_do_the_accounts_of_a_binding():
    account, role, binding = yaml_text.documents(placed.text(OLD_ROLE, namespace="shop"))
    assert account["metadata"] == {"name": "pod-delete-sa", "namespace": "shop"}
    assert role["metadata"] == {"name": "pod-delete-sa", "namespace": "shop"}
    assert binding["metadata"] == {"name": "pod-delete-sa"}
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "pod-delete-sa", "namespace": "shop"},
        {"kind": "User", "name": "somebody"},
    ]


def test_comments_stay_and_no_other_line_changes():
    before, after = OLD_ROLE.splitlines(), placed.text(OLD_ROLE, namespace="default").splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    version = ("apiVersion: rbac.authorization.k8s.io/v1beta1", "apiVersion: rbac.authorization.k8s.io/v1")
    assert changed == [
        version,
        ("metadata: {name: pod-delete-sa}", "metadata: {name: pod-delete-sa, namespace: default}"),
        version,
    ]


def test_without_a_namespace_there_is_none_put_in():
    assert placed.text("kind: Role\nmetadata:\n  name: x\n") == "kind: Role\nmetadata:\n  name: x\n"


ENGINE = """\
kind: ChaosEngine
metadata:
  generateName: nginx-
  labels:
    a: b
spec:
  appinfo:
    appns:
    applabel: app=nginx
"""


def test_an_engine_means_the_application_of_its_namespace():
    [engine] = yaml_text.documents(placed.text(ENGINE, namespace="shop"))
    assert engine["metadata"] == {"generateName": "nginx-", "namespace": "shop", "labels": {"a": "b"}}
    assert engine["spec"]["appinfo"] == {"appns": "shop", "applabel": "app=nginx"}


@pytest.mark.parametrize("namespace", ["true", "123", "1e3", "null"])
def test_a_namespace_that_looks_like_something_else_stays_text(namespace: str):
    [engine] = yaml_text.documents(placed.text(ENGINE, namespace=namespace))
    assert engine["metadata"]["namespace"] == namespace
    assert engine["spec"]["appinfo"]["appns"] == namespace


def test_the_objects_of_a_list_and_what_an_alias_repeats_are_filled_in_once():
    text = "kind: List\nitems:\n- &a {kind: Role, metadata: {name: x}}\n- *a\n"
    assert placed.text(text, namespace="shop") == text.replace("name: x", "name: x, namespace: shop")


def test_metadata_whose_first_value_is_nested_gets_the_namespace_before_it():
    text = "kind: Role\nmetadata:\n  labels:\n    a: b\n"
    [role] = yaml_text.documents(placed.text(text, namespace="shop"))
    assert role["metadata"] == {"namespace": "shop", "labels": {"a": "b"}}


def test_the_image_goes_into_a_chaos_experiment_and_nowhere_else():
    text = 'kind: {kind}\nspec:\n  definition:\n    image: "go-runner:1.10.0"  # theirs\n'
    mine = placed.text(text.replace("{kind}", "ChaosExperiment"), image="registry:5000/mine:1")
    assert yaml_text.documents(mine)[0]["spec"]["definition"]["image"] == "registry:5000/mine:1"
    assert "# theirs" in mine
    other = text.replace("{kind}", "Job")
    assert placed.text(other, image="mine:1") == other


def test_what_is_no_yaml_is_said():
    with pytest.raises(yaml.YAMLError):
        placed.text("a: [", namespace="shop")


@pytest.mark.parametrize("kind", charts.FILES)
def test_every_file_of_our_hub_is_what_it_was_but_for_the_namespace(kind: str):
    hub = ours.hub()
    for chart in hub.charts():
        text = hub.files[f"charts/{chart.group}/{chart.name}/{kind}"].decode()
        before, after = yaml_text.documents(text), yaml_text.documents(placed.text(text, namespace="shop"))
        assert [thing["metadata"]["name"] for thing in after] == [thing["metadata"]["name"] for thing in before]
        for thing in after:
            assert (thing["metadata"].get("namespace") == "shop") != thing["kind"].startswith("Cluster")
        assert [line for line in text.splitlines() if "#" in line] == [
            line for line in placed.text(text, namespace="shop").splitlines() if "#" in line
        ]
