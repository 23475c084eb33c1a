import pytest

from litmus.sandbox.apiserver import bodies
from litmus.sandbox.machinery import resources
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Refusal

CONFIG_MAP = resources.built_in().named("configmaps")
WIDGET = Resource(group="x.io", version="v1", plural="widgets", singular="widget", kind="Widget", custom=True)
UNRECOGNIZED = "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; "


def message(body: str, expected: Resource = CONFIG_MAP, content_type: str = "application/json") -> str:
    with pytest.raises(Refusal) as caught:
        bodies.decode(body.encode(), content_type, expected)
    return caught.value.message


# Golden: a real server's messages.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"a', UNRECOGNIZED + 'json parse error: unexpected end of JSON input ({"a)'),
        ("", UNRECOGNIZED + "json parse error: unexpected end of JSON input (<empty>)"),
        (
            '{"kind":"Foo","apiVersion":"v1"}',
            'Foo in version "v1" cannot be handled as a ConfigMap: no kind "Foo" is registered for version "v1" '
            'in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"',
        ),
        (
            '{"kind":"ConfigMap","apiVersion":"apps/v1"}',
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version '
            '"apps/v1" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"',
        ),
    ],
)
def test_what_is_no_object_of_the_kind_is_refused(body, expected):
    assert message(body) == expected


def test_a_long_body_is_shown_in_part():
    assert message('{"kind":"ConfigMap","metadata":{"name"').endswith('({"kind":"ConfigMap","metadata"...)')


@pytest.mark.parametrize("body", ["[]", "1", "null"])
def test_an_object_is_a_mapping(body):
    assert "the object provided is unrecognized (must be of type ConfigMap)" in message(body)


def test_kind_and_version_of_a_built_in_kind_are_filled_in():
    found = bodies.decode(b'{"metadata":{"name":"a"}}', "application/json; charset=utf-8", CONFIG_MAP)
    assert (found["kind"], found["apiVersion"]) == ("ConfigMap", "v1")


def test_a_further_version_may_be_accepted():
    body = b'{"kind":"ConfigMap","apiVersion":"old/v0"}'
    assert bodies.decode(body, "application/json", CONFIG_MAP, versions=("old/v0",))["apiVersion"] == "old/v0"


def test_yaml_keeps_dates_as_text():
    found = bodies.decode(b"kind: ConfigMap\napiVersion: v1\ndata: {day: 2026-01-02}", "application/yaml", CONFIG_MAP)
    assert found["data"] == {"day": "2026-01-02"}


def test_another_media_type_is_unsupported():
    with pytest.raises(Refusal) as caught:
        bodies.decode(b"{}", "text/plain", CONFIG_MAP)
    assert (caught.value.code, caught.value.reason) == (415, "UnsupportedMediaType")
    assert caught.value.message == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )


def test_a_custom_object_says_its_kind():
    expected = (
        'Widget in version "v1" cannot be handled as a Widget: unmarshalerDecoder: '
        'Object \'Kind\' is missing in \'{"metadata":{"name":"b"}}\''
    )
    assert message('{"metadata":{"name":"b"}}', WIDGET).startswith(expected)


def test_a_custom_object_of_another_version_is_refused():
    body = '{"kind":"Widget","apiVersion":"x.io/v2"}'
    expected = "the API version in the data (x.io/v2) does not match the expected API version (x.io/v1)"
    assert message(body, WIDGET) == expected


def test_a_custom_object_of_another_kind_is_invalid():
    body = '{"kind":"Foo","apiVersion":"x.io/v1","metadata":{"name":"c"}}'
    assert message(body, WIDGET) == 'Foo.x.io "c" is invalid: kind: Invalid value: "Foo": must be Widget'
