"""An image is "pulled" when its name means something; policies, names and programs in place."""

import subprocess
from pathlib import Path

import pytest

from litmus.sandbox.images.table import Table
from litmus.sandbox.node.pulling import Images, Refused


@pytest.fixture
def images(tmp_path: Path) -> Images:
    table = Table(tmp_path / "images.json")
    table.add("own/app:v1", ["serve"], programs={"serve": ["/bin/echo", "a b"]}, folders=["/opt/own/bin"])
    table.save()
    return Images(table, tmp_path / "programs")


def test_the_first_use_is_a_pull_and_the_second_is_not(images: Images) -> None:
    assert images.pull("own/app:v1", "IfNotPresent").fresh
    assert not images.pull("own/app:v1", "IfNotPresent").fresh
    assert images.pull("own/app:v1", "Always").fresh


def test_a_status_names_the_image_in_full(images: Images) -> None:
    pulled = images.pull("own/app:v1", "Never")
    assert pulled.name == "docker.io/own/app:v1"
    assert pulled.id.startswith("docker.io/own/app@sha256:")


def test_an_image_that_means_something_else_now_is_pulled_again(images: Images) -> None:
    before = images.pull("own/app:v1", "IfNotPresent")
    images.table.add("own/app:v1", ["other"])
    images.table.save()
    after = images.pull("own/app:v1", "IfNotPresent")
    assert after.fresh
    assert after.id != before.id


def test_programs_are_found_by_shells(images: Images) -> None:
    folder, own = images.pull("own/app:v1", "Always").folders
    said = subprocess.run(["serve", "c"], env={"PATH": folder}, capture_output=True, text=True, check=True)
    assert said.stdout == "a b c\n"
    assert own == "/opt/own/bin"


@pytest.mark.parametrize(
    ("name", "policy", "reason"),
    [
        ("nobody/knows", "Always", "ErrImagePull"),
        ("nobody/knows", "IfNotPresent", "ErrImagePull"),
        ("nobody/knows", "Never", "ErrImageNeverPull"),
        ("Bad", "Always", "InvalidImageName"),
    ],
)
def test_what_can_not_be_had_is_refused_with_the_states_word(
    images: Images, name: str, policy: str, reason: str
) -> None:
    with pytest.raises(Refused) as raised:
        images.pull(name, policy)
    assert raised.value.reason == reason
    assert name in str(raised.value)


def test_an_unknown_image_names_the_command_that_helps(images: Images) -> None:
    with pytest.raises(Refused, match=r"litmus sandbox image add nobody/knows:1 -- COMMAND$"):
        images.pull("nobody/knows:1", "Always")


def test_an_image_that_is_added_later_is_found(images: Images, tmp_path: Path) -> None:
    other = Table.load(tmp_path / "images.json")
    other.add("late", ["x"])
    other.save()
    assert images.pull("late", "Never").name == "docker.io/library/late:latest"
