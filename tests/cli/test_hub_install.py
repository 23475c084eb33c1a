"""``litmus hub install`` against a small API server: what it applies, says, and refuses before anything is applied."""

import re

import pytest
from aiohttp import web

from litmus.cli import failures, hub_install, hubs
from litmus.kube import waiting
from tests import apiserver
from tests.cli.other_hub import theirs

POD_DELETE = [
    "chaosexperiment.litmuschaos.io/pod-delete",
    "serviceaccount/pod-delete-sa",
    "role.rbac.authorization.k8s.io/pod-delete-sa",
    "rolebinding.rbac.authorization.k8s.io/pod-delete-sa",
]
BINDINGS = "clusterrolebindings"


@pytest.fixture(autouse=True)
def _shop(server: apiserver.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_S", 0.01)
    for name in ("shop", "other"):
        server.put("namespaces", {"metadata": {"name": name}}, namespace="")


def written(server: apiserver.Server) -> list[str]:
    """What was really applied."""
    return [
        str(asked) for asked in server.asked if asked.verb != "get" and asked.body and not asked.query.get("dryRun")
    ]


async def test_an_experiment_comes_with_its_account_and_role_into_the_namespace_of_the_context(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    assert await hub_install.install("pod-delete", image="litmus:mine", kubeconfig=kubeconfig) == 0

    assert capsys.readouterr().out.splitlines() == [
        *(f"{title} created" for title in POD_DELETE),
        "pod-delete can be run in namespace shop. To start from:",
        "  litmus hub get pod-delete --engine -n shop > engine.yaml",
    ]
    experiment = server.get("chaosexperiments", "pod-delete")
    assert experiment["spec"]["definition"]["image"] == "litmus:mine"
    assert server.get("rolebindings", "pod-delete-sa")["subjects"] == [
        {"kind": "ServiceAccount", "name": "pod-delete-sa", "namespace": "shop"}
    ]


async def test_again_it_is_unchanged_and_with_another_image_the_experiment_alone_is_configured(
    kubeconfig: str, capsys: pytest.CaptureFixture[str]
):
    await hub_install.install("pod-delete", kubeconfig=kubeconfig)
    capsys.readouterr()
    await hub_install.install("pod-delete", kubeconfig=kubeconfig)
    assert capsys.readouterr().out.splitlines()[:4] == [f"{title} unchanged" for title in POD_DELETE]

    await hub_install.install("pod-delete", image="litmus:newer", kubeconfig=kubeconfig)
    assert [line for line in capsys.readouterr().out.splitlines() if "configured" in line] == [
        f"{POD_DELETE[0]} configured"
    ]


async def test_a_second_namespace_does_not_take_the_cluster_role_from_the_first(
    kubeconfig: str, server: apiserver.Server
):
    for namespace in ("shop", "other", "shop"):
        await hub_install.install("node-drain", namespace=namespace, kubeconfig=kubeconfig)
    subjects = server.get(BINDINGS, "node-drain-sa", "")["subjects"]
    assert [subject["namespace"] for subject in subjects] == ["shop", "other"]


@pytest.mark.parametrize("names", [(), ("pod-delete", "pod-delte"), ("Pod-delete",)])
async def test_an_unknown_name_is_refused_before_a_cluster_is_asked(
    names: tuple[str, ...], kubeconfig: str, server: apiserver.Server
):
    with pytest.raises(failures.Misused):
        await hub_install.install(*names, kubeconfig=kubeconfig)
    assert server.asked == []


async def test_a_namespace_that_is_missing_is_named_with_the_remedy(kubeconfig: str, server: apiserver.Server):
    with pytest.raises(failures.Failed, match="no namespace 'nope'; create it"):
        await hub_install.install("pod-delete", namespace="nope", kubeconfig=kubeconfig)
    assert written(server) == []


async def test_without_the_definitions_one_is_sent_to_litmus_install(kubeconfig: str, server: apiserver.Server):
    def unknown(asked: apiserver.Asked) -> web.Response | None:
        missing = "the server could not find the requested resource"
        return apiserver.failure(404, missing) if asked.plural == "chaosexperiments" else None

    with server.answer(unknown), pytest.raises(failures.Failed, match="first run: litmus install"):
        await hub_install.install("pod-delete", kubeconfig=kubeconfig)
    assert written(server) == []


async def test_who_may_not_look_at_namespaces_or_list_experiments_can_install(
    kubeconfig: str, server: apiserver.Server
):
    server.forbid("get", "namespaces")
    server.forbid("list", "chaosexperiments")
    assert await hub_install.install("pod-delete", kubeconfig=kubeconfig) == 0


async def test_a_missing_right_for_the_last_object_is_named_before_the_first_is_applied(
    kubeconfig: str, server: apiserver.Server
):
    server.forbid("patch", "rolebindings")
    with pytest.raises(failures.Failed) as refused:
        await hub_install.install("pod-delete", kubeconfig=kubeconfig)
    assert re.search(
        r"nothing was installed, because rolebinding\.rbac.*/pod-delete-sa would be refused: .*"
        r'cannot patch resource "rolebindings".* let an administrator run the command',
        str(refused.value),
    )
    assert written(server) == []


async def test_the_list_of_all_rights_of_a_role_is_left_out_of_the_sentence(kubeconfig: str, server: apiserver.Server):
    def escalation(asked: apiserver.Asked) -> web.Response | None:
        message = 'user "dev" is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""]}\n{…}'
        return apiserver.failure(403, message) if asked.plural == "roles" and asked.verb == "patch" else None

    with server.answer(escalation), pytest.raises(failures.Failed) as refused:
        await hub_install.install("pod-delete", kubeconfig=kubeconfig)
    assert "\n" not in str(refused.value)
    assert "only who has all the rights of a role can give it" in str(refused.value)


async def test_a_binding_can_be_rehearsed_only_after_its_role_by_who_is_no_administrator(
    kubeconfig: str, server: apiserver.Server
):
    """The API server looks the role up to compare its rights, and in a dry run it is not there yet."""

    def not_found(asked: apiserver.Asked) -> web.Response | None:
        rehearsed = asked.plural == "rolebindings" and asked.query.get("dryRun")
        return apiserver.failure(404, 'roles "pod-delete-sa" not found') if rehearsed else None

    with server.answer(not_found):
        assert await hub_install.install("pod-delete", kubeconfig=kubeconfig) == 0
    assert server.get("rolebindings", "pod-delete-sa")


async def test_of_a_hub_without_roles_the_experiment_is_installed_and_the_rest_is_said(
    kubeconfig: str, server: apiserver.Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    made = theirs()
    path = "faults/ground/quake/fault.yaml"
    made.files[path] = b"apiVersion: litmuschaos.io/v1alpha1\n" + made.files[path]
    monkeypatch.setattr(hubs, "named", lambda name, **_: made)
    assert await hub_install.install("quake", hub="theirs", kubeconfig=kubeconfig) == 0
    out = capsys.readouterr().out
    assert out.startswith("chaosexperiment.litmuschaos.io/quake created\n")
    assert "litmus hub get quake --engine -n shop --hub theirs" in out
    assert "The hub theirs has no service account for quake" in out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n", "something else than ChaosExperiment"),
        (b"apiVersion: litmuschaos.io/v1alpha1\nkind: ChaosExperiment\nmetadata: {}\n", "something else than"),
        (b"- 1\n", "something else than ChaosExperiment"),
        (b"a: [\n", "is not YAML"),
    ],
)
async def test_what_does_not_belong_into_a_chart_is_not_applied(
    content: bytes,
    sentence: str,
    kubeconfig: str,
    server: apiserver.Server,
    monkeypatch: pytest.MonkeyPatch,
):
    made = theirs()
    made.files["faults/ground/quake/fault.yaml"] = content
    monkeypatch.setattr(hubs, "named", lambda name, **_: made)
    with pytest.raises(failures.Failed, match=sentence):
        await hub_install.install("quake", hub="theirs", kubeconfig=kubeconfig)
    assert written(server) == []
