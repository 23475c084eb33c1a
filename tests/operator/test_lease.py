"""Leader election: one operator acts, the others stand by."""

import asyncio

import pytest

from litmus.operator import lease
from tests import samples

NAME = "chaos-operator.lock"


@pytest.fixture
def operator(server, cluster, monkeypatch):
    """A claim of an operator whose pod runs; looks are short, and no lease ends by itself."""
    monkeypatch.setattr(lease, "_RENEW_S", 0.02)
    monkeypatch.setattr(lease, "DURATION_S", 3600)

    def named(identity: str, *, alive: bool = True) -> lease.Lease:
        if alive:
            server.put("pods", samples.pod(identity))
        return lease.Lease(cluster, namespace="shop", identity=identity)

    return named


def holder(server) -> str:
    return server.get("leases", NAME)["spec"]["holderIdentity"]


async def acquire(claim: lease.Lease) -> None:
    async with asyncio.timeout(10):
        await claim.acquire()


async def test_the_first_operator_leads_at_once(server, operator):
    await acquire(operator("one"))
    assert holder(server) == "one"
    assert server.get("leases", NAME)["spec"]["leaseDurationSeconds"] == lease.DURATION_S


async def test_a_second_operator_stands_by_while_the_first_one_lives(server, operator):
    await acquire(operator("one"))
    second = asyncio.create_task(operator("two").acquire())
    await server.until_asked("get", "leases", times=8)
    assert not second.done()
    assert holder(server) == "one"
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_a_lease_that_is_given_up_is_taken_at_once(server, operator):
    first = operator("one")
    await acquire(first)
    second = asyncio.create_task(acquire(operator("two")))
    await first.release()
    await second
    assert holder(server) == "two"


async def test_the_lease_of_an_operator_whose_pod_is_gone_is_taken_at_once(server, operator):
    await acquire(operator("one"))
    server.remove("pods", "one")
    await acquire(operator("two"))
    assert holder(server) == "two"


async def test_a_lease_that_is_not_renewed_for_its_duration_is_taken(server, operator, monkeypatch):
    await acquire(operator("one"))
    monkeypatch.setattr(lease, "DURATION_S", 0.05)
    await acquire(operator("two"))
    assert holder(server) == "two"


async def test_of_two_that_reach_for_it_at_once_one_leads(server, operator):
    claims = [operator("one"), operator("two")]
    tasks = [asyncio.create_task(claim.acquire()) for claim in claims]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await server.until_asked("get", "leases", times=len(server.verbs("leases")) + 2)
    assert len(done) == 1
    assert holder(server) == ["one", "two"][tasks.index(done.pop())]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_leader_renews_its_lease(server, operator):
    claim = operator("one")
    await acquire(claim)
    keeping = asyncio.create_task(claim.keep())
    await server.until_asked("patch", "leases", times=3)
    assert not keeping.done()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_a_leader_that_was_replaced_stops(server, operator):
    claim = operator("one")
    await acquire(claim)
    server.change("leases", NAME, {"spec": {"holderIdentity": "two"}})
    with pytest.raises(lease.Lost, match="two leads now"):
        await asyncio.wait_for(claim.keep(), 10)


async def test_a_leader_that_can_not_renew_in_time_stops(server, operator, monkeypatch):
    claim = operator("one")
    await acquire(claim)
    monkeypatch.setattr(lease, "DURATION_S", 0.1)
    server.forbid("patch", "leases")
    with pytest.raises(lease.Lost, match="could not be renewed in time"):
        await asyncio.wait_for(claim.keep(), 10)


async def test_a_hiccup_that_is_shorter_than_the_lease_is_survived(server, operator):
    claim = operator("one")
    await acquire(claim)
    server.forbid("patch", "leases")
    keeping = asyncio.create_task(claim.keep())
    await server.until_asked("patch", "leases", times=2)
    server._forbidden.clear()
    await server.until_asked("patch", "leases", times=4)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_only_its_holder_gives_a_lease_up(server, operator):
    await acquire(operator("one"))
    await operator("two").release()
    assert holder(server) == "one"


@pytest.mark.looptime
async def test_a_renewal_that_hangs_ends_the_leadership_no_later_than_the_lease():
    class Hanging:
        async def find(self, *_: object, **__: object) -> None:
            await asyncio.sleep(25)

    clock = asyncio.get_running_loop().time
    began = clock()
    with pytest.raises(lease.Lost):
        await lease.Lease(Hanging(), namespace="shop", identity="one").keep()
    assert clock() - began <= lease.DURATION_S + 1
