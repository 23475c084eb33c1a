"""Printer columns; the cells of the first test are those of a real server of 1.20."""

from datetime import UTC, datetime, timedelta

import pytest

from litmus.sandbox.machinery.crds import ages, columns, jsonpath

NOW = datetime(2026, 11, 22, 15, 49, 30, tzinfo=UTC)
OBJ = {
    "metadata": {"name": "t1", "creationTimestamp": "2026-11-22T15:49:30Z", "annotations": {"a.b/c": "d"}},
    "spec": {
        "text": "abc",
        "num": 3,
        "when": "2026-11-22T10:00:00Z",
        "names": ["a", "b"],
        "map": {"x": 1},
        "flag": True,
        "float": 2.5,
        "ports": [{"port": 80, "name": "http"}, {"port": 443}],
    },
    "status": {"conditions": [{"type": "Idle", "status": "False"}, {"type": "Ready", "status": "True"}]},
}


def column(kind: str, path: str) -> dict[str, str]:
    return {"name": "C", "type": kind, "jsonPath": path}


def test_cells_have_the_type_of_their_column() -> None:
    shown = [
        column("string", ".spec.text"),
        column("integer", ".spec.num"),
        column("date", ".spec.when"),
        column("string", '.status.conditions[?(@.type=="Ready")].status'),
        column("string", ".spec.names"),
        column("string", ".spec.names[*]"),
        column("string", ".spec.map"),
        column("boolean", ".spec.flag"),
        column("number", ".spec.float"),
        column("integer", ".spec.text"),
        column("date", ".metadata.creationTimestamp"),
    ]
    assert columns.cells(shown, OBJ, now=NOW) == [
        "t1", "abc", 3, "5h49m", "True", '["a","b"]', "a", '{"x":1}', True, 2.5, None, "0s",
    ]  # fmt: skip


def test_what_is_not_there_has_an_empty_cell() -> None:
    shown = [column("string", ".spec.nothing.at.all"), column("date", ".spec.nothing"), column("date", ".spec.text")]
    assert columns.cells(shown, OBJ, now=NOW) == ["t1", None, None, "<invalid>"]


def test_a_kind_without_columns_shows_its_age() -> None:
    found = columns.of({})
    assert [one["name"] for one in columns.definitions(found)] == ["Name", "Age"]
    assert columns.cells(found, OBJ, now=NOW + timedelta(minutes=3)) == ["t1", "3m"]


def test_a_column_is_described_by_its_path_unless_it_has_a_text() -> None:
    described = [{**column("integer", ".spec.num"), "priority": 1}, {**column("string", ".x"), "description": "D"}]
    assert columns.definitions(described)[1:] == [
        {
            "name": "C",
            "type": "integer",
            "format": "",
            "description": "Custom resource definition column (in JSONPath format): .spec.num",
            "priority": 1,
        },
        {"name": "C", "type": "string", "format": "", "description": "D", "priority": 0},
    ]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.text", ["abc"]),
        ("{.spec.text}", ["abc"]),
        (".spec['text']", ["abc"]),
        (r".metadata.annotations.a\.b/c", ["d"]),
        (".spec.names[0]", ["a"]),
        (".spec.names[-1]", ["b"]),
        (".spec.names[5]", []),
        (".spec.names[0:1]", ["a"]),
        (".spec.ports[*].port", [80, 443]),
        (".spec.ports[?(@.name)].port", [80]),
        (".spec.ports[?(@.port>100)].port", [443]),
        (".spec.ports[?(@.name!='http')].port", []),
        ("..port", [80, 443]),
        (".spec.map.*", [1]),
        (".spec.names.x", []),
        (".spec[", []),
        (".", [OBJ]),
    ],
)
def test_a_path_finds_what_it_names(path: str, found: list[object]) -> None:
    assert jsonpath.find(path, OBJ) == found


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (10799, "179m"),
        (10800, "3h"),
        (3 * 3600 + 300, "3h5m"),
        (8 * 3600 + 60, "8h"),
        (47 * 3600, "47h"),
        (49 * 3600, "2d1h"),
        (9 * 86400 + 3600, "9d"),
        (729 * 86400, "729d"),
        (2 * 365 * 86400 + 86400, "2y1d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_an_age_is_said_in_two_units_at_most(seconds: int, said: str) -> None:
    assert ages.said(timedelta(seconds=seconds)) == said
