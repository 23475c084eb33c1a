"""The kinds of failure: one bounded set for all probes."""

import errno
from pathlib import Path

import httpx2
import pytest

from litmus.probes import exchange, failures
from litmus.probes.contract import ProbeError
from litmus.probes.dialling import failed

DOCS = Path(__file__).parents[2] / "docs" / "probes.md"


@pytest.mark.parametrize(("code", "kind"), [(100, "http-100"), (503, "http-503"), (599, "http-599"), (999, "protocol")])
def test_an_unexpected_code_is_a_kind_of_its_own_as_far_as_http_has_it(code, kind):
    assert failures.of_code(code) == kind
    assert failures.known(kind)


@pytest.mark.parametrize("kind", ["http-5xx", "http-", "http-600", "http-0503", "no route", ""])
def test_nothing_else_is_a_kind(kind):
    assert not failures.known(kind)


def test_the_docs_have_the_same_table():
    _, _, rest = DOCS.read_text(encoding="utf-8").partition("| kind | what it means |\n| --- | --- |\n")
    table, _, _ = rest.partition("\n\n")
    assert dict(row.strip("| ").split(" | ") for row in table.splitlines()) == dict(failures.KINDS)


def test_every_kind_of_an_exchange_is_one_of_them():
    assert all(failures.known(kind) for kind in exchange._WORDS)


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.EHOSTUNREACH, "unreachable"), (errno.ECONNREFUSED, "refused"), (errno.EPIPE, "reset"), (71, "network")],
)
def test_a_failure_of_the_network_is_of_the_same_kind_for_an_http_probe_and_for_traffic(number, kind):
    error = OSError(number, "no")
    wrapped = httpx2.ConnectError("no")
    wrapped.__cause__ = error
    assert exchange._kind(wrapped)[0] == failed(error).error == kind


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EADDRNOTAVAIL])
async def test_a_shortage_of_our_own_is_no_failure_of_the_application(number, monkeypatch):
    async def exhausted(*_):
        raise httpx2.ConnectError("no") from OSError(number, "no")

    monkeypatch.setattr(exchange.Client, "_exchange", exhausted)
    with pytest.raises(ProbeError, match=r"http://web/ can't be asked: this (process|node)"):
        await exchange.Client("http://web/").ask("GET", timeout_s=1)
    with pytest.raises(ProbeError, match=r"this (process|node)"):
        failed(OSError(number, "no"))
