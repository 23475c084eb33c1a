"""The API of the hub over hubs of any kind: what each address answers, and how it is sent."""

import gzip
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import yaml
from litestar import Litestar, get
from litestar.testing import AsyncTestClient

from litmus import __version__
from litmus.hub import answers, delivery, model, ours, server
from litmus.hub.outgoing import Answer
from tests.hub import served

BUNDLE = "charts/generic/experiments.yaml"
ROLE = "charts/generic/pod-delete/rbac.yaml"
BREAK_IT = "charts/foreign/break-it"
ENGINE_FILES = ("experiment_file", "rbac_file", "engine_file")


@pytest.fixture
def others() -> list[model.Hub]:
    return [served.foreign()]


@pytest.fixture
async def hub(others: list[model.Hub]) -> AsyncIterator[AsyncTestClient[Any]]:
    async with AsyncTestClient(server.app(image="litmus:mine", others=lambda: others)) as client:
        yield client


@pytest.fixture
async def real(others: list[model.Hub]) -> AsyncIterator[httpx2.AsyncClient]:
    async with served.running(server.app(others=lambda: others)) as client:
        yield client


def chaos(file: str, version: str = "master", **more: str) -> str:
    return str(httpx2.URL(f"/api/chaos/{version}", params={"file": file, **more}))


# Files


async def test_every_file_of_every_hub_is_served_as_it_is(hub: AsyncTestClient[Any], others: list[model.Hub]):
    for offered in (ours.hub(image="litmus:mine"), *others):
        for path, content in offered.files.items():
            answer = await hub.get(chaos(path, hub=offered.name))
            assert (answer.status_code, answer.content) == (200, content), path


async def test_a_file_of_another_hub_is_not_one_of_ours(hub: AsyncTestClient[Any]):
    assert (await hub.get(chaos(f"{BREAK_IT}/rbac.yaml", hub="theirs"))).text == served.FOREIGN_ROLE
    assert (await hub.get(chaos(f"{BREAK_IT}/rbac.yaml"))).status_code == 404
    assert (await hub.get(chaos(ROLE, hub="theirs"))).status_code == 404


async def test_a_namespace_goes_into_the_manifest_of_another_hub_and_its_comments_stay(hub: AsyncTestClient[Any]):
    answer = await hub.get(chaos(f"{BREAK_IT}/rbac.yaml", hub="theirs", namespace="nginx"))

    assert yaml.safe_load(answer.text)["metadata"]["namespace"] == "nginx"
    assert answer.text.startswith("# Written by somebody else.\n")


async def test_a_namespace_does_not_go_into_what_is_no_manifest(hub: AsyncTestClient[Any]):
    answer = await hub.get(chaos(f"{BREAK_IT}/broken.yaml", hub="theirs", namespace="nginx"))
    assert answer.status_code == 400
    assert "fetch it without &namespace=" in answer.text

    image = await hub.get(chaos("charts/foreign/icons/break-it.png", hub="theirs", namespace="nginx"))
    assert image.content == served.PIXEL


async def test_an_unknown_hub_is_not_found_and_the_answer_lists_the_hubs(hub: AsyncTestClient[Any]):
    answer = await hub.get(chaos(BUNDLE, hub="thiers"))

    assert answer.status_code == 404
    assert answer.text == "There is no hub 'thiers'; did you mean theirs? There is litmus, theirs.\n"


@pytest.mark.parametrize("version", ["1.10.0", "v1.10.0", "master", __version__, f"v{__version__}"])
async def test_a_version_is_accepted_with_a_v_before_it_and_without(hub: AsyncTestClient[Any], version: str):
    for address in (chaos(BUNDLE, version), f"/api/charts/{version}", f"/api/charts/{version}/generic"):
        assert (await hub.get(address)).status_code == 200


