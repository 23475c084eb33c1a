"""The v2 document as protobuf, read back with a reader that knows nothing but the wire format."""

import json
import struct
from typing import Any

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.schemas import openapi_protobuf

Fields = dict[int, list[Any]]


def read(data: bytes) -> Fields:
    found: Fields = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 2:
            length = varint()
            value: Any = data[at : at + length]
            at += length
        elif tag & 7 == 1:
            value = struct.unpack("<d", data[at : at + 8])[0]
            at += 8
        else:
            value = varint()
        found.setdefault(tag >> 3, []).append(value)
    return found


def named(pairs: list[bytes]) -> dict[str, Fields]:
    return {read(one)[1][0].decode(): read(read(one)[2][0]) for one in pairs}


def schema(props: Obj) -> Fields:
    return read(openapi_protobuf.schema(props))


def test_scalars_of_a_schema_have_the_numbers_of_gnostic() -> None:
    found = schema({"description": "d", "format": "int32", "type": "integer", "minimum": 1.5, "maxLength": 300})
    assert found[4] == [b"d"]
    assert found[2] == [b"int32"]
    assert read(found[22][0]) == {1: [b"integer"]}
    assert found[9] == [1.5]
    assert found[11] == [300]


def test_properties_items_and_maps_are_schemas_in_turn() -> None:
    inner = {"type": "string"}
    found = schema(
        {
            "type": "object",
            "required": ["a", "b"],
            "properties": {"a": {"$ref": "#/definitions/x"}, "l": {"type": "array", "items": inner}},
            "additionalProperties": inner,
        }
    )
    assert found[19] == [b"a", b"b"]
    properties = named(read(found[25][0])[1])
    assert properties["a"] == {1: [b"#/definitions/x"]}
    items = read(read(properties["l"][23][0])[1][0])
    assert read(items[22][0]) == {1: [b"string"]}
    assert read(read(read(found[21][0])[1][0])[22][0]) == {1: [b"string"]}


def test_extensions_and_enums_are_yaml() -> None:
    found = schema({"enum": ["a", 1], "x-kubernetes-list-map-keys": ["name"]})
    assert [read(one)[2][0] for one in found[20]] == [b'"a"', b"1"]
    extension = named(found[31])["x-kubernetes-list-map-keys"]
    assert json.loads(extension[2][0]) == ["name"]


def test_true_and_false_for_additional_properties_are_told_apart() -> None:
    assert read(schema({"additionalProperties": True})[21][0]) == {2: [1]}
    assert read(schema({"additionalProperties": False})[21][0]) == {2: [0]}


def test_a_document_has_its_paths_and_definitions() -> None:
    kind = {"group": "", "kind": "Pod", "version": "v1"}
    query = {"name": "dryRun", "in": "query", "description": "q", "type": "string", "uniqueItems": True}
    body = {"name": "body", "in": "body", "required": True, "schema": {"$ref": "#/definitions/P"}}
    operation = {
        "tags": ["core_v1"],
        "description": "d",
        "operationId": "patchIt",
        "produces": ["application/json"],
        "consumes": ["*/*"],
        "schemes": ["https"],
        "parameters": [body, query],
        "responses": {
            "200": {"description": "OK", "schema": {"$ref": "#/definitions/P"}},
            "401": {"description": "no"},
        },
        "x-kubernetes-group-version-kind": kind,
    }
    place = {"name": "name", "in": "path", "required": True, "description": "n", "type": "string", "uniqueItems": True}
    document = {
        "swagger": "2.0",
        "info": {"title": "T", "version": "v"},
        "paths": {"/api/v1/pods/{name}": {"patch": operation, "parameters": [place]}},
        "definitions": {"P": {"type": "object"}},
        "securityDefinitions": {"B": {"type": "apiKey", "name": "a", "in": "header", "description": "b"}},
        "security": [{"B": []}],
    }
    found = read(openapi_protobuf.encode(document))
    assert found[1] == [b"2.0"]
    item = named(read(found[8][0])[2])["/api/v1/pods/{name}"]
    patch = read(item[8][0])
    assert patch[5] == [b"patchIt"]
    said_body, said_query = (read(read(one)[1][0]) for one in patch[8])
    assert read(said_body[1][0])[2] == [b"body"]
    assert read(read(said_query[2][0])[3][0])[4] == [b"dryRun"]
    assert read(read(read(read(item[9][0])[1][0])[2][0])[4][0])[4] == [b"name"]
    assert json.loads(named(patch[13])["x-kubernetes-group-version-kind"][2][0]) == kind
    assert set(named(read(patch[9][0])[1])) == {"200", "401"}
    assert named(read(found[9][0])[1])["P"] == {22: [b"\n\x06object"]}
    assert read(named(read(found[13][0])[1])["B"][2][0])[3] == [b"header"]
