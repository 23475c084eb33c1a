"""Added hubs: what was good stays until something better is complete, and one that fails holds up no other."""

import asyncio
import contextlib
import stat
from pathlib import Path

import pytest

from litmus.hub import custom, kept, registry, sources
from litmus.hub.custom import CannotFetch, Misused, Places, Source, UnknownHub
from tests.hub import git_hosts, others
from tests.hub.git_hosts import needs_git


@pytest.fixture
def at(tmp_path: Path) -> Places:
    return Places(file=tmp_path / "settings/hubs.yaml", cache=tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return others.write(tmp_path / "charts of mine", others.of_1_10("a"))


def source(path: Path, **how: str) -> Source:
    return Source(url=str(path), **how)


async def test_a_hub_is_added_and_offered(at: Places, folder: Path):
    added = await custom.add("mine", source(folder), at=at)
    assert [chart.name for chart in added.charts()] == ["a"]
    assert (added.name, added.source, added.problems) == ("mine", str(folder), ())
    assert added.revision
    assert added.synced.endswith("Z")
    assert custom.hub("mine", at=at) == added
    assert custom.hubs(at=at) == [added]


async def test_the_list_of_hubs_is_for_its_owner_only_and_holds_no_secret(
    at: Places, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    await custom.add("mine", source(folder), at=at)
    assert stat.S_IMODE(at.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(at.cache.joinpath("mine").stat().st_mode) == 0o700
    at.file.write_text("hubs:\n- {name: x, url: https://example.com/x, tokenEnv: HUB_TOKEN}\n")
    monkeypatch.setenv("HUB_TOKEN", "s3cret")
    with registry.changing(at.file) as known:
        known.append(registry.Added(name="y", url="/y"))
    assert "HUB_TOKEN" in at.file.read_text()
    assert "s3cret" not in at.file.read_text()


async def test_an_unchanged_hub_is_the_same_object_again(at: Places, folder: Path):
    await custom.add("mine", source(folder), at=at)
    assert custom.hub("mine", at=at) is custom.hub("mine", at=at)
    others.write(folder, others.of_1_10("a", "b"))
    before = custom.hub("mine", at=at)
    [outcome] = await custom.sync("mine", at=at)
    assert outcome.changed
    after = custom.hub("mine", at=at)
    assert after is not before
    assert [chart.name for chart in after.charts()] == ["a", "b"]
    assert not (await custom.sync(at=at))[0].changed


async def test_a_sync_that_fails_leaves_the_last_good_state_and_says_why(at: Places, folder: Path):
    await custom.add("mine", source(folder), at=at)
    before = custom.hub("mine", at=at)
    folder.rename(folder.with_name("away"))
    [outcome] = await custom.sync(at=at)
    assert "is not there" in outcome.error
    after = custom.hub("mine", at=at)
    assert after.files == before.files
    assert (after.revision, after.synced) == (before.revision, before.synced)
    [problem] = after.problems
    assert problem.message.startswith("the last sync failed: ")
    folder.with_name("away").rename(folder)
    assert not (await custom.sync(at=at))[0].error
    assert custom.hub("mine", at=at).problems == ()


async def test_a_sync_that_is_ended_halfway_leaves_the_last_good_state(
    at: Places, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    await custom.add("mine", source(folder), at=at)
    begun = asyncio.Event()

    async def halfway(entry: Source, into: Path, **_: object) -> sources.Fetched:
        others.write(into, {"charts/queues/a/experiment.yaml": "half"})
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(sources, "fetch", halfway)
        task = asyncio.create_task(custom.sync(at=at))
        await begun.wait()
        assert custom.hub("mine", at=at).problems == ()  # and while it goes on
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert custom.hub("mine", at=at).chart("queues", "a").problems == ()
    assert len(list((at.cache / "mine").glob("state-*"))) == 1


async def test_one_hub_that_fails_does_not_hold_up_the_others(at: Places, folder: Path, tmp_path: Path):
    await custom.add("one", source(folder), at=at)
    gone = others.write(tmp_path / "gone", others.of_3("x"))
    await custom.add("two", source(gone), at=at)
    gone.rename(tmp_path / "elsewhere")
    others.write(folder, others.of_1_10("a", "b"))
    assert [(o.name, bool(o.error), o.changed) for o in await custom.sync(at=at)] == [
        ("one", False, True),
        ("two", True, False),
    ]
    assert [len(list(hub.charts())) for hub in custom.hubs(at=at)] == [2, 1]


async def test_a_hub_that_can_not_be_fetched_is_not_added(at: Places, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CannotFetch, match="neither a folder charts/"):
        await custom.add("mine", source(tmp_path / "empty"), at=at)
    assert custom.hubs(at=at) == []
    assert not at.file.exists()
    assert not (at.cache / "mine").exists()


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", "-a", "a-", "litmus", "x" * 64, "a/b", "a.b"])
async def test_what_can_not_be_a_name_is_refused(at: Places, folder: Path, name: str):
    with pytest.raises(Misused):
        await custom.add(name, source(folder), at=at)


async def test_a_name_is_given_once_and_free_again_after_it_was_removed(at: Places, folder: Path):
    await custom.add("mine", source(folder), at=at)
    with pytest.raises(Misused, match="there is a hub mine already"):
        await custom.add("mine", source(folder), at=at)
    assert custom.hub("mine", at=at).problems == ()
    custom.remove("mine", at=at)
    assert custom.hubs(at=at) == []
    assert not (at.cache / "mine").exists()
    with pytest.raises(UnknownHub, match="there is no hub 'mine'"):
        custom.remove("mine", at=at)
    await custom.add("mine", source(folder), at=at)


async def test_an_unknown_name_is_answered_with_those_there_are(at: Places, folder: Path):
    await custom.add("mine", source(folder), at=at)
    with pytest.raises(UnknownHub, match=r"there is no hub 'mne'; did you mean mine\? There is mine\."):
        custom.hub("mne", at=at)
    with pytest.raises(UnknownHub):
        await custom.sync("mne", at=at)


def test_a_hub_of_the_list_that_was_never_fetched_says_so(at: Places):
    at.file.parent.mkdir()
    at.file.write_text("hubs:\n  - name: team\n    url: https://example.com/charts\n    branch: main\n")
    [hub] = custom.hubs(at=at)
    assert (hub.groups, hub.source, hub.synced) == ((), "https://example.com/charts (main)", "")
    assert [problem.message for problem in hub.problems] == ["it was not fetched yet: litmus hub sync team"]


async def test_another_address_in_the_list_makes_the_old_state_worthless(at: Places, folder: Path, tmp_path: Path):
    await custom.add("mine", source(folder), at=at)
    other = others.write(tmp_path / "other", others.of_3("z"))
    at.file.write_text(f"hubs:\n- name: mine\n  url: {other}\n")
    assert custom.hub("mine", at=at).groups == ()
    await custom.sync(at=at)
    assert [chart.name for chart in custom.hub("mine", at=at).charts()] == ["z"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hubs: 3", "must be a list"),
        ("hubs: [{name: a}]", "url is missing"),
        ("hubs: [{name: a, url: b, brnch: c}]", "did you mean branch?"),
        ("hubs: [{name: a, url: b, token: s3cret}]", "must hold no secret"),
        ("hubs: [{name: A, url: b}]", "is no name of a hub"),
        ("hubs: [{name: a, url: b}, {name: a, url: c}]", "a stands twice"),
        ("hubs: [", "can't be read: line "),
        ("[]", "must be an object"),
    ],
)
def test_a_mistake_in_the_list_is_named(at: Places, text: str, words: str):
    at.file.parent.mkdir()
    at.file.write_text(text)
    with pytest.raises(Misused) as refused:
        custom.hubs(at=at)
    assert words in str(refused.value)
    assert "s3cret" not in str(refused.value)


async def test_a_server_goes_on_with_the_list_of_before(at: Places, folder: Path):
    await custom.add("mine", source(folder), at=at)
    before = custom.hubs(at=at)
    at.file.write_text("hubs: [")
    assert custom.hubs(at=at) == before


def test_the_list_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("XDG_CACHE_HOME", "/k")
    monkeypatch.delenv("LITMUS_HUBS", raising=False)
    assert custom.places() == Places(file=Path("/c/litmus/hubs.yaml"), cache=Path("/k/litmus/hubs"))
    monkeypatch.setenv("LITMUS_HUBS", "/etc/hubs.yaml")
    assert custom.places().file == Path("/etc/hubs.yaml")
    assert custom.places("/other.yaml").file == Path("/other.yaml")


async def test_two_syncs_of_a_hub_do_not_meet(at: Places, folder: Path, monkeypatch: pytest.MonkeyPatch):
    await custom.add("mine", source(folder), at=at)
    within, most = 0, 0
    fetch = sources.fetch

    async def counted(*args, **how):
        nonlocal within, most
        within += 1
        most = max(most, within)
        try:
            return await fetch(*args, **how)
        finally:
            within -= 1

    monkeypatch.setattr(sources, "fetch", counted)
    outcomes = await asyncio.gather(*(custom.sync(at=at) for _ in range(4)))
    assert most == 1
    assert not [outcome.error for [outcome] in outcomes if outcome.error]


async def test_a_sync_gives_up_on_a_hub_that_another_holds(at: Places, folder: Path):
    await custom.add("mine", source(folder), at=at)
    async with kept.held(at.cache / "mine", wait_s=1):
        [outcome] = await custom.sync(at=at, limits=sources.Limits(deadline_s=0.2))
    assert "another sync of it goes on" in outcome.error


async def test_what_a_killed_sync_left_is_swept_away(at: Places, folder: Path):
    await custom.add("mine", source(folder), at=at)
    others.write(at.cache / "mine/state-dead", {"charts/x": "half"})
    (at.cache / "mine/.state-dead").write_text("{")
    await custom.sync(at=at)
    assert not (at.cache / "mine/state-dead").exists()
    assert not (at.cache / "mine/.state-dead").exists()
    assert custom.hub("mine", at=at).problems == ()


@needs_git
async def test_a_server_keeps_its_hubs_synced(at: Places, tmp_path: Path):
    repository = git_hosts.repository(tmp_path / "repository", others.of_1_10("a"))
    at.file.parent.mkdir()
    at.file.write_text(f"hubs:\n- name: gone\n  url: /nowhere\n- name: mine\n  url: {repository}\n")
    task = asyncio.create_task(custom.keep_synced(0.02, at=at))
    try:
        await _until(lambda: [c.name for c in custom.hub("mine", at=at).charts()] == ["a"])
        git_hosts.commit(repository, others.of_1_10("a", "b"))
        await _until(lambda: [c.name for c in custom.hub("mine", at=at).charts()] == ["a", "b"])
        assert "is not there" in custom.hub("gone", at=at).problems[0].message
        at.file.write_text(f"hubs: [{{name: late, url: {repository}}}]\n")
        await _until(lambda: bool(custom.hubs(at=at)[0].groups))
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@needs_git
async def test_what_was_left_out_stays_known_with_the_state(at: Places, tmp_path: Path):
    repository = git_hosts.repository(tmp_path / "repository", others.of_1_10("a", "b"))
    (repository / "charts/queues/a/rbac.yaml").unlink()
    (repository / "charts/queues/a/rbac.yaml").symlink_to("/etc/passwd")
    git_hosts.commit(repository, {})
    hub = await custom.add("mine", source(repository), at=at)
    a, b = hub.groups[0].charts
    assert [problem.file for problem in a.problems] == ["charts/queues/a/rbac.yaml"]
    assert b.problems == ()


async def _until(there) -> None:
    async with asyncio.timeout(30):
        while not there():  # noqa: ASYNC110 - what another process writes wakes nobody
            await asyncio.sleep(0.01)
