"""A folder belongs to one command at a time, and what an earlier sandbox left in it is not lost by accident."""

from pathlib import Path

import pytest

from litmus.sandbox.lifecycle import SandboxError, claim, identity
from litmus.sandbox.lifecycle.folder import Folder, Settings
from litmus.sandbox.lifecycle.identity import Process


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "home" / "mine")


def left(folder: Folder, **settings: object) -> None:
    """What an earlier sandbox has written."""
    folder.make()
    folder.save(Settings(name="mine", **settings))  # type: ignore[arg-type]


def refusal(folder: Folder, **settings: object) -> str:
    with pytest.raises(SandboxError) as raised, claim.taken(folder, Settings(name="mine", **settings)):  # type: ignore[arg-type]
        pass
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_claim_of_which_nothing_comes_leaves_no_folder(folder: Folder) -> None:
    with claim.taken(folder, Settings()):
        assert folder.path.is_dir()
    assert not folder.path.exists()


def test_two_never_have_one_folder(folder: Folder) -> None:
    with claim.taken(folder, Settings()):
        assert refusal(folder).startswith("another command is just starting or ending the sandbox")
        with pytest.raises(SandboxError, match="another command"), claim.left(folder):
            pass
    with claim.taken(folder, Settings()):
        pass


def test_a_second_up_is_told_how_to_use_the_first(folder: Folder) -> None:
    with claim.taken(folder, Settings()):
        folder.save(Settings(name="mine", control=identity.own(), ready=True))
        said = refusal(folder)
    assert f"already up; use it with: export KUBECONFIG={folder.kubeconfig} " in said
    assert "litmus sandbox down --name mine)" in said


def test_a_second_up_while_the_first_starts_is_told_so(folder: Folder) -> None:
    with claim.taken(folder, Settings()):
        folder.save(Settings(name="mine", control=identity.own()))
        assert "is just being started by another command" in refusal(folder)


def test_a_folder_that_was_made_anew_is_another_one(folder: Folder) -> None:
    with claim.taken(folder, Settings()):
        folder.path.rmdir()
        with claim.taken(folder, Settings()):
            pass
        folder.make()  # somebody else's by now
    assert folder.path.is_dir()


def test_a_stale_folder_says_how_to_clear_it(folder: Folder) -> None:
    left(folder, control=Process(pid=1, born=-2))
    assert refusal(folder).endswith("did not end well; clear it with: litmus sandbox down --name mine")
    assert folder.settings_file.exists()


def test_kept_objects_are_not_thrown_away_by_an_up_without_persist(folder: Folder) -> None:
    left(folder, persist=True, port=7001, network=40)
    assert "go on from them with --persist, or clear them with: litmus sandbox down --name mine" in refusal(folder)
    with claim.taken(folder, Settings(name="mine", persist=True)) as (_, settings):
        assert (settings.port, settings.network) == (7001, 40)
    with claim.taken(folder, Settings(name="mine", persist=True, port=7002)) as (_, settings):
        assert (settings.port, settings.network) == (7002, 40)


def test_objects_survive_also_when_nobody_could_clear_up(folder: Folder) -> None:
    left(folder, persist=True, network=41, control=Process(pid=1, born=-2))
    with claim.taken(folder, Settings(name="mine", persist=True)) as (_, settings):
        assert settings.network == 41


def test_clearing_what_is_gone_is_no_mistake(folder: Folder) -> None:
    with claim.left(folder) as there:
        assert not there
    folder.make()
    with claim.left(folder) as there:
        assert there
