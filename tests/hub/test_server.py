"""The hub's server, asked over its HTTP interface."""

import socket
from collections.abc import AsyncIterator

import pytest
import yaml
from litestar.testing import AsyncTestClient

from litmus import __version__
from litmus.experiments import catalogue
from litmus.hub import charts, server

BUNDLE = "charts/generic/experiments.yaml"


@pytest.fixture
async def hub() -> AsyncIterator[AsyncTestClient]:
    async with AsyncTestClient(server.app(image="litmus:mine")) as client:
        yield client


async def test_the_address_of_the_tutorial_gives_the_bundle(hub: AsyncTestClient):
    answer = await hub.get("/api/chaos/1.10.0?file=charts/generic/experiments.yaml")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/yaml; charset=utf-8"
    kinds = {document["kind"] for document in yaml.safe_load_all(answer.text)}
    assert kinds == {"ChaosExperiment"}


@pytest.mark.parametrize("version", ["1.10.0", "master", __version__])
async def test_every_file_is_served_under_every_version(hub: AsyncTestClient, version: str):
    for path, write in charts.table(catalogue.everything(), image="litmus:mine").items():
        answer = await hub.get(f"/api/chaos/{version}", params={"file": path})

        assert (answer.status_code, answer.text) == (200, write())


async def test_the_experiments_name_the_image_that_the_hub_was_started_with(hub: AsyncTestClient):
    answer = await hub.get("/api/chaos/master", params={"file": BUNDLE})

    images = {document["spec"]["definition"]["image"] for document in yaml.safe_load_all(answer.text)}
    assert images == {"litmus:mine"}


async def test_a_namespace_in_the_address_goes_into_the_role(hub: AsyncTestClient):
    path = "charts/generic/pod-delete/rbac.yaml"

    answer = await hub.get("/api/chaos/master", params={"file": path, "namespace": "nginx"})

    assert answer.text == charts.table(catalogue.everything(), namespace="nginx")[path]()


async def test_an_unknown_version_is_not_found_and_the_answer_lists_the_versions(hub: AsyncTestClient):
    answer = await hub.get("/api/chaos/1.9.0", params={"file": BUNDLE})

    assert answer.status_code == 404
    assert answer.text == f"There is no version '1.9.0'. There is 1.10.0, {__version__}, master.\n"


async def test_an_unknown_file_is_not_found_and_the_answer_says_which_was_meant_and_which_there_are(
    hub: AsyncTestClient,
):
    answer = await hub.get("/api/chaos/master", params={"file": "charts/generic/pod-delet/rbac.yaml"})

    assert answer.status_code == 404
    assert "did you mean charts/generic/pod-delete/rbac.yaml?" in answer.text
    assert "There is charts/generic/experiments.yaml, charts/generic/{pod-delete," in answer.text
    assert answer.text.count("\n") == 1


@pytest.mark.parametrize(
    "path", ["../pyproject.toml", "/etc/passwd", "charts/generic", "charts//experiments.yaml", "\0"]
)
async def test_nothing_but_charts_is_served(hub: AsyncTestClient, path: str):
    answer = await hub.get("/api/chaos/master", params={"file": path})

    assert answer.status_code == 404


@pytest.mark.parametrize("query", ["", "?file=", "?files=x"])
async def test_without_a_file_the_answer_says_how_to_name_one(hub: AsyncTestClient, query: str):
    answer = await hub.get(f"/api/chaos/master{query}")

    assert answer.status_code == 400
    assert "add ?file=PATH" in answer.text


async def test_a_namespace_that_cannot_be_one_is_refused(hub: AsyncTestClient):
    answer = await hub.get("/api/chaos/master", params={"file": BUNDLE, "namespace": "a\nb: c"})

    assert answer.status_code == 400
    assert "is no name of a namespace" in answer.text


async def test_the_versions_are_a_list(hub: AsyncTestClient):
    answer = await hub.get("/api/version")

    assert answer.json() == ["1.10.0", __version__, "master"]


async def test_the_hub_says_that_it_is_well(hub: AsyncTestClient):
    answer = await hub.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_a_port_in_use_is_one_sentence_with_a_remedy():
    with server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(server.CannotListen, match=f"^port {port} on 127.0.0.1 is in use; .* another --port$"):
            server.listen("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_one_sentence_with_a_remedy():
    with pytest.raises(server.CannotListen, match=r"can.t listen on 192\.0\.2\.1:0: .*another --host"):
        server.listen("192.0.2.1", 0)


def test_who_connects_early_waits_instead_of_being_refused():
    with server.listen("127.0.0.1", 0) as bound, socket.create_connection(bound.getsockname(), timeout=5):
        pass
