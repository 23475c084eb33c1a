"""The one door to a cluster, against a real HTTP server on loopback."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from aiohttp import web

from litmus.kube import Cluster, errors, kinds
from tests import apiserver, samples
from tests.conftest import connection


def refuse(code: int, message: str):
    return lambda _: apiserver.failure(code, message)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (400, errors.Invalid),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (422, errors.Invalid),
        (429, errors.Unreachable),
        (500, errors.Unreachable),
        (502, errors.Unreachable),
        (503, errors.Unreachable),
        (504, errors.Unreachable),
    ],
)
async def test_a_refusal_of_the_server_becomes_one_of_our_errors_with_the_servers_own_words(
    server, cluster, code, expected
):
    with server.answer(refuse(code, "the words of the server")), pytest.raises(errors.KubeError) as caught:
        await cluster.get(kinds.POD, "web", namespace="shop")
    assert type(caught.value) is expected
    assert str(caught.value).startswith("can't get Pod web: ")
    assert "the words of the server" in str(caught.value)


async def test_credentials_that_are_not_accepted_are_forbidden_and_ask_to_log_in_again(server, cluster):
    with server.answer(refuse(401, "Unauthorized")), pytest.raises(errors.Forbidden, match="log in again"):
        await cluster.get(kinds.POD, "web", namespace="shop")


async def test_a_proxys_html_page_is_an_error_of_ours_too(server, cluster):
    page = web.Response(text="<html>", status=502, content_type="text/html")
    with server.answer(lambda _: page), pytest.raises(errors.Unreachable, match="502"):
        await cluster.get(kinds.POD, "web", namespace="shop")


async def test_a_server_that_nobody_runs_is_unreachable_and_named():
    with socket.socket() as taken:  # bound and not listening: nobody else can have the port meanwhile
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with Cluster(connection(url)) as cluster:
            with pytest.raises(errors.Unreachable, match="is the cluster up and reachable") as caught:
                await cluster.get(kinds.POD, "web", namespace="shop")
    assert url in str(caught.value)


async def test_without_patience_a_failing_server_is_asked_once(server, cluster):
    with server.answer(refuse(503, "starting")), pytest.raises(errors.Unreachable):
        await cluster.get(kinds.POD, "web", namespace="shop")
    assert server.verbs("pods") == ["get"]


async def test_with_patience_a_restarting_server_is_asked_until_it_answers(server):
    server.put("pods", samples.pod("web"))
    restarting = iter([apiserver.failure(503, "starting")])
    async with Cluster(connection(server.url), patience_s=30) as cluster:
        with server.answer(lambda _: next(restarting, None)):
            found = await cluster.get(kinds.POD, "web", namespace="shop")
    assert found.metadata.name == "web"
    assert server.verbs("pods") == ["get"] * 2


@pytest.mark.looptime
async def test_patience_has_an_end_and_the_pauses_grow_up_to_two_seconds():
    clock = asyncio.get_running_loop().time
    began, tries = clock(), []

    async def starting() -> None:
        tries.append(round(clock() - began, 3))
        raise httpx2.ConnectError("refused")

    async with Cluster(connection("http://127.0.0.1:1"), patience_s=10) as cluster:
        with pytest.raises(errors.Unreachable, match="refused"):
            await cluster._call(starting, "get Pod web")
    assert tries == [0, 0.1, 0.3, 0.7, 1.5, 3.1, 5.1, 7.1, 9.1]


@pytest.mark.parametrize("code", [401, 403, 404, 409, 422])
async def test_what_no_waiting_mends_is_not_asked_again(server, code):
    async with Cluster(connection(server.url), patience_s=30) as cluster:
        with server.answer(refuse(code, "no")), pytest.raises(errors.KubeError):
            await cluster.get(kinds.POD, "web", namespace="shop")
    assert server.verbs("pods") == ["get"]


async def test_an_object_that_is_not_there_is_found_as_none(cluster):
    assert await cluster.find(kinds.POD, "nobody", namespace="shop") is None


async def test_finding_does_not_swallow_other_errors(server, cluster):
    server.forbid("get", "pods")
    with pytest.raises(errors.Forbidden):
        await cluster.find(kinds.POD, "web", namespace="shop")


async def test_without_a_namespace_that_of_the_context_counts(server, cluster):
    server.put("pods", samples.pod("web"))
    assert (await cluster.get(kinds.POD, "web")).metadata.namespace == cluster.namespace == "shop"


@pytest.mark.parametrize(
    "selector", ["app=web", "app in (web, api),!legacy", "app", "tier!=db,app==web", "env notin (prod)"]
)
async def test_a_label_selector_reaches_the_server_as_it_was_written(server, cluster, selector):
    await cluster.select(kinds.POD, namespace="shop", labels=selector, fields="metadata.name=web")
    [asked] = server.asked
    assert asked.query["labelSelector"] == selector
    assert asked.query["fieldSelector"] == "metadata.name=web"


async def test_without_a_selector_none_is_sent(server, cluster):
    await cluster.select(kinds.POD, namespace="shop")
    assert not {"labelSelector", "fieldSelector"} & set(server.asked[0].query)


async def test_a_list_in_pages_is_read_to_its_end(server, cluster):
    for name in ("a", "b", "c", "d", "e"):
        server.put("pods", samples.pod(name))
    server.page = 2
    found = await cluster.select(kinds.POD, namespace="shop")
    assert [pod.metadata.name for pod in found] == ["a", "b", "c", "d", "e"]
    assert server.verbs("pods") == ["list"] * 3


async def test_a_star_selects_in_every_namespace(server, cluster):
    server.put("pods", samples.pod("here"))
    server.put("pods", samples.pod("there") | {"metadata": {"name": "there", "namespace": "other"}})
    found = await cluster.select(kinds.POD, namespace="*")
    assert {(p.metadata.namespace, p.metadata.name) for p in found} == {("shop", "here"), ("other", "there")}


async def test_objects_without_a_namespace_are_selected_by_their_labels(server, cluster):
    server.put("nodes", {"metadata": {"name": "one", "labels": {"zone": "a"}}}, namespace="")
    server.put("nodes", {"metadata": {"name": "two"}}, namespace="")
    assert [node.metadata.name for node in await cluster.select(kinds.NODE, labels="zone=a")] == ["one"]


async def test_an_object_with_unknown_and_missing_fields_is_read_all_the_same(server, cluster):
    server.put("pods", {"metadata": {"name": "bare", "managedFields": [{"manager": "x"}]}, "spec": {"newIn2030": 1}})
    bare = await cluster.get(kinds.POD, "bare", namespace="shop")
    assert (bare.status.phase, bare.ready, bare.over, bare.owner) == ("", False, False, ("", "", ""))


async def test_what_is_created_says_its_kind_and_who_wrote_it(server, cluster):
    made = await cluster.create(kinds.JOB, {"metadata": {"name": "job"}}, namespace="shop")
    assert made.metadata.uid
    [asked] = server.asked
    assert (asked.body["apiVersion"], asked.body["kind"]) == ("batch/v1", "Job")
    assert asked.query["fieldManager"] == "litmus"


async def test_a_name_that_is_taken_is_a_conflict(server, cluster):
    server.put("pods", samples.pod("web"))
    with pytest.raises(errors.Conflict, match="already exists"):
        await cluster.create(kinds.POD, {"metadata": {"name": "web"}}, namespace="shop")


async def test_a_patch_changes_what_it_names_and_nothing_else(server, cluster):
    server.put("pods", samples.pod("web"))
    await cluster.patch(kinds.POD, "web", {"metadata": {"labels": {"app": None, "tier": "db"}}}, namespace="shop")
    assert server.get("pods", "web")["metadata"]["labels"] == {"pod-template-hash": "5d7f9", "tier": "db"}


def bump(seen: Any) -> dict[str, Any]:
    count = int(seen.metadata.annotations.get("count", "0"))
    return {"metadata": {"annotations": {"count": str(count + 1)}}}


async def test_an_update_that_loses_a_race_is_computed_anew_from_what_the_other_wrote(server, cluster):
    server.put("pods", samples.pod("web"))
    races = iter(["5", "7"])

    def meddle(asked: apiserver.Asked) -> None:
        value = next(races, None) if asked.verb == "patch" else None
        if value:
            server.change("pods", "web", {"metadata": {"annotations": {"count": value}}})

    with server.answer(meddle):
        written = await cluster.update(kinds.POD, "web", bump, namespace="shop")
    assert written.metadata.annotations["count"] == "8"
    assert server.verbs("pods") == ["get", "patch"] * 3


async def test_many_updates_at_once_are_all_counted(server, cluster):
    server.put("pods", samples.pod("web"))
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(cluster.update(kinds.POD, "web", bump, namespace="shop"))
    assert server.get("pods", "web")["metadata"]["annotations"]["count"] == "3"


async def test_an_update_gives_up_when_every_race_is_lost(server, cluster, monkeypatch):
    monkeypatch.setattr("litmus.kube.cluster._UPDATE_TRIES", 2)
    server.put("pods", samples.pod("web"))
    lost = lambda asked: apiserver.failure(409, "modified") if asked.verb == "patch" else None  # noqa: E731
    with server.answer(lost), pytest.raises(errors.Conflict, match="2 tries were lost"):
        await cluster.update(kinds.POD, "web", bump, namespace="shop")
    assert server.verbs("pods") == ["get", "patch"] * 2


async def test_an_update_that_has_nothing_to_change_writes_nothing(server, cluster):
    server.put("pods", samples.pod("web"))
    seen = await cluster.update(kinds.POD, "web", lambda _: None, namespace="shop")
    assert seen.metadata.name == "web"
    assert server.verbs("pods") == ["get"]


async def test_an_update_starts_from_what_was_seen_already(server, cluster):
    server.put("pods", samples.pod("web"))
    seen = await cluster.get(kinds.POD, "web", namespace="shop")
    await cluster.update(kinds.POD, "web", bump, namespace="shop", seen=seen)
    assert server.verbs("pods") == ["get", "patch"]


async def test_applying_takes_fields_over_from_others(server, cluster):
    await cluster.apply(kinds.CONFIG_MAP, {"metadata": {"name": "settings", "namespace": "shop"}, "data": {"a": "1"}})
    [asked] = server.asked
    assert (asked.verb, asked.query["force"], asked.query["fieldManager"]) == ("patch", "true", "litmus")
    assert server.get("configmaps", "settings")["data"] == {"a": "1"}


async def test_a_deletion_says_whether_there_was_something_to_delete(server, cluster):
    server.put("pods", samples.pod("web"))
    assert await cluster.delete(kinds.POD, "web", namespace="shop") is True
    assert await cluster.delete(kinds.POD, "web", namespace="shop") is False


@pytest.mark.parametrize(("grace_s", "expected"), [(None, None), (0, "0"), (7, "7")])
async def test_a_deletion_lets_dependents_follow_and_asks_for_the_grace_period_only_if_told(
    server, cluster, grace_s, expected
):
    server.put("pods", samples.pod("web"))
    await cluster.delete(kinds.POD, "web", namespace="shop", grace_s=grace_s)
    [asked] = server.asked
    said = {**asked.query, **(asked.body or {})}
    assert said["propagationPolicy"] == "Background"
    assert said.get("gracePeriodSeconds") == expected


async def test_the_log_of_a_pod_is_its_last_lines(server, cluster):
    server.put("pods", samples.pod("web"))
    assert await cluster.logs("web", namespace="shop", tail_lines=2) == ["first line", "second line"]
    assert server.asked[0].query["tailLines"] == "2"


async def test_a_watch_tells_every_change_after_the_version_and_none_before(server, cluster):
    server.put("pods", samples.pod("old"))
    _, version = await cluster.select_with_version(kinds.POD, namespace="shop")
    server.put("pods", samples.pod("new"))
    server.remove("pods", "old")
    changes = cluster.watch(kinds.POD, namespace="shop", version=version)
    seen = [(change, pod.metadata.name) for change, pod in [await anext(changes), await anext(changes)]]
    await changes.aclose()
    assert seen == [("ADDED", "new"), ("DELETED", "old")]


async def test_a_watch_that_the_role_does_not_allow_is_forbidden(server, cluster):
    server.forbid("watch", "pods")
    with pytest.raises(errors.Forbidden):
        await anext(cluster.watch(kinds.POD, namespace="shop", version="1"))


async def test_a_version_that_is_too_old_for_a_watch_is_an_error_of_ours(server, cluster):
    gone = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n'
    respond = lambda asked: web.Response(body=gone) if asked.verb == "watch" else None  # noqa: E731
    with server.answer(respond), pytest.raises(errors.KubeError, match="too old"):
        await anext(cluster.watch(kinds.POD, namespace="shop", version="1"))


def _without_content_type(_: apiserver.Asked) -> web.Response:
    response = web.Response(status=503)
    response.headers.popall("Content-Type", None)
    return response


@pytest.mark.parametrize(
    "respond",
    [
        _without_content_type,
        lambda _: web.Response(body=b"", status=503, headers={"Content-Type": "application/json"}),
        lambda _: web.Response(text="<html>login</html>", content_type="text/html"),
    ],
    ids=["no content type", "empty json", "a page with 200"],
)
async def test_an_answer_of_something_that_is_no_api_server_is_an_error_of_ours(server, cluster, respond):
    with server.answer(respond), pytest.raises(errors.KubeError):
        await cluster.get(kinds.POD, "web", namespace="shop")


async def test_the_servers_words_are_read_whatever_the_charset(server, cluster):
    status = {"kind": "Status", "message": "real words", "code": 403}
    with (
        server.answer(lambda _: web.json_response(status, status=403)),
        pytest.raises(errors.Forbidden, match="real words"),
    ):
        await cluster.get(kinds.POD, "web", namespace="shop")


async def test_an_object_that_can_not_be_decoded_is_invalid_when_asked_for_by_name(server, cluster):
    server.put("chaosengines", samples.engine(annotationCheck=True))
    with pytest.raises(errors.Invalid):
        await cluster.get(kinds.ENGINE, "shop-chaos", namespace="shop")


async def test_an_object_that_can_not_be_decoded_hides_no_other_of_its_list(server, cluster, caplog):
    server.put("chaosengines", samples.engine(name="bad", annotationCheck=True))
    server.put("chaosengines", samples.engine(name="good"))
    found = await cluster.select(kinds.ENGINE, namespace="shop")
    assert [engine.metadata.name for engine in found] == ["good"]
    assert "bad" in caplog.text


async def test_a_null_in_an_object_is_read_as_absent(server, cluster):
    pod = samples.pod("web")
    pod["metadata"]["labels"] = None
    pod["status"]["containerStatuses"] = None
    server.put("pods", pod)
    assert (await cluster.get(kinds.POD, "web", namespace="shop")).metadata.name == "web"


async def test_a_list_whose_next_page_expired_is_read_again(server, cluster):
    for name in "abc":
        server.put("pods", samples.pod(name))
    server.page = 2
    once = iter([apiserver.failure(410, "expired")])
    respond = lambda asked: next(once, None) if "continue" in asked.query else None  # noqa: E731
    with server.answer(respond):
        assert len(await cluster.select(kinds.POD, namespace="shop")) == 3


@pytest.mark.parametrize("url", ["http://[::1", "127.0.0.1:80", "nonsense", "", "http://a b/", "https://host:99999999"])
async def test_a_server_whose_address_is_none_is_an_error_of_ours(url):
    with pytest.raises(errors.KubeError):
        async with Cluster(connection(url)) as cluster:
            await cluster.get(kinds.POD, "web", namespace="shop")


PLUGIN = "client.authentication.k8s.io/v1beta1"


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "nope"}},
        {"exec": {"apiVersion": PLUGIN, "command": "/nope"}},
        {"exec": {"apiVersion": PLUGIN, "command": "true"}},
        {"exec": {"apiVersion": PLUGIN, "command": "false"}},
        {"tokenFile": "/nope"},
        {"client-certificate-data": "###", "client-key-data": "x"},
        {"client-certificate": "/nope", "client-key": "/nope"},
        {"auth-provider": {"name": "gcp"}},
    ],
)
async def test_credentials_that_can_not_be_had_are_an_error_of_ours(server, tmp_path, user):
    with pytest.raises(errors.KubeError):
        async with Cluster.connect(kubeconfig=kubeconfig(tmp_path, server.url, user=user)) as cluster:
            await cluster.get(kinds.POD, "web", namespace="shop")


def test_a_certificate_authority_that_is_none_is_an_error_of_ours(tmp_path):
    path = kubeconfig(tmp_path, "https://x", user={"token": "t"}, **{"certificate-authority-data": "!!!"})
    with pytest.raises(errors.ConfigError):
        Cluster.connect(kubeconfig=path)


def kubeconfig(folder: Path, url: str, *, user: dict[str, Any], **cluster: str) -> str:
    content = {
        "current-context": "c",
        "clusters": [{"name": "k", "cluster": {"server": url, **cluster}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "users": [{"name": "u", "user": user}],
    }
    (folder / "config").write_text(yaml.safe_dump(content))
    return str(folder / "config")


async def test_the_version_of_the_api_server_is_known(cluster):
    assert await cluster.version() == "v1.31.2"
