"""The line between an experiment and its helper: words with the session's secret, and nothing else."""

import socket

import pytest

from litmus.faults import line


@pytest.fixture
def helper():
    made = line.Line("secret", port=0)
    yield made
    made.close()


def said(helper: line.Line, text: bytes) -> tuple[str, bytes]:
    """What the helper hears of a caller, and its answer."""
    with socket.create_connection(("127.0.0.1", helper.port), timeout=5) as caller:
        caller.sendall(text)
        caller.shutdown(socket.SHUT_WR)
        heard = helper.hear()
        return heard, caller.recv(100)


@pytest.mark.parametrize("word", [line.GO, line.STOP])
def test_a_word_with_the_secret_is_heard_and_answered(helper, word):
    assert said(helper, f"secret {word}".encode()) == (word, f"{word}\n".encode())


@pytest.mark.parametrize(
    "text", [b"wrong stop", b"stop", b"secret burn", b"", b"\xff\xfe", b"secret  stop", b"x" * 10_000], ids=repr
)
def test_anything_else_is_neither_heard_nor_answered(helper, text):
    try:
        heard, answer = said(helper, text)
    except ConnectionError:  # it was hung up before everything was said
        return
    assert (heard, answer) == ("", b"")


def test_a_caller_that_says_nothing_does_not_hold_the_helper_up(helper, monkeypatch):
    monkeypatch.setattr(line, "_PATIENCE_S", 0.05)
    with socket.create_connection(("127.0.0.1", helper.port), timeout=5):
        assert helper.hear() == ""
    assert said(helper, b"secret stop")[0] == line.STOP
