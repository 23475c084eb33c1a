"""``litmus uninstall`` against a small API server: what goes, what stays, and what it refuses to lose."""

import pytest

from litmus import api
from litmus.api import names
from litmus.cli import failures, install, uninstall
from litmus.kube import errors, waiting
from tests import apiserver

OPERATOR = [
    "deployment.apps/chaos-operator-ce",
    "clusterrolebinding.rbac.authorization.k8s.io/litmus",
    "clusterrole.rbac.authorization.k8s.io/litmus",
    "rolebinding.rbac.authorization.k8s.io/litmus",
    "role.rbac.authorization.k8s.io/litmus",
    "serviceaccount/litmus",
]
DEFINITIONS = ("chaosengines", "chaosexperiments", "chaosresults", "chaosschedules")


@pytest.fixture(autouse=True)
async def _installed(server: apiserver.Server, kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_S", 0.01)
    status = {"status": {"conditions": [{"type": "Established", "status": "True"}]}}
    server.on(
        "patch",
        "customresourcedefinitions",
        lambda s, d: s.change("customresourcedefinitions", d["metadata"]["name"], status, namespace=""),
    )
    await install.install(kubeconfig=kubeconfig, wait=False)


def engine(server: apiserver.Server, *, status: str, finalizers: tuple[str, ...] = ()) -> None:
    server.put(
        "chaosengines",
        {
            "metadata": {"name": "chaos", "finalizers": list(finalizers)},
            "spec": {"experiments": [{"name": "pod-delete"}]},
            "status": {"engineStatus": status},
        },
    )


def left(server: apiserver.Server) -> set[str]:
    return {plural for plural, _, _ in server.objects}


async def test_the_components_go_before_the_operator(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    await install.install(with_=("hub",), kubeconfig=kubeconfig, wait=False)
    capsys.readouterr()

    assert await uninstall.uninstall(kubeconfig=kubeconfig) == 0

    *deleted, _ = capsys.readouterr().out.splitlines()
    hub = ["deployment.apps/chaos-hub", "service/chaos-hub", "configmap/chaos-hub", "serviceaccount/chaos-hub"]
    assert deleted == [f"{title} deleted" for title in [*hub, *OPERATOR]]


async def test_the_rights_of_the_exporter_go_with_it(server: apiserver.Server, kubeconfig: str):
    await install.install(with_=("exporter",), kubeconfig=kubeconfig, wait=False)
    assert ("clusterroles", "", "chaos-exporter") in server.objects
    await uninstall.uninstall(kubeconfig=kubeconfig)

    assert [key for key in server.objects if key[2] == "chaos-exporter"] == []


async def test_the_rights_of_an_exporter_of_another_namespace_stay(server: apiserver.Server, kubeconfig: str):
    await install.install(with_=("exporter",), kubeconfig=kubeconfig, wait=False)
    await uninstall.uninstall(namespace="elsewhere", kubeconfig=kubeconfig)

    assert ("clusterrolebindings", "", "chaos-exporter") in server.objects


async def test_what_users_have_written_for_a_component_stays_and_is_named(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    await install.install(with_=("hub",), kubeconfig=kubeconfig, wait=False)
    server.change("configmaps", "chaos-hub", {"data": {"hubs.yaml": "- {name: mine}"}}, "litmus")
    capsys.readouterr()

    await uninstall.uninstall(kubeconfig=kubeconfig)

    *_, stays = capsys.readouterr().out.splitlines()
    assert server.get("configmaps", "chaos-hub", "litmus")["data"] == {"hubs.yaml": "- {name: mine}"}
    assert "These stay: namespace litmus, configmap/chaos-hub, which was changed, the roles" in stays


async def test_the_operator_goes_and_everything_else_stays(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    engine(server, status="completed")
    capsys.readouterr()

    assert await uninstall.uninstall(kubeconfig=kubeconfig) == 0

    *deleted, stays = capsys.readouterr().out.splitlines()
    assert deleted == [f"{title} deleted" for title in OPERATOR]
    assert "These stay: namespace litmus" in stays
    assert "the definitions with 1 engine (--crds deletes them too)" in stays
    assert left(server) == {"namespaces", "customresourcedefinitions", "chaosengines"}


async def test_the_lease_goes_with_the_operator(kubeconfig: str, server: apiserver.Server):
    server.put("leases", {"metadata": {"name": "chaos-operator.lock"}, "spec": {}}, namespace="litmus")

    await uninstall.uninstall(kubeconfig=kubeconfig)

    assert "leases" not in left(server)


async def test_where_nothing_is_installed_it_says_so(kubeconfig: str, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()

    assert await uninstall.uninstall(namespace="elsewhere", kubeconfig=kubeconfig) == 0
    assert capsys.readouterr().out == "There is no operator in namespace elsewhere.\n"


async def test_the_rights_of_an_operator_in_another_namespace_are_not_touched(
    kubeconfig: str, server: apiserver.Server
):
    await uninstall.uninstall(namespace="elsewhere", kubeconfig=kubeconfig)

    assert {"clusterroles", "clusterrolebindings", "deployments"} <= left(server)


@pytest.mark.parametrize(
    ("status", "finalizers"), [("initialized", ()), ("completed", (names.ENGINE_FINALIZER,))], ids=["runs", "held"]
)
@pytest.mark.parametrize("crds", [False, True])
async def test_while_an_engine_needs_the_operator_nothing_is_removed(
    kubeconfig: str, server: apiserver.Server, status: str, finalizers: tuple[str, ...], crds: bool
):
    engine(server, status=status, finalizers=finalizers)

    with pytest.raises(failures.Failed, match="still needed by engine shop/chaos; first run: litmus stop --all"):
        await uninstall.uninstall(kubeconfig=kubeconfig, crds=crds, yes=True)

    assert "delete" not in {request.verb for request in server.asked}


async def test_while_a_fault_is_not_undone_nothing_is_removed(kubeconfig: str, server: apiserver.Server):
    server.put("chaosresults", {"metadata": {"name": "r", "finalizers": [names.RESULT_FINALIZER]}})

    with pytest.raises(failures.Failed, match="still needed by result shop/r"):
        await uninstall.uninstall(kubeconfig=kubeconfig)


async def test_objects_of_a_release_that_we_do_not_know_are_counted_all_the_same(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    server.put("chaosengines", {"metadata": {"name": "chaos"}, "spec": {"engineState": "paused", "experiments": {}}})

    assert await uninstall.uninstall(kubeconfig=kubeconfig) == 0
    assert "with 1 engine " in capsys.readouterr().out


async def test_the_definitions_with_objects_go_only_when_the_loss_is_confirmed(
    kubeconfig: str, server: apiserver.Server
):
    engine(server, status="completed")

    with pytest.raises(failures.Misused, match="--crds would delete 1 engine, of all namespaces; add --yes"):
        await uninstall.uninstall(kubeconfig=kubeconfig, crds=True)
    assert "delete" not in {request.verb for request in server.asked}

    assert await uninstall.uninstall(kubeconfig=kubeconfig, crds=True, yes=True) == 0
    assert "customresourcedefinitions" not in left(server)


async def test_definitions_without_objects_need_no_confirmation(
    kubeconfig: str, server: apiserver.Server, capsys: pytest.CaptureFixture[str]
):
    capsys.readouterr()

    assert await uninstall.uninstall(kubeconfig=kubeconfig, crds=True) == 0

    out = capsys.readouterr().out
    for plural in DEFINITIONS:
        assert f"customresourcedefinition.apiextensions.k8s.io/{plural}.{api.GROUP} deleted" in out
    assert left(server) == {"namespaces"}


async def test_by_force_the_objects_are_freed_of_our_finalizers_and_of_no_others(
    kubeconfig: str, server: apiserver.Server
):
    engine(server, status="initialized", finalizers=(names.ENGINE_FINALIZER, "else.where/mine"))

    assert await uninstall.uninstall(kubeconfig=kubeconfig, crds=True, yes=True, force=True) == 0

    assert server.get("chaosengines", "chaos")["metadata"]["finalizers"] == ["else.where/mine"]


async def test_a_definition_that_is_held_is_an_error_that_says_where_to_look(
    kubeconfig: str, server: apiserver.Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uninstall, "_DEFINITIONS_DEADLINE_S", 0.1)
    held = {"metadata": {"finalizers": ["customresourcecleanup.apiextensions.k8s.io"]}}
    server.change("customresourcedefinitions", f"chaosengines.{api.GROUP}", held, namespace="")

    with pytest.raises(errors.TimedOut, match="an object with a finalizer may hold it: kubectl get chaosengines"):
        await uninstall.uninstall(kubeconfig=kubeconfig, crds=True)
