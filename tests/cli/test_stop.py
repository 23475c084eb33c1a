"""``litmus stop``: one engine, all of them by the switch, and what is left to who may not set it."""

import asyncio
from typing import Any

import pytest

from litmus.api import names
from litmus.cli import failures, stop
from litmus.kube import switch
from tests import apiserver, samples

SPEC = {"template": {"spec": {"containers": []}}}
HERE = {"metadata": {"name": names.OPERATOR_NAME, "namespace": "chaos"}, "spec": SPEC}


@pytest.fixture(autouse=True)
def _brief(monkeypatch):
    monkeypatch.setattr(stop, "_LOOK_S", 0.01)


@pytest.fixture
def server(server: apiserver.Server) -> apiserver.Server:
    server.put("deployments", HERE, namespace="chaos")
    return server


def running(server: apiserver.Server, *engines: str) -> None:
    for name in engines:
        server.put("chaosengines", samples.engine(name=name, uid=name, status={"engineStatus": "initialized"}))


def end(server: apiserver.Server, name: str) -> None:
    server.change("chaosengines", name, {"spec": {"engineState": "stop"}, "status": {"engineStatus": "stopped"}})


def operator(server: apiserver.Server) -> None:
    """Plays it: the switch ends every engine, a patch the one that it is for."""

    def all_end(seen: apiserver.Server, made: dict[str, Any]) -> None:
        if made["metadata"]["name"] == switch.NAME:
            for engine in seen.all("chaosengines"):
                end(seen, engine["metadata"]["name"])

    server.on("create", "configmaps", all_end)
    server.on("patch", "chaosengines", lambda seen, made: end(seen, made["metadata"]["name"]))


async def stopping(kubeconfig: str, *engine: str, **options: Any) -> int:
    async with asyncio.timeout(20):
        return await stop.stop(*engine, kubeconfig=kubeconfig, **options)


async def test_all_sets_the_switch_beside_the_operator_with_who_and_why(server, kubeconfig, capsys):
    running(server, "one", "two")
    operator(server)
    assert await stopping(kubeconfig, all=True, why="incident 7") == 0
    data = server.get("configmaps", "litmus-stop", "chaos")["data"]
    assert data["why"] == "incident 7"
    assert " on " in data["by"]
    assert data["at"].endswith("Z")
    assert "patch" not in server.verbs("chaosengines")
    out = capsys.readouterr().out
    assert "no engine begins until litmus stop --lift (ConfigMap chaos/litmus-stop)" in out
    assert "shop/one stopped" in out
    assert "2 engines stopped, every fault undone, after " in out


async def test_it_waits_until_every_ledger_is_closed(server, kubeconfig):
    operator(server)
    fault = {"id": "x", "mechanism": "m", "undo": {}, "deadline": ""}
    server.put("chaosresults", samples.result(meta={"labels": {names.OPEN_FAULTS_LABEL: "true"}}, faults=[fault]))
    task = asyncio.create_task(stopping(kubeconfig, all=True))
    await server.until_asked("list", "chaosresults", times=3)
    assert not task.done()
    server.change("chaosresults", "shop-chaos-pod-delete", {"metadata": {"labels": {names.OPEN_FAULTS_LABEL: None}}})
    assert await task == 0


async def test_what_does_not_end_is_named_with_what_to_do(server, kubeconfig):
    running(server, "one")
    with pytest.raises(failures.Failed, match=r"there is still engine shop/one. Is the operator running"):
        await stopping(kubeconfig, all=True, deadline=0.05)


async def test_a_switch_that_is_set_already_stays_as_it_is_and_is_told(server, kubeconfig, capsys):
    data = {"by": "ada on lab", "at": "2026-03-02T09:00:00Z", "why": ""}
    server.put("configmaps", {"metadata": {"name": switch.NAME}, "data": data}, namespace="chaos")
    await stopping(kubeconfig, all=True, why="another")
    assert server.get("configmaps", switch.NAME, "chaos")["data"] == data
    assert "It was set before: all chaos of this cluster was stopped by ada on lab" in capsys.readouterr().out


async def test_who_may_not_set_it_stops_each_engine_and_is_told_the_difference(server, kubeconfig, capsys):
    server.forbid("create", "configmaps")
    running(server, "one", "two")
    operator(server)
    assert await stopping(kubeconfig, all=True) == 0
    out = capsys.readouterr().out
    assert "The switch can't be set in namespace chaos" in out
    assert "each engine is told by itself, and new ones are not refused" in out
    assert "2 engines stopped" in out


async def test_where_nothing_runs_the_switch_is_set_all_the_same(server, kubeconfig, capsys):
    assert await stopping(kubeconfig, all=True) == 0
    assert server.get("configmaps", switch.NAME, "chaos")
    assert "no engine was running" in capsys.readouterr().out


async def test_lift_removes_it(server, kubeconfig, capsys):
    await stopping(kubeconfig, all=True)
    assert await stopping(kubeconfig, lift=True) == 0
    assert server.all("configmaps") == []
    assert "Lifted: engines may run again" in capsys.readouterr().out
    assert await stopping(kubeconfig, lift=True) == 0
    assert "It was not set" in capsys.readouterr().out


async def test_all_of_one_namespace_are_stopped_without_the_switch(server, kubeconfig, capsys):
    running(server, "one")
    operator(server)
    assert await stopping(kubeconfig, all=True, namespace="shop") == 0
    assert server.all("configmaps") == []
    assert "shop/one stopped" in capsys.readouterr().out


async def test_one_engine_is_stopped_by_its_name(server, kubeconfig, capsys):
    running(server, "one", "two")
    operator(server)
    assert await stopping(kubeconfig, "one") == 0
    assert capsys.readouterr().out == "shop/one stopped\n"
    assert server.get("chaosengines", "two")["spec"]["engineState"] == "active"


@pytest.mark.parametrize(
    ("engine", "options"),
    [((), {}), (("one",), {"all": True}), ((), {"all": True, "lift": True}), (("one",), {"why": "x"})],
)
async def test_what_makes_no_sense_is_said(engine, options, kubeconfig):
    with pytest.raises(failures.Misused):
        await stopping(kubeconfig, *engine, **options)
