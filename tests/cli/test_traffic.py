"""What a client saw: availability, outages, and that it really asks."""

import asyncio
import contextlib

import pytest

from litmus.cli.traffic import Sample, Traffic, Window


def window(*problems: str) -> Window:
    """Requests half a second apart."""
    return Window([Sample(at=index / 2, took_s=0.01, problem=problem) for index, problem in enumerate(problems)])


def test_availability_is_the_share_of_good_answers() -> None:
    assert window("", "", "timeout", "").availability == 75
    assert Window([]).availability is None


def test_problems_are_counted_by_kind() -> None:
    assert window("timeout", "", "connection refused", "timeout").problems == {"timeout": 2, "connection refused": 1}


def test_an_outage_lasts_from_the_first_failure_to_the_next_good_answer() -> None:
    assert window("", "timeout", "timeout", "", "timeout", "").longest_outage_s == 1.0
    assert window("", "").longest_outage_s == 0


def test_an_outage_that_has_not_ended_lasts_until_the_last_answer() -> None:
    assert window("", "timeout", "timeout").longest_outage_s == pytest.approx(0.51)


async def serve(answer: bytes) -> tuple[asyncio.Server, int]:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):  # the client was told to stop
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def seen(port: int, enough: int) -> Window:
    """What the client saw after some requests."""
    traffic = Traffic("127.0.0.1", port, rate=200)
    task = asyncio.create_task(traffic.run())
    async with asyncio.timeout(10):
        # What is awaited is a figure, which has no event.
        while len(traffic.between(0, float("inf")).samples) < enough:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return traffic.between(0, float("inf"))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [(b"HTTP/1.1 200 OK\r\n\r\nhi", ""), (b"HTTP/1.1 503 Busy\r\n\r\n", "HTTP 503"), (b"", "connection broken")],
)
async def test_an_answer_is_good_only_when_it_is_a_2xx(answer: bytes, problem: str) -> None:
    server, port = await serve(answer)
    async with server:
        found = await seen(port, 3)
    assert {sample.problem for sample in found.samples} == {problem}


async def test_a_closed_port_is_a_refused_connection() -> None:
    server, port = await serve(b"")
    server.close()
    await server.wait_closed()
    found = await seen(port, 2)
    assert set(found.problems) == {"connection refused"}
    assert found.availability == 0
