import contextlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.sandbox.apiserver.streams import spdy

IDS = st.integers(1, 2**31 - 1)
WORDS = st.integers(0, 2**32 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
BLOCKS = st.dictionaries(TEXT.map(str.lower).filter(lambda name: name == name.lower()), TEXT, max_size=5)
FLAGS = st.booleans()
ENTRIES = st.lists(st.tuples(st.integers(0, 2**24 - 1), st.integers(0, 255), WORDS), max_size=4).map(tuple)
FRAMES = st.one_of(
    st.builds(spdy.SynStream, IDS, BLOCKS, FLAGS, FLAGS, IDS, st.integers(0, 7)),
    st.builds(spdy.SynReply, IDS, BLOCKS, FLAGS),
    st.builds(spdy.Headers, IDS, BLOCKS, FLAGS),
    st.builds(spdy.RstStream, IDS, WORDS),
    st.builds(spdy.Settings, ENTRIES),
    st.builds(spdy.Ping, WORDS),
    st.builds(spdy.GoAway, IDS, WORDS),
    st.builds(spdy.WindowUpdate, IDS, WORDS),
    st.builds(spdy.Data, IDS, st.binary(max_size=300), FLAGS),
)
# The first stream that kubectl 1.20.2 opened for `exec -i web -- cat`, as it came over the wire.
RECORDED = bytes.fromhex(
    "80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff"
)


def joined(frames: list[spdy.Frame]) -> list[spdy.Frame]:
    """Data that came in pieces as one piece, so that splits do not matter."""
    found: list[spdy.Frame] = []
    for frame in frames:
        last = found[-1] if found else None
        if (
            isinstance(frame, spdy.Data)
            and isinstance(last, spdy.Data)
            and frame.stream_id == last.stream_id
            and not last.fin
        ):
            found[-1] = spdy.Data(frame.stream_id, last.data + frame.data, frame.fin)
        else:
            found.append(frame)
    return found


@given(st.lists(FRAMES, max_size=6), st.data())
def test_frames_survive_the_wire_however_it_cuts_them(frames: list[spdy.Frame], data: st.DataObject) -> None:
    sender, receiver = spdy.Framer(), spdy.Framer()
    wire = b"".join(sender.encode(frame) for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    received = [frame for piece in pieces for frame in receiver.feed(piece)]
    assert joined(received) == joined(frames)


def test_frames_may_come_byte_by_byte() -> None:
    sender, receiver = spdy.Framer(), spdy.Framer()
    frames = [spdy.SynStream(1, {"streamtype": "stdin"}), spdy.Data(1, b"hello", True), spdy.Ping(7)]
    wire = b"".join(sender.encode(frame) for frame in frames)
    received = [frame for at in range(len(wire)) for frame in receiver.feed(wire[at : at + 1])]
    assert joined(received) == frames


def test_the_dictionary_is_that_of_the_specification() -> None:
    assert zlib.adler32(spdy._dictionary()) == 0xE3C6A7C2


def test_what_kubectl_sends_is_understood() -> None:
    assert list(spdy.Framer().feed(RECORDED)) == [spdy.SynStream(1, {"streamtype": "error"})]


def test_names_of_headers_become_lower_case() -> None:
    wire = spdy.Framer().encode(spdy.SynStream(1, {"StreamType": "data"}))
    assert list(spdy.Framer().feed(wire)) == [spdy.SynStream(1, {"streamtype": "data"})]


def test_a_frame_of_an_unknown_type_is_passed_over() -> None:
    wire = b"\x80\x03\x00\x0b\x00\x00\x00\x02xx" + spdy.Framer().encode(spdy.Ping(1))
    assert list(spdy.Framer().feed(wire)) == [spdy.Ping(1)]


def test_large_data_is_handed_on_before_all_of_it_is_there() -> None:
    receiver = spdy.Framer()
    wire = spdy.Framer().encode(spdy.Data(3, bytes(1_000_000), True))
    assert list(receiver.feed(wire[:1000])) == [spdy.Data(3, bytes(992))]
    assert list(receiver.feed(wire[1000:])) == [spdy.Data(3, bytes(999_008), True)]


BOMB = zlib.compressobj(zdict=spdy._dictionary())
BOMB_BYTES = BOMB.compress(bytes(10_000_000)) + BOMB.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    "wire",
    [
        b"\x80\x02\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01",  # SPDY/2
        b"GET / HTTP/1.1\r\n\r\n\x80\x03\x00\x06\x00\xff\xff\xff"[18:],  # a control frame of 16 MB
        b"\x80\x03\x00\x06\x00\x00\x00\x02\x00\x00",  # a ping without its number
        b"\x80\x03\x00\x01\x00\x00\x00\x0e" + bytes(10) + b"junk",  # headers that are not compressed
        b"\x80\x03\x00\x02\x00" + (4 + len(BOMB_BYTES)).to_bytes(3, "big") + bytes(4) + BOMB_BYTES,
    ],
)
def test_a_broken_frame_ends_the_connection(wire: bytes) -> None:
    with pytest.raises(spdy.Violation):
        list(spdy.Framer().feed(wire))


def test_headers_whose_lengths_lie_end_the_connection() -> None:
    pack = zlib.compressobj(zdict=spdy._dictionary())
    block = pack.compress(b"\0\0\0\1\0\0\0\1a\0\0\0\xffb") + pack.flush(zlib.Z_SYNC_FLUSH)
    wire = b"\x80\x03\x00\x02\x00" + (4 + len(block)).to_bytes(3, "big") + bytes(4) + block
    with pytest.raises(spdy.Violation):
        list(spdy.Framer().feed(wire))


@given(st.binary(max_size=200))
def test_noise_is_refused_or_awaited(noise: bytes) -> None:
    with contextlib.suppress(spdy.Violation):
        list(spdy.Framer().feed(noise))