@pytest.mark.parametrize("version", ["vmaster", "1.9.0", "vv1.10.0", "V1.10.0", "latest"])
async def test_no_other_version_is(hub: AsyncTestClient[Any], version: str):
    for address in (chaos(BUNDLE, version), f"/api/charts/{version}", f"/api/icon/{version}/generic/pod-delete.svg"):
        answer = await hub.get(address)
        assert answer.status_code == 404
        assert f"There is 1.10.0, {__version__}, master." in answer.text


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (f"{BREAK_IT}/rbac.yaml", "text/yaml; charset=utf-8"),
        ("charts/foreign/icons/break-it.png", "image/png"),
        ("charts/foreign/icons/drawn.svg", "image/svg+xml"),
        ("charts/foreign/icons/page.html", "text/plain; charset=utf-8"),
        (f"{BREAK_IT}/data.bin", "application/octet-stream"),
    ],
)
async def test_a_file_of_others_is_what_it_is_and_never_a_page(hub: AsyncTestClient[Any], file: str, kind: str):
    answer = await hub.get(chaos(file, hub="theirs"))
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"


# Refusals


async def test_who_accepts_json_gets_the_refusal_as_json_with_all_that_exists(hub: AsyncTestClient[Any]):
    answer = await hub.get(chaos("charts/generic/pod-delet/rbac.yaml"), headers={"accept": "application/json"})

    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert (said["status"], said["nearest"]) == (404, ROLE)
    assert said["exist"] == list(ours.hub().files)
    assert said["error"].startswith("There is no file 'charts/generic/pod-delet/rbac.yaml'; did you mean")


@pytest.mark.parametrize("accept", ["*/*", "text/plain", "", "text/plain, application/json;q=0.5", "\u00fc;q=x", ";;;"])
async def test_everybody_else_gets_it_as_a_sentence(hub: AsyncTestClient[Any], accept: str):
    answer = await hub.get(chaos("nothing"), headers={"accept": accept.encode()})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert answer.text.count("\n") == 1


