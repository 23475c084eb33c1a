"""A name of an image leads to a command: full matches first, names that were added before built-in ones."""

import json
from pathlib import Path

import pytest

from litmus.sandbox.images import image, reference, table


@pytest.mark.parametrize(
    "text",
    ["nginx", "nginx:1.25", "docker.io/library/nginx", "127.0.0.1:5000/nginx", "nginx@sha256:" + "0" * 64,
     "public.ecr.aws/docker/library/nginx:1"],
)  # fmt: skip
def test_registry_tag_and_digest_do_not_matter(text: str) -> None:
    found = table.Table().find(text)
    assert found is not None
    assert found.programs["nginx"]


def test_another_repository_of_the_same_last_name_is_unknown() -> None:
    assert table.Table().find("somebody/nginx") is None


def test_a_full_match_wins_over_the_repository_alone() -> None:
    known = table.Table()
    plain, tagged = known.add("app", ["plain"]), known.add("app:v2", ["tagged"])
    assert known.find("app:v2") is tagged
    assert known.find("docker.io/library/app:v2") is tagged
    assert known.find("app:v1") is plain


def test_an_added_name_replaces_a_built_in_one() -> None:
    known = table.Table()
    own = known.add("nginx", ["mine"])
    assert known.find("nginx:1.25") is own
    assert [added for name, _, added in known if name == "nginx"] == [True]


def test_a_name_that_no_manifest_could_use_is_refused() -> None:
    with pytest.raises(reference.Invalid):
        table.Table().add("Bad Name", ["x"])


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    first = table.Table(tmp_path / "images.json")
    first.add(
        "app:v1", ["serve", "{port:80}"], env={"A": "1"}, programs={"serve": ["/bin/serve"]}, folders=["/opt/bin"]
    )
    first.save()
    assert table.Table.load(tmp_path / "images.json").find("app:v1") == first.find("app:v1")


def test_a_change_of_the_file_is_seen_by_a_running_node(tmp_path: Path) -> None:
    writer, reader = table.Table(tmp_path / "images.json"), table.Table.load(tmp_path / "images.json")
    assert reader.find("late") is None
    writer.add("late", ["x"])
    writer.save()
    reader.refresh()
    assert reader.find("late") == image.Image(cmd=("x",))


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1, "images": {"a": {"nope": 1}}}'])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "images.json"
    path.write_text(text)
    with pytest.raises(table.Malformed, match=r"images\.json"):
        table.Table.load(path)


def test_the_digest_tells_images_apart() -> None:
    one, two = image.Image(cmd=("a",)), image.Image(cmd=("b",))
    assert table.digest(one) == table.digest(image.Image(cmd=("a",)))
    assert table.digest(one) != table.digest(two)
    assert len(table.digest(one)) == len("sha256:") + 64


@pytest.mark.parametrize(
    ("command", "args", "expected"),
    [
        ([], [], ["entry", "cmd"]),
        ([], ["x"], ["entry", "x"]),
        (["own"], [], ["own"]),
        (["own"], ["x"], ["own", "x"]),
    ],
)
def test_command_and_args_combine_as_the_documentation_says(
    command: list[str], args: list[str], expected: list[str]
) -> None:
    assert image.Image(entrypoint=("entry",), cmd=("cmd",)).command_line(command, args) == expected


def test_a_program_of_the_image_is_found_by_name_and_by_any_path() -> None:
    known = image.Image(programs={"nginx": ("/real", "-x")})
    assert known.direct(["nginx", "-g"]) == ["/real", "-x", "-g"]
    assert known.direct(["/usr/sbin/nginx"]) == ["/real", "-x"]
    assert known.direct(["./nginx"]) == ["./nginx"]


def test_placeholders_become_the_pods_address_and_port() -> None:
    words = image.filled(["-l", "{ip}:{port:80}", "{other}"], ip="127.4.1.9", port=lambda port: port + 20000)
    assert words == ["-l", "127.4.1.9:20080", "{other}"]


def test_the_file_is_plain_json_that_others_can_write(tmp_path: Path) -> None:
    path = tmp_path / "images.json"
    path.write_text(json.dumps({"format": 1, "images": {"a": {"cmd": ["x"], "stop_signal": "SIGINT"}}}))
    assert table.Table.load(path).find("a") == image.Image(cmd=("x",), stop_signal="SIGINT")
