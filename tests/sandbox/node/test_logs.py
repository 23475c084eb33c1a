"""Logs in the format of the container runtime interface: tail, since, timestamps, limits, following, rotation."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from litmus.sandbox.node import logs
from litmus.sandbox.node.logs import PART, Log, Wanted


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "deep" / "0.log")
    made.open()
    yield made
    made.close()


async def read(log: Log, wanted: Wanted | None = None) -> bytes:
    return b"".join([piece async for piece in logs.read(log.path, wanted or Wanted(), log=log)])


async def test_lines_come_back_as_they_were_written(log: Log) -> None:
    log.write("stdout", b"one\ntw")
    assert await read(log) == b"one\n"
    log.write("stdout", b"o\n\nlast")
    log.close()
    assert await read(log) == b"one\ntwo\n\nlast"
    assert await read(log, Wanted(tail=1)) == b"last"


async def test_streams_do_not_run_into_one_another(log: Log) -> None:
    log.write("stdout", b"a")
    log.write("stderr", b"b\n")
    log.write("stdout", b"c\n")
    assert await read(log) == b"b\nac\n"


async def test_a_long_line_is_kept_in_parts_and_read_as_one(log: Log) -> None:
    long = bytes(range(65, 91)) * 2000
    log.write("stdout", long + b"\nend\n")
    kinds = [line.split(b" ", 3)[2] for line in log.path.read_bytes().splitlines()]
    assert kinds == [b"P"] * (len(long) // PART) + [b"F", b"F"]
    assert await read(log) == long + b"\nend\n"
    assert await read(log, Wanted(tail=2)) == long + b"\nend\n"


@pytest.mark.parametrize(("tail", "expected"), [(0, b""), (1, b"c\n"), (2, b"b\nc\n"), (9, b"a\nb\nc\n")])
async def test_the_tail_is_the_last_lines(log: Log, tail: int, expected: bytes) -> None:
    log.write("stdout", b"a\nb\nc\n")
    assert await read(log, Wanted(tail=tail)) == expected


async def test_timestamps_are_rfc_3339_with_nanoseconds(log: Log) -> None:
    log.write("stdout", b"x\n")
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z x\n", await read(log, Wanted(timestamps=True)))


async def test_since_leaves_out_what_is_older(log: Log) -> None:
    log.write("stdout", b"x\n")
    now = datetime.now(UTC)
    assert await read(log, Wanted(since=now - timedelta(minutes=1))) == b"x\n"
    assert await read(log, Wanted(since=now + timedelta(minutes=1))) == b""


async def test_a_limit_is_in_bytes(log: Log) -> None:
    log.write("stdout", b"abcdef\nghi\n")
    assert await read(log, Wanted(limit=4)) == b"abcd"


async def test_who_follows_gets_every_line_until_the_end(log: Log) -> None:
    log.write("stdout", b"one\n")
    following = asyncio.create_task(read(log, Wanted(follow=True)))
    for word in (b"two\n", b"three\n"):
        await asyncio.sleep(0)
        log.write("stdout", word)
    assert not following.done()
    log.close()
    assert await following == b"one\ntwo\nthree\n"


async def test_following_goes_on_over_a_rotation(tmp_path: Path) -> None:
    log = Log(tmp_path / "0.log", limit=200)
    log.open()
    following = asyncio.create_task(read(log, Wanted(follow=True)))
    await asyncio.sleep(0)
    for number in range(20):
        log.write("stdout", f"line {number}\n".encode())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    log.close()
    assert await following == b"".join(f"line {number}\n".encode() for number in range(20))
    assert (tmp_path / "0.log.1").exists()
    assert log.path.stat().st_size <= 200


async def test_who_follows_too_slowly_misses_whole_lines_and_goes_on(tmp_path: Path) -> None:
    log = Log(tmp_path / "0.log", limit=200)
    log.open()
    log.write("stdout", b"first\n")
    pieces = logs.read(log.path, Wanted(follow=True), log=log)
    assert await anext(pieces) == b"first\n"
    for number in range(30):
        log.write("stdout", f"a line with the number {number}\n".encode())
    log.close()
    seen = b"".join([piece async for piece in pieces]).decode().splitlines()
    assert seen == [f"a line with the number {number}" for number in range(30 - len(seen), 30)]
    assert len(seen) >= 2


async def test_who_follows_a_run_that_is_forgotten_comes_to_the_end(log: Log) -> None:
    log.write("stdout", b"one\n")
    pieces = logs.read(log.path, Wanted(follow=True), log=log)
    assert await anext(pieces) == b"one\n"
    log.close()
    log.path.unlink()
    assert [piece async for piece in pieces] == []


async def test_a_rotated_log_still_has_the_lines_before(tmp_path: Path) -> None:
    log = Log(tmp_path / "0.log", limit=100)
    log.open()
    for number in range(4):
        log.write("stdout", f"line {number}\n".encode())
    log.close()
    assert (await read(log)).endswith(b"line 1\nline 2\nline 3\n")


async def test_a_log_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await anext(logs.read(tmp_path / "none", Wanted()))
    assert logs.tail_of(tmp_path / "none", lines=3, limit=100) == ""


def test_the_tail_for_a_termination_message_is_bounded(log: Log) -> None:
    log.write("stdout", b"a\nb\nc\n")
    assert logs.tail_of(log.path, lines=2, limit=100) == "b\nc\n"
    assert logs.tail_of(log.path, lines=9, limit=3) == "\nc\n"
