"""Questions to a cluster, with a kubectl that answers what the test wants."""

import stat
from pathlib import Path

import pytest

from litmus.tutorial import cluster


def asking(folder: Path, script: str, *, command: str = "kubectl") -> cluster.Cluster:
    kubectl = folder / command
    kubectl.write_text(f"#!/bin/sh\n{script}\n")
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    return cluster.Cluster(env={"PATH": f"{folder}:/usr/bin:/bin"}, folder=folder)


def test_an_object_is_its_json(tmp_path: Path):
    assert asking(tmp_path, """echo '{"kind": "Pod"}'""").get("pod", "a") == {"kind": "Pod"}


@pytest.mark.parametrize(
    "said",
    [
        'Error from server (NotFound): pods "a" not found',
        'error: the server doesn\'t have a resource type "chaosresult"',
    ],
)
def test_what_is_not_there_is_none(tmp_path: Path, said: str):
    (tmp_path / "said").write_text(said)
    asked = asking(tmp_path, "cat said >&2; exit 1")
    assert asked.get("pod", "a") is None
    assert asked.list("pods") == []


def test_any_other_answer_is_said_as_it_is(tmp_path: Path):
    asked = asking(tmp_path, "echo hm >&2; echo 'The connection was refused' >&2; exit 1")
    with pytest.raises(cluster.Unreachable, match=r"^The connection was refused$"):
        asked.get("pod", "a")


def test_rights_are_asked_for_the_account(tmp_path: Path):
    asked = asking(tmp_path, 'echo "$@" > asked; [ "$4" = pods ] && echo yes || { echo no; exit 1; }')
    assert asked.may("pod-delete-sa", "delete", "pods")
    assert "--as=system:serviceaccount:nginx:pod-delete-sa" in (tmp_path / "asked").read_text()
    assert not asked.may("pod-delete-sa", "delete", "nodes")


def test_a_plan_that_can_not_be_made_is_none(tmp_path: Path):
    assert asking(tmp_path, "exit 2", command="litmus").plan("engine.yaml") is None
