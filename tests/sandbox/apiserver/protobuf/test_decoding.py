"""``recorded.jsonl``: what kubectl 1.37 sent, beside what its ``--dry-run=client -o json`` prints; and what a real API
server answers to ``Accept: application/vnd.kubernetes.protobuf``, beside its JSON."""

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.sandbox.apiserver import protobuf
from litmus.sandbox.apiserver.protobuf import messages, wire
from litmus.sandbox.machinery import status

RECORDED = [json.loads(line) for line in (Path(__file__).parent / "recorded.jsonl").read_text().splitlines()]


def number(value: int) -> bytes:
    said = bytearray()
    while value > 0x7F:
        said.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*said, value])


def part(at: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return number(at << 3) + number(value & 0xFFFF_FFFF_FFFF_FFFF)
    return number(at << 3 | wire.LENGTH) + number(len(value)) + value


def body(api_version: str, kind: str, *parts: bytes) -> bytes:
    return b"k8s\0" + part(1, part(1, api_version.encode()) + part(2, kind.encode())) + part(2, b"".join(parts))


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["from"])
def test_what_clients_send_is_read_as_their_json(recorded: dict[str, Any]) -> None:
    assert protobuf.decode(base64.b64decode(recorded["body"])) == recorded["object"]


@pytest.mark.parametrize("api_version", ["policy/v1", "policy/v1beta1"])
def test_an_eviction_holds_its_delete_options(api_version: str) -> None:
    options = part(1, 0) + part(2, part(1, b"u-1")) + part(4, b"Foreground") + part(5, b"All")
    eviction = body(api_version, "Eviction", part(1, part(1, b"web") + part(3, b"shop")), part(2, options))
    assert protobuf.decode(eviction) == {
        "kind": "Eviction",
        "apiVersion": api_version,
        "metadata": {"name": "web", "namespace": "shop"},
        "deleteOptions": {
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": "u-1"},
            "propagationPolicy": "Foreground",
            "dryRun": ["All"],
        },
    }


@pytest.mark.parametrize("api_version", ["v1", "apps/v1", "meta.k8s.io/v1", "example.org/v7"])
def test_delete_options_are_known_in_each_group(api_version: str) -> None:
    found = protobuf.decode(body(api_version, "DeleteOptions", part(1, 30)))
    assert found == {"kind": "DeleteOptions", "apiVersion": api_version, "gracePeriodSeconds": 30}


def test_numbers_may_be_negative_and_packed() -> None:
    context = part(1, 5) + part(4, number(7) + number((1 << 64) - 1))
    pod = body("v1", "Pod", part(2, part(14, part(4, b"\x01\x02") + part(2, -5)) + part(25, -2)))
    assert protobuf.decode(pod)["spec"] == {
        "securityContext": {"supplementalGroups": [1, 2], "runAsUser": -5},
        "priority": -2,
    }
    assert [wire.signed(value) for value in wire.packed(context[-11:])] == [7, -1]


def test_a_field_from_the_future_is_passed_over() -> None:
    later = part(900, b"x") + number(901 << 3 | wire.FIXED64) + bytes(8) + number(902 << 3 | wire.FIXED32) + bytes(4)
    assert protobuf.decode(body("v1", "ConfigMap", later, part(4, 1))) == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "immutable": True,
    }


def test_a_map_entry_may_leave_out_its_zeros() -> None:
    found = protobuf.decode(body("v1", "ConfigMap", part(2, part(1, b"empty")), part(2, b""), part(3, part(1, b"b"))))
    assert (found["data"], found["binaryData"]) == ({"empty": "", "": ""}, {"b": ""})


def test_an_unknown_kind_is_refused_with_the_way_out() -> None:
    with pytest.raises(status.Refusal, match=r"Gadget of example.org/v1 in protobuf.*--dry-run=client -o yaml") as said:
        protobuf.decode(body("example.org/v1", "Gadget"))
    assert (said.value.code, said.value.reason) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{}",
        b"k8s\0\x0a",
        b"k8s\0\x0a\x05ab",
        body("v1", "ConfigMap", part(1, 5)),  # a message as a number
        body("v1", "ConfigMap", part(4, b"x")),  # a bool as bytes
        body("v1", "ConfigMap", part(1, part(1, b"\xff"))),  # no UTF-8
        body("v1", "ConfigMap", b"\x0b"),  # a group, which proto3 abolished
        body("v1", "ConfigMap", b"\x00\x00"),  # field 0
        body("v1", "ConfigMap", b"\x20" + b"\xff" * 10),  # more than 64 bits
        body("v1", "ConfigMap", part(1, part(8, part(1, 1 << 62)))),  # a year that no calendar has
        body("v1", "Pod", part(1, part(17, part(7, part(1, b"{"))))),  # managed fields that are no JSON
    ],
)
def test_bytes_that_are_no_object_are_a_bad_request(broken: bytes) -> None:
    with pytest.raises(status.Refusal) as said:
        protobuf.decode(broken)
    assert (said.value.code, said.value.reason) == (400, "BadRequest")


@given(st.sampled_from(RECORDED), st.data())
def test_a_damaged_body_is_read_or_refused(recorded: dict[str, Any], data: st.DataObject) -> None:
    damaged = bytearray(base64.b64decode(recorded["body"]))
    for _ in range(3):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(status.Refusal):
        protobuf.decode(bytes(damaged))


def test_each_message_that_the_table_names_is_in_it() -> None:
    for api_version, name in messages.table():
        message = messages._message(api_version, name)
        assert message
        for field in message.fields.values():
            if field.type[:1].isupper():
                messages.part(message, field.type)
