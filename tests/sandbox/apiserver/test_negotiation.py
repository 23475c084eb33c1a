import pytest

from litmus.sandbox.apiserver import negotiation
from litmus.sandbox.machinery.status import Refusal

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def objects(header: str, *, table: bool = True) -> tuple[str, str]:
    found = negotiation.of_objects(header, table=table, pretty=False)
    return found.media_type, found.transform


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ("application/json", "")),
        ("*/*", ("application/json", "")),
        ("application/json, */*", ("application/json", "")),
        ("application/yaml", ("application/yaml", "")),
        ("application/vnd.kubernetes.protobuf,application/json", ("application/json", "")),
        (f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", ("application/json", "Table")),
        ("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", ("application/json", "PartialObjectMetadata")),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", ("application/json", "")),
        ("text/html,application/yaml;q=0.5,application/json;q=0.9", ("application/json", "")),
    ],
)
def test_the_first_form_that_we_write_is_taken(header, expected):
    assert objects(header) == expected


@pytest.mark.parametrize("header", ["text/html", "application/foo"])
def test_a_foreign_media_type_is_not_acceptable(header):
    with pytest.raises(Refusal, match="406: Not Acceptable") as caught:
        objects(header)
    assert (caught.value.code, caught.value.reason) == (406, "NotAcceptable")


@pytest.mark.parametrize(
    "header", ["application/json;as=Table;v=v9;g=meta.k8s.io", "application/vnd.kubernetes.protobuf"]
)
def test_a_form_that_we_do_not_write_is_refused_with_those_that_we_do(header):
    with pytest.raises(Refusal, match="only the following media types are accepted: application/json"):
        objects(header)


def test_scale_has_no_table():
    with pytest.raises(Refusal) as caught:
        objects(TABLE, table=False)
    assert caught.value.code == 406


def test_a_watch_is_json():
    with pytest.raises(Refusal, match="application/json;stream=watch"):
        negotiation.of_watch("application/yaml")


@pytest.mark.parametrize(
    ("parameter", "agent", "expected"),
    [(None, "kubectl/v1.37", False), (None, "curl/8", True), ("0", "curl/8", False), ("1", "kubectl", True)],
)
def test_people_get_indented_answers(parameter, agent, expected):
    assert negotiation.wants_pretty(parameter, agent) is expected
