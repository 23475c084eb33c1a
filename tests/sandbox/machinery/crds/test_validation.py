"""Values of custom objects. The texts are those of a real server: compared with 1.20, where 1.37 says the same."""

from typing import Any

import pytest

from litmus.sandbox.machinery.crds import validation
from litmus.sandbox.machinery.objects import Obj

A_OR_B: Obj = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
NEEDS_A, NEEDS_B = {"required": ["a"]}, {"required": ["b"]}


def said(props: Obj, value: Any) -> list[str]:
    """What is wrong with the value of ``spec.x``."""
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"x": props}}}}
    return [str(cause) for cause in validation.causes(schema, {"spec": {"x": value}})]


@pytest.mark.parametrize(
    ("props", "value"),
    [
        ({"type": "string"}, "abc"),
        ({"type": "string"}, ""),
        ({"type": "integer"}, 0),
        ({"type": "integer"}, 3.0),
        ({"type": "number"}, 3),
        ({"type": "boolean"}, False),
        ({"type": "string", "nullable": True}, None),
        ({"x-kubernetes-int-or-string": True}, "http"),
        ({"x-kubernetes-int-or-string": True}, 80),
        ({"x-kubernetes-preserve-unknown-fields": True}, [1, {"a": None}]),
        ({"type": "integer", "enum": [1, 2]}, 2),
        ({"type": "string", "pattern": "^[a-z]+$"}, "abc"),
        ({"type": "string", "maxLength": 2}, "éé"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, 9),
        ({**A_OR_B, "oneOf": [NEEDS_A, NEEDS_B]}, {"b": "x"}),
        ({**A_OR_B, "anyOf": [NEEDS_A, NEEDS_B]}, {"a": "x", "b": "y"}),
        ({**A_OR_B, "not": NEEDS_A}, {"b": "x"}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"k": 1}),
    ],
)
def test_a_value_that_fits_has_no_causes(props: Obj, value: Any) -> None:
    assert said(props, value) == []


@pytest.mark.parametrize(
    ("props", "value", "causes"),
    [
        (
            {"type": "string"},
            3,
            ['spec.x: Invalid value: "integer": spec.x in body must be of type string: "integer"'],
        ),
        (
            {"type": "integer"},
            1.5,
            ['spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"'],
        ),
        (
            {"type": "object"},
            [],
            ['spec.x: Invalid value: "array": spec.x in body must be of type object: "array"'],
        ),
        (
            {"type": "integer"},
            True,
            ['spec.x: Invalid value: "boolean": spec.x in body must be of type integer: "boolean"'],
        ),
        ({"type": "string"}, None, ['spec.x: Invalid value: "null": spec.x in body must be of type string: "null"']),
        (
            {"x-kubernetes-int-or-string": True},
            1.5,
            ['spec.x: Invalid value: "number": spec.x in body must be of type integer,string: "number"'],
        ),
        (
            {"type": "string", "minLength": 2},
            "a",
            ['spec.x: Invalid value: "a": spec.x in body should be at least 2 chars long'],
        ),
        ({"type": "string", "maxLength": 5}, "abcdef", ["spec.x: Too long: may not be more than 5 bytes"]),
        (
            {"type": "string", "pattern": "^[a-z]+$"},
            "AB",
            ["spec.x: Invalid value: \"AB\": spec.x in body should match '^[a-z]+$'"],
        ),
        (
            {"type": "integer", "maximum": 9},
            12,
            ["spec.x: Invalid value: 12: spec.x in body should be less than or equal to 9"],
        ),
        (
            {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
            1,
            ["spec.x: Invalid value: 1: spec.x in body should be greater than 1"],
        ),
        (
            {"type": "integer", "maximum": 9, "exclusiveMaximum": True},
            9,
            ["spec.x: Invalid value: 9: spec.x in body should be less than 9"],
        ),
        (
            {"type": "number", "minimum": 1.5},
            1.2,
            ["spec.x: Invalid value: 1.2: spec.x in body should be greater than or equal to 1.5"],
        ),
        (
            {"type": "integer", "multipleOf": 5},
            7,
            ["spec.x: Invalid value: 7: spec.x in body should be a multiple of 5"],
        ),
        (
            {"type": "string", "enum": ["red", "green"]},
            "blue",
            ['spec.x: Unsupported value: "blue": supported values: "red", "green"'],
        ),
        ({"type": "integer", "enum": [1, 2]}, 7, ['spec.x: Unsupported value: 7: supported values: "1", "2"']),
        (
            {"type": "string", "enum": ["red"]},
            3,
            [
                'spec.x: Invalid value: "integer": spec.x in body must be of type string: "integer"',
                'spec.x: Unsupported value: 3: supported values: "red"',
            ],
        ),
        (
            {"type": "string", "format": "date-time"},
            "x",
            ['spec.x: Invalid value: "x": spec.x in body must be of type date-time: "x"'],
        ),
        (
            {"type": "array", "minItems": 1, "items": {"type": "string"}},
            [],
            ["spec.x: Invalid value: 0: spec.x in body should have at least 1 items"],
        ),
        ({"type": "array", "maxItems": 1}, [1, 2], ["spec.x: Too many: 2: must have at most 1 item"]),
        (
            {"type": "array", "items": {"type": "string"}},
            ["a", {}],
            ['spec.x[1]: Invalid value: "object": spec.x[1] in body must be of type string: "object"'],
        ),
        (
            {"type": "object", "minProperties": 1},
            {},
            ["spec.x: Invalid value: 1: spec.x in body should have at least 1 properties"],
        ),
        ({"type": "object", "maxProperties": 1}, {"a": 1, "b": 2}, ["spec.x: Too many: 2: must have at most 1 item"]),
        ({"type": "object", "required": ["a", "b"]}, {"b": 1}, ["spec.x.a: Required value"]),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"k": "v"},
            ['spec.x.k: Invalid value: "string": spec.x.k in body must be of type integer: "string"'],
        ),
    ],
)
def test_a_value_that_does_not_fit_is_told_about_as_a_real_server_does(
    props: Obj, value: Any, causes: list[str]
) -> None:
    assert said(props, value) == causes


