"""Bodies that are no patch. The texts are those of a real server."""

import json

import pytest

from litmus.sandbox.machinery import patches, resources, status
from litmus.sandbox.machinery.patches import reading
from litmus.sandbox.machinery.resources import Resource

CATALOGUE = resources.built_in()
CONFIG_MAPS = CATALOGUE.named("configmaps")
WIDGETS = Resource(group="x.y", version="v1", plural="widgets", singular="widget", kind="Widget", custom=True)


def read(media_type: str, body: bytes, resource: Resource = CONFIG_MAPS) -> patches.Patch:
    return patches.read(media_type, body, resource, shapes=lambda resource: None)


@pytest.mark.parametrize(
    ("media_type", "body", "message"),
    [
        (patches.JSON, b"not json", "error decoding patch: invalid character 'o' in literal null (expecting 'u')"),
        (patches.JSON, b"", "error decoding patch: unexpected end of JSON input"),
        (patches.JSON, b"[1]", "json: cannot unmarshal number into Go value of type jsonpatch.Operation"),
        (
            patches.JSON,
            b"{}",
            "error decoding patch: json: cannot unmarshal object into Go value of type []interface {}",
        ),
        (patches.MERGE, b"null", "Invalid JSON Patch"),
        (
            patches.MERGE,
            b'"x"',
            "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}",
        ),
        (patches.MERGE, b'{"a" 1}', "error decoding patch: invalid character '1' after object key"),
        (patches.MERGE, b'{"a":1 "b"}', "error decoding patch: invalid character '\"' after object key:value pair"),
        (patches.MERGE, b"{} x", "error decoding patch: invalid character 'x' after top-level value"),
        (patches.MERGE, b'{"a":[1 2]}', "error decoding patch: invalid character '2' after array element"),
        (patches.MERGE, b'{"a', "error decoding patch: unexpected end of JSON input"),
        (patches.STRATEGIC, b"", "EOF"),
        (patches.STRATEGIC, b"nope", "invalid character 'o' in literal null (expecting 'u')"),
        (patches.STRATEGIC, b"[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (
            patches.APPLY,
            b"[]",
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: "
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
    ],
)
def test_a_malformed_patch_is_a_bad_request(media_type: str, body: bytes, message: str) -> None:
    with pytest.raises(status.Refusal) as refused:
        read(media_type, body)
    assert (refused.value.code, refused.value.reason, refused.value.message) == (400, "BadRequest", message)


def test_broken_yaml_is_a_bad_request_with_its_line() -> None:
    with pytest.raises(status.Refusal, match=r"error decoding YAML: error converting YAML to JSON: yaml: line 1: "):
        read(patches.APPLY, b"not: [yaml")


def test_a_custom_resource_refuses_a_strategic_merge_patch_and_says_what_it_takes() -> None:
    with pytest.raises(status.Refusal) as refused:
        read(patches.STRATEGIC, b"{}", WIDGETS)
    assert (refused.value.code, refused.value.message) == (
        415,
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json,"
        " application/merge-patch+json, application/apply-patch+yaml",
    )


def test_more_than_ten_thousand_operations_are_too_many() -> None:
    body = json.dumps([{"op": "add", "path": "/data/x", "value": "1"}] * 10_001).encode()
    with pytest.raises(status.Refusal) as refused:
        read(patches.JSON, body)
    assert refused.value.code == 413


def test_an_apply_patch_may_be_yaml_and_keeps_dates_as_text() -> None:
    patch = read(patches.APPLY, b"kind: ConfigMap\ndata:\n  day: 2026-01-02\n")
    assert patch.body == {"kind": "ConfigMap", "data": {"day": "2026-01-02"}}
    assert patch.creates


@pytest.mark.parametrize("body", [b"- " * 200_000, b"[" * 200_000, b"{a: " * 200_000, b'{"a":' * 200_000])
def test_no_depth_of_nesting_ends_the_process(body):
    with pytest.raises(reading.Malformed):
        reading.from_yaml(body)
    with pytest.raises(reading.Malformed):
        reading.from_json(body)


@pytest.mark.parametrize("text", ["a: 5.0", '{"a": 5.0}', "{a: 5.0}", '{"a": 5e0}'])
def test_a_whole_number_of_yaml_is_an_integer_as_go_converts_it(text):
    found = reading.from_yaml(text.encode())["a"]
    assert (found, type(found)) == (5, int)
