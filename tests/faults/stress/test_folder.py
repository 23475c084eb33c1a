"""The folder of io stress is made where it was asked for, never outside of the container, and is removed again."""

import os
from pathlib import Path

import pytest

from litmus.faults.contract import FaultError, TargetGoneError
from litmus.faults.stress import folder

FAULT = "folder-1"


@pytest.fixture
def parent(tmp_path: Path):
    opened = folder.enter(0, str(tmp_path))
    yield opened
    os.close(opened)


def test_it_is_made_once_and_removed_with_all_that_is_in_it(parent, tmp_path):
    for _ in range(2):
        os.close(folder.make(parent, str(tmp_path), FAULT))
    (tmp_path / ".litmus-folder-1" / "tmp-stress-ng").mkdir()
    (tmp_path / ".litmus-folder-1" / "tmp-stress-ng" / "file").write_text("x")
    assert folder.is_in(parent, FAULT)
    folder.remove_in(parent, FAULT)
    folder.remove_in(parent, FAULT)
    assert not folder.is_in(parent, FAULT)
    assert list(tmp_path.iterdir()) == []


def test_it_is_removed_through_its_own_descriptor(parent, tmp_path):
    own = folder.make(parent, str(tmp_path), FAULT)
    folder.remove(own, FAULT)
    folder.remove(own, FAULT)
    os.close(own)
    assert list(tmp_path.iterdir()) == []


def test_another_faults_folder_stays(parent, tmp_path):
    os.close(folder.make(parent, str(tmp_path), "folder-2"))
    folder.remove_in(parent, FAULT)
    assert folder.is_in(parent, "folder-2")


def test_a_symbolic_link_is_not_followed(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(FaultError, match="without symbolic links"):
        folder.enter(0, str(tmp_path / "link"))


def test_a_link_in_place_of_the_folder_is_not_followed(parent, tmp_path):
    (tmp_path / ".litmus-folder-1").symlink_to("/etc")
    with pytest.raises(FaultError, match="Not a directory"):
        folder.make(parent, str(tmp_path), FAULT)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FaultError, match="/nowhere is not there"):
        folder.enter(0, str(tmp_path / "nowhere"))


def test_a_process_that_ended_is_a_target_that_is_gone():
    with pytest.raises(TargetGoneError, match="process 99999999 has ended"):
        folder.enter(99999999, "/")


def test_a_folder_that_can_not_be_written_is_an_error_that_says_so():
    parent = folder.enter(0, "/proc")
    try:
        with pytest.raises(FaultError, match="/proc can't be written"):
            folder.make(parent, "/proc", FAULT)
    finally:
        os.close(parent)
