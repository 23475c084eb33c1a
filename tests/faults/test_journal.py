"""The journal: what is written is read again by another process; without it nothing is touched."""

import errno
import os

import pytest

from litmus.faults import journal
from litmus.faults.contract import FaultError

RECIPES = [("web-1/web", {"kind": "netem", "before": None}), ("é/容", {"kind": "none"})]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "FOLDER", tmp_path / "run" / "litmus")
    return journal.FOLDER


def test_what_was_written_is_read_until_it_is_removed(folder):
    journal.write("abc-1", mechanism="netem", recipes=RECIPES)
    assert journal.read("abc-1") == RECIPES
    assert journal.read("abc-2") is None
    journal.remove("abc-1")
    journal.remove("abc-1")
    assert journal.read("abc-1") is None
    assert list(folder.iterdir()) == []


def test_only_root_may_read_what_may_name_peers_and_paths(folder):
    journal.write("abc", mechanism="netem", recipes=RECIPES)
    assert folder.stat().st_mode & 0o077 == 0


def test_it_is_on_the_disk_before_it_has_its_name(folder, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append([path.name for path in folder.iterdir()]))
    journal.write("abc", mechanism="netem", recipes=RECIPES)
    assert seen == [[".abc"]]


def test_a_full_disk_is_an_error_that_leaves_nothing(folder, monkeypatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FaultError, match=r"abc\.json can't be written: No space left on device"):
        journal.write("abc", mechanism="netem", recipes=RECIPES)
    assert list(folder.iterdir()) == []


def test_a_place_that_is_no_folder_is_an_error(folder):
    folder.parent.mkdir()
    folder.touch()
    with pytest.raises(FaultError, match="File exists; the helper needs"):
        journal.write("abc", mechanism="netem", recipes=RECIPES)
    journal.remove("abc")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"recipes":[{"name":"a"}]}', '{"recipes":[3]}', "\x00"])
def test_a_journal_that_can_not_be_read_is_never_taken_for_none(folder, content):
    folder.mkdir(parents=True)
    (folder / "abc.json").write_text(content)
    with pytest.raises(FaultError, match="can't be read"):
        journal.read("abc")


@pytest.mark.parametrize("session", ["", "-", "../../etc/passwd", "a/b", ".", "a b"])
def test_a_name_that_leads_elsewhere_is_refused(session):
    with pytest.raises(FaultError, match="no name of letters and digits"):
        journal.write(session, mechanism="netem", recipes=[])
    with pytest.raises(FaultError):
        journal.read(session)