@pytest.mark.parametrize(
    ("props", "value", "causes"),
    [
        (
            {"oneOf": [NEEDS_A, NEEDS_B]},
            {},
            [
                '<nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found none valid',
                "spec.x.a: Required value",
            ],
        ),
        (
            {"oneOf": [NEEDS_A, NEEDS_B]},
            {"a": "1", "b": "2"},
            [
                '<nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). '
                "Found 2 valid alternatives"
            ],
        ),
        (
            {"anyOf": [NEEDS_A, NEEDS_B]},
            {},
            [
                '<nil>: Invalid value: "": "spec.x" must validate at least one schema (anyOf)',
                "spec.x.a: Required value",
            ],
        ),
        (
            {"allOf": [NEEDS_A, NEEDS_B]},
            {},
            [
                "spec.x.a: Required value",
                "spec.x.b: Required value",
                '<nil>: Invalid value: "": "spec.x" must validate all the schemas (allOf). None validated',
            ],
        ),
        (
            {"allOf": [NEEDS_A, NEEDS_B]},
            {"a": "x"},
            [
                "spec.x.b: Required value",
                '<nil>: Invalid value: "": "spec.x" must validate all the schemas (allOf)',
            ],
        ),
        (
            {"not": NEEDS_A},
            {"a": "x"},
            ['<nil>: Invalid value: "": "spec.x" must not validate the schema (not)'],
        ),
    ],
)
def test_combinations_tell_which_of_them_failed(props: Obj, value: Any, causes: list[str]) -> None:
    assert said({**A_OR_B, **props}, value) == causes


def test_reasons_are_those_of_field_errors() -> None:
    props = {
        "type": "object",
        "required": ["r"],
        "properties": {
            "t": {"type": "string"},
            "e": {"type": "string", "enum": ["a"]},
            "l": {"type": "string", "maxLength": 1},
            "m": {"type": "array", "maxItems": 0},
            "p": {"type": "string", "pattern": "a"},
        },
    }
    found = validation.causes(props, {"t": 1, "e": "b", "l": "ab", "m": [1], "p": "b"})
    assert {cause.field: cause.reason for cause in found} == {
        "r": "FieldValueRequired",
        "t": "FieldValueTypeInvalid",
        "e": "FieldValueNotSupported",
        "l": "FieldValueTooLong",
        "m": "FieldValueTooMany",
        "p": "FieldValueInvalid",
    }


def test_limits_are_printed_as_go_prints_them() -> None:
    assert said({"type": "number", "maximum": 1000000}, 2000000.5) == [
        "spec.x: Invalid value: 2000000.5: spec.x in body should be less than or equal to 1e+06"
    ]
    assert said({"type": "integer", "maximum": 1000000}, 2000000) == [
        "spec.x: Invalid value: 2000000: spec.x in body should be less than or equal to 1000000"
    ]