async def test_an_address_that_is_none_says_where_the_api_is(hub: AsyncTestClient[Any]):
    answer = await hub.get("/api/chaos")
    assert answer.status_code == 404
    assert "/api/chaos/{version}?file=PATH" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_method_that_changes_something_is_refused_with_those_that_are_allowed(
    hub: AsyncTestClient[Any], method: str
):
    answer = await hub.request(method, chaos(BUNDLE))
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_an_address_that_is_too_long_is_refused(hub: AsyncTestClient[Any]):
    assert (await hub.get(chaos("x" * delivery.LONGEST_TARGET))).status_code == 414
    assert (await hub.get(chaos("x" * (delivery.LONGEST_TARGET // 2)))).status_code == 404


async def test_a_name_that_is_too_long_to_be_repeated_is_cut(hub: AsyncTestClient[Any]):
    assert len((await hub.get(chaos("x" * 4000))).content) < 2000


async def test_a_refusal_is_not_kept_by_a_cache(hub: AsyncTestClient[Any]):
    answer = await hub.get(chaos("nothing"))
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


async def test_a_defect_is_logged_with_its_traceback_and_told_without(
    hub: AsyncTestClient[Any], others: list[model.Hub], caplog: pytest.LogCaptureFixture
):
    others.append(None)  # type: ignore[arg-type]  # what no hub is

    with caplog.at_level(logging.ERROR):
        answer = await hub.get("/api/hubs")

    assert answer.status_code == 500
    assert answer.text == "This is a defect of the hub; its log says more.\n"
    [record] = [one for one in caplog.records if one.name == answers.__name__]
    assert record.exc_info is not None
    assert (record.path, record.method) == ("/api/hubs", "GET")


# Charts and icons


async def test_the_charts_have_every_group_with_its_experiments(hub: AsyncTestClient[Any]):
    groups = (await hub.get("/api/charts/1.10.0")).json()

    offered = ours.hub()
    assert [group["Metadata"]["Name"] for group in groups] == [group.name for group in offered.groups]
    for group, entry in zip(offered.groups, groups, strict=True):
        names = [chart.name for chart in group.charts]
        assert [one["Metadata"]["Name"] for one in entry["Experiments"]] == names
        assert [one["Name"] for one in entry["PackageInfo"]["Experiments"]] == names
        assert sorted(entry["Spec"]["Experiments"]) == sorted(names)
        assert entry == (await hub.get(f"/api/charts/1.10.0/{group.name}")).json()


# The keys of the original's Go structures at 1.10, which its portal and its site read.
ORIGINAL = {
    "": {"ApiVersion", "Kind", "Metadata", "Spec", "PackageInfo", "Experiments"},
    "Metadata": {"Name", "Version", "Annotations"},
    "Annotations": {"Categories", "Vendor", "CreatedAt", "Repository", "Support", "ChartDescription"},
    "Spec": {
        *("DisplayName", "CategoryDescription", "Keywords", "Maturity", "Maintainers", "MinKubeVersion", "Provider"),
        *("Links", "Experiments", "ChaosExpCRDLink", "Platforms", "ChaosType"),
    },
}


@pytest.mark.parametrize("name", [model.OURS, "theirs"])
async def test_their_keys_are_those_of_the_original(hub: AsyncTestClient[Any], name: str):
    groups = (await hub.get(f"/api/charts/1.10.0?hub={name}")).json()
    for chart in [*groups, *(one for group in groups for one in group["Experiments"])]:
        assert set(chart) == ORIGINAL[""]
        assert set(chart["Metadata"]) == ORIGINAL["Metadata"]
        assert set(chart["Metadata"]["Annotations"]) == ORIGINAL["Annotations"]
        assert set(chart["Spec"]) == ORIGINAL["Spec"]
        assert set(chart["PackageInfo"]) == {"PackageName", "Experiments"}
        assert chart["ApiVersion"] == "litmuchaos.io/v1alpha1"


async def test_the_values_are_those_of_the_files_and_else_those_that_the_hub_knows(hub: AsyncTestClient[Any]):
    good, bad = (await hub.get("/api/charts/master/foreign?hub=theirs")).json()["Experiments"]

    assert good["Metadata"]["Version"] == "0.3.1"
    assert good["Metadata"]["Annotations"]["CreatedAt"] == "2020-10-15T10:28:08Z"
    assert good["Spec"]["DisplayName"] == "break it"
    assert good["Spec"]["Keywords"] == ["Kubernetes", "7"]
    assert good["Spec"]["Maintainers"] == [{"Name": "One", "Email": "one@example.org"}]
    assert good["Spec"]["Links"] == [{"Name": "Source", "Url": "https://example.org/source"}]
    assert good["Spec"]["Provider"] == {"Name": "Somebody"}
    assert good["Spec"]["ChaosType"] == "infra"
    assert (bad["Metadata"]["Name"], bad["Spec"]["DisplayName"]) == ("bad", "Bad")


async def test_an_unknown_group_is_not_found_and_the_answer_lists_the_groups(hub: AsyncTestClient[Any]):
    for address in ("/api/charts/master/genric", "/api/icon/master/genric/pod-delete.svg"):
        answer = await hub.get(address)
        assert answer.status_code == 404
        assert answer.text.startswith("There is no group 'genric'; did you mean generic? There is generic")


async def test_what_was_synced_is_served_at_once_and_what_was_removed_is_gone(
    hub: AsyncTestClient[Any], others: list[model.Hub]
):
    address, file = "/api/charts/master/foreign?hub=theirs", chaos(f"{BREAK_IT}/new.yaml", hub="theirs")
    before = (await hub.get(address)).headers["etag"]
    assert (await hub.get(file)).status_code == 404

    renamed = served.FOREIGN_CSV.replace("break it", "break it well").encode()
    path = "charts__foreign__break-it__"
    others[:] = [served.foreign(**{f"{path}break-it.chartserviceversion.yaml": renamed, f"{path}new.yaml": b"a: 1\n"})]

    after = await hub.get(address)
    assert after.json()["Experiments"][0]["Spec"]["DisplayName"] == "break it well"
    assert after.headers["etag"] != before
    assert (await hub.get(file)).text == "a: 1\n"
    others.clear()
    assert (await hub.get(address)).status_code == 404


async def test_an_icon_is_an_image_that_can_do_nothing(hub: AsyncTestClient[Any]):
    pixel = await hub.get("/api/icon/1.10.0/foreign/break-it.png?hub=theirs")
    assert (pixel.content, pixel.headers["content-type"]) == (served.PIXEL, "image/png")
    drawn = await hub.get("/api/icon/1.10.0/foreign/drawn.svg?hub=theirs")
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert drawn.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    page = await hub.get("/api/icon/1.10.0/foreign/page.html?hub=theirs")
    assert page.status_code == 404
    assert "break-it.png" in page.text


async def test_an_icon_that_the_original_has_as_png_is_ours_as_svg(hub: AsyncTestClient[Any]):
    answer = await hub.get("/api/icon/1.10.0/foreign/drawn.png?hub=theirs")
    assert (answer.content, answer.headers["content-type"]) == (served.SCRIPTED, "image/svg+xml")


# The hubs and the server's state


async def test_the_hubs_are_listed_with_their_state_and_their_problems(hub: AsyncTestClient[Any]):
    own, theirs = (await hub.get("/api/hubs")).json()

    assert (own["name"], own["available"], own["revision"], own["broken"]) == ("litmus", True, __version__, [])
    assert theirs == {
        "name": "theirs",
        "source": "https://example.org/charts.git",
        "revision": "abc123",
        "synced": "2026-11-22T10:00:00Z",
        "available": True,
        "groups": 1,
        "experiments": 2,
        "broken": ["foreign/bad"],
        "problems": [
            {"file": "", "line": 0, "message": "the last sync failed", "warning": False},
            {"file": "charts/foreign/bad/experiment.yaml", "line": 3, "message": "can't be read", "warning": False},
        ],
    }


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
async def test_the_server_is_well_and_ready(hub: AsyncTestClient[Any], address: str):
    answer = await hub.get(address)
    assert (answer.status_code, answer.text, answer.headers["cache-control"]) == (200, "ok\n", "no-store")


# How answers are sent


async def test_who_has_the_file_is_told_that_it_has_not_changed(real: httpx2.AsyncClient):
    first = await real.get(chaos(BUNDLE))
    again = await real.get(chaos(BUNDLE), headers={"if-none-match": f'"other", {first.headers["etag"]}'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"] == "public, max-age=60"
    other = await real.get(chaos(BUNDLE), headers={"if-none-match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize("condition", ["*", "W/%s", '"a",%s', "%s "])
async def test_a_condition_is_read_in_every_form_that_http_allows(hub: AsyncTestClient[Any], condition: str):
    etag = (await hub.get(chaos(ROLE))).headers["etag"]
    answer = await hub.get(chaos(ROLE), headers={"if-none-match": condition.replace("%s", etag)})
    assert answer.status_code == 304


async def test_the_etag_is_that_of_the_content_and_differs_between_its_forms(real: httpx2.AsyncClient):
    plain = await real.get(chaos(BUNDLE), headers={"accept-encoding": "identity"})
    packed = await real.get(chaos(BUNDLE), headers={"accept-encoding": "gzip"})
    placed = await real.get(chaos(ROLE, namespace="nginx"))

    assert plain.content == packed.content == (await real.get(chaos(BUNDLE, "1.10.0"))).content
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert len({one.headers["etag"] for one in (plain, packed, placed)}) == 3
    assert (await real.get(chaos(BUNDLE, "1.10.0"))).headers["etag"] == packed.headers["etag"]


@pytest.mark.parametrize("accepted", ["gzip;q=0", "identity", "br", "*;q=0, identity", "", "gzip;q=0.0, *"])
async def test_who_does_not_take_gzip_does_not_get_it(hub: AsyncTestClient[Any], accepted: str):
    answer = await hub.get(chaos(BUNDLE), headers={"accept-encoding": accepted})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("accepted", ["gzip", "GZIP;q=0.5", "br, *", "deflate, gzip;q=1.0"])
async def test_who_takes_gzip_gets_what_unpacks_to_the_file(hub: AsyncTestClient[Any], accepted: str):
    async with hub.stream("GET", chaos(BUNDLE), headers={"accept-encoding": accepted}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert gzip.decompress(raw) == ours.hub(image="litmus:mine").files[BUNDLE]


async def test_what_is_small_or_an_image_is_not_compressed(hub: AsyncTestClient[Any]):
    for address in (chaos(f"{BREAK_IT}/rbac.yaml", hub="theirs"), "/api/icon/master/foreign/break-it.png?hub=theirs"):
        assert "content-encoding" not in (await hub.get(address)).headers


async def test_the_answer_to_head_is_that_to_get_without_its_body(real: httpx2.AsyncClient):
    for address in (chaos(BUNDLE), "/api/charts/master", "/api/version", "/healthz", chaos("nothing")):
        got, head = await real.get(address), await real.head(address)
        assert head.content == b""
        assert (head.status_code, dict(head.headers)) == (
            got.status_code,
            dict(got.headers) | {"date": head.headers["date"]},
        )


async def test_a_page_of_anybody_may_read_the_api(hub: AsyncTestClient[Any]):
    for address in (chaos(BUNDLE), "/api/hubs", chaos("nothing"), "/api/nothing"):
        answer = await hub.get(address, headers={"origin": "https://portal.example.org", "cookie": "lang=ja"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in (await hub.get("/healthz")).headers


async def test_a_browser_that_asks_first_is_told_what_it_may(hub: AsyncTestClient[Any]):
    asks = {"origin": "https://portal.example.org", "access-control-request-method": "GET"}
    answer = await hub.options(chaos(BUNDLE), headers=asks | {"access-control-request-headers": "x-mine"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert answer.headers["access-control-allow-headers"] == "*"


async def test_options_tells_the_methods_of_an_address(hub: AsyncTestClient[Any]):
    answer = await hub.options(chaos(BUNDLE))
    assert answer.status_code == 204
    assert {one.strip() for one in answer.headers["allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}


async def test_every_answer_says_that_it_is_what_it_says(hub: AsyncTestClient[Any]):
    for address in (chaos(BUNDLE), "/api/hubs", "/healthz", chaos("nothing"), "/nothing", chaos("x" * 9000)):
        headers = (await hub.get(address)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_page_may_load_what_the_hub_itself_serves_and_nothing_else():
    @get("/page", media_type="text/html", sync_to_thread=False)
    def page() -> str:
        return "<p>a page</p>"

    application = delivery.Delivery(Litestar([page], openapi_config=None), state=lambda: ())
    async with AsyncTestClient(application) as client:
        policy = (await client.get("/page")).headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy


async def test_a_page_is_made_once_for_who_asks_alike_and_anew_when_a_hub_changes():
    made: list[str] = []
    state: list[object] = [object()]

    @get("/page", media_type="text/html", sync_to_thread=False)
    def page(request: answers.AnyRequest) -> str:
        made.append(request.headers.get("accept-language", ""))
        assert "user-agent" not in request.headers  # it can't depend on what is not looked at
        return "page"

    application = delivery.Delivery(Litestar([page], openapi_config=None), state=lambda: state)
    async with AsyncTestClient(application) as client:
        for address, language in (
            ("/page", "en"),
            ("/page", "en"),
            ("/page", "ja"),
            ("/page?q=a", "ja"),
            ("/page", "en"),
        ):
            answer = await client.get(address, headers={"accept-language": language})
            assert answer.text == "page"
        assert made == ["en", "ja", "ja"]
        state[0] = object()
        await client.get("/page", headers={"accept-language": "en"})
        assert made == ["en", "ja", "ja", "en"]


async def test_what_is_for_the_moment_is_asked_for_every_time(hub: AsyncTestClient[Any], others: list[model.Hub]):
    assert len((await hub.get("/api/hubs")).json()) == 2
    others.append(served.foreign("more"))
    assert len((await hub.get("/api/hubs")).json()) == 3


def test_what_is_kept_has_a_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(delivery, "KEPT_BYTES", 100_000)
    kept = delivery.Kept(lambda: ())
    for number in range(delivery.KEPT + 10):
        kept.keep((b"%d" % number,), Answer(200, [], b""), state=())
        kept.keep((b"%d" % number,), Answer(200, [], b"a"), state=())
    assert len(kept) < 100_000 / 1024
    assert kept.bytes <= 100_000
    assert kept.find((b"0",)) is None
    assert kept.find((b"%d" % (delivery.KEPT + 9),)) is not None


def test_an_answer_made_before_a_change_is_not_kept_after_it():
    state: list[object] = [object()]
    kept = delivery.Kept(lambda: tuple(state))
    before = kept.state()
    state[0] = object()
    kept.keep((b"a",), Answer(200, [], b""), state=before)
    assert len(kept) == 0
