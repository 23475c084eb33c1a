import asyncio
from dataclasses import dataclass, field

import pytest

from litmus.sandbox.apiserver.streams import session, spdy


@dataclass
class Wire:
    """A client by hand: frames in, frames out."""

    framer: spdy.Framer = field(default_factory=spdy.Framer)
    theirs: spdy.Framer = field(default_factory=spdy.Framer)
    incoming: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    sent: list[spdy.Frame] = field(default_factory=list)
    broken: bool = False

    async def read(self) -> bytes:
        return await self.incoming.get()

    async def write(self, data: bytes) -> None:
        if self.broken:
            raise ConnectionResetError
        self.sent += self.theirs.feed(data)

    def comes(self, *frames: spdy.Frame) -> None:
        self.incoming.put_nowait(b"".join(self.framer.encode(frame) for frame in frames))

    def ends(self) -> None:
        self.incoming.put_nowait(b"")


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def served(wire: Wire) -> list[session.Stream]:
    """The streams after the client has gone."""
    talk = session.Session(wire)
    wire.ends()
    await talk.serve()
    return [stream async for stream in talk.opened()]


async def test_a_stream_is_answered_and_read_to_its_end(wire: Wire) -> None:
    wire.comes(spdy.SynStream(1, {"streamtype": "data"}), spdy.Data(1, b"he"), spdy.Data(1, b"llo", True))
    (stream,) = await served(wire)
    assert wire.sent == [spdy.SynReply(1, {})]
    assert (stream.headers, await stream.read(), await stream.read()) == ({"streamtype": "data"}, b"hello", b"")


async def test_pings_of_the_client_come_back_and_answers_to_ours_do_not(wire: Wire) -> None:
    wire.comes(spdy.Ping(1), spdy.Ping(2), spdy.Settings(((4, 0, 100),)), spdy.WindowUpdate(1, 5), spdy.GoAway(0))
    await served(wire)
    assert wire.sent == [spdy.Ping(1)]


@pytest.mark.parametrize("number", [2, 1])
async def test_a_stream_with_a_wrong_number_is_reset(wire: Wire, number: int) -> None:
    wire.comes(spdy.SynStream(1, {}), spdy.SynStream(number, {}))
    assert len(await served(wire)) == 1
    assert wire.sent[-1] == spdy.RstStream(number, spdy.PROTOCOL_ERROR)


async def test_too_many_streams_are_refused(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_OPEN_LIMIT", 1)
    wire.comes(spdy.SynStream(1, {}), spdy.SynStream(3, {}))
    assert len(await served(wire)) == 1
    assert wire.sent[-1] == spdy.RstStream(3, spdy.REFUSED_STREAM)


async def test_a_stream_that_both_sides_have_finished_makes_room_for_another(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_OPEN_LIMIT", 1)
    talk = session.Session(wire)
    serving = asyncio.create_task(talk.serve())
    opened = talk.opened()
    wire.comes(spdy.SynStream(1, {}, fin=True))
    first = await anext(opened)
    await first.finish()
    wire.comes(spdy.SynStream(3, {}))
    assert (await anext(opened)).stream_id == 3
    wire.ends()
    await serving


async def test_what_is_sent_is_cut_into_small_frames_and_finished_once(wire: Wire) -> None:
    talk = session.Session(wire)
    wire.comes(spdy.SynStream(1, {}))
    serving = asyncio.create_task(talk.serve())
    stream = await anext(talk.opened())
    await stream.write(bytes(40_000))
    await stream.finish()
    await stream.finish()
    assert [len(frame.data) for frame in wire.sent[1:] if isinstance(frame, spdy.Data)] == [32_768, 7_232, 0]
    with pytest.raises(OSError, match="closed"):
        await stream.write(b"more")
    wire.ends()
    await serving


async def test_a_reset_ends_both_directions(wire: Wire) -> None:
    talk = session.Session(wire)
    wire.comes(spdy.SynStream(1, {}), spdy.RstStream(1, spdy.CANCEL))
    serving = asyncio.create_task(talk.serve())
    stream = await anext(talk.opened())
    assert await stream.read() == b""
    assert stream.over
    with pytest.raises(OSError, match="closed"):
        await stream.write(b"x")
    wire.ends()
    await serving


async def test_a_stream_that_nobody_reads_stops_the_client(wire: Wire) -> None:
    talk = session.Session(wire)
    wire.comes(spdy.SynStream(1, {}))
    serving = asyncio.create_task(talk.serve())
    stream = await anext(talk.opened())
    for _ in range(100):
        wire.comes(spdy.Data(1, bytes(65_536)))
    for _ in range(300):  # turns of the loop, more than enough to read all
        await asyncio.sleep(0)
    left = wire.incoming.qsize()
    assert 100 - left <= 2 + session._STREAM_LIMIT_BYTES // 65_536
    wire.comes(spdy.Data(1, b"", True))
    total = 0
    while data := await stream.read():
        total += len(data)
    assert total == 100 * 65_536
    wire.ends()
    await serving


async def test_a_broken_protocol_is_said_goodbye_to(wire: Wire) -> None:
    talk = session.Session(wire)
    wire.comes(spdy.SynStream(1, {}))
    wire.incoming.put_nowait(b"\x80\x02\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01")
    await talk.serve()
    assert wire.sent[-1] == spdy.GoAway(1, spdy.PROTOCOL_ERROR)
    assert [stream.over async for stream in talk.opened()] == [True]


async def test_a_client_that_vanishes_while_it_is_answered_ends_the_session(wire: Wire) -> None:
    wire.broken = True
    wire.comes(spdy.SynStream(1, {}))
    talk = session.Session(wire)
    await talk.serve()
    assert [stream async for stream in talk.opened()] == []
