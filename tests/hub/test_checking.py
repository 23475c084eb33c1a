"""What keeps a chart from being used is named with its file and line; what its author should know is a warning."""

import re
from pathlib import Path

import pytest

from litmus.hub import checking, pictures
from litmus.hub.model import Problem
from tests.hub import others

TOP = "charts/queues"
A = f"{TOP}/a"


def found(folder: Path, files: dict[str, str | bytes]) -> list[Problem]:
    return checking.folder(others.write(folder, files))


def changed(path: str, old: str, new: str) -> dict[str, str | bytes]:
    files = others.of_1_10("a")
    text = str(files[path])
    assert old in text
    return files | {path: text.replace(old, new)}


@pytest.mark.parametrize("files", [others.of_1_10("a", "b"), others.of_3("a", "b")], ids=["1.10", "3"])
def test_a_hub_without_mistakes_has_no_problems(tmp_path: Path, files: dict[str, str | bytes]):
    assert found(tmp_path, files) == []


def test_a_group_and_a_chart_can_be_checked_alone(tmp_path: Path):
    others.write(tmp_path, others.of_1_10("a", "b") | {f"{A}/engine.yaml": "kind: ChaosEngine\n"})
    assert [p.file for p in checking.folder(tmp_path / TOP)] == ["a/engine.yaml"]
    assert [p.file for p in checking.folder(tmp_path / A)] == ["engine.yaml"]
    assert [p.file for p in checking.folder(tmp_path / "charts")] == ["queues/a/engine.yaml"]
    assert checking.folder(tmp_path / TOP / "b") == []
    (tmp_path / TOP / "icons/b.png").write_bytes(b"GIF89a")
    assert [p.file for p in checking.folder(tmp_path / TOP / "b")] == ["../icons/b.png"]


def test_a_folder_without_charts_is_a_mistake_of_who_asks(tmp_path: Path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(checking.NoCharts, match="neither a folder charts/ or faults/"):
        checking.folder(tmp_path)
    with pytest.raises(checking.NoCharts, match="is no folder"):
        checking.folder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "path",
    [
        f"{A}/experiment.yaml",
        f"{A}/engine.yaml",
        f"{A}/rbac.yaml",
        f"{A}/a.chartserviceversion.yaml",
        f"{TOP}/queues.package.yaml",
        f"{TOP}/queues.chartserviceversion.yaml",
    ],
)
def test_a_missing_file_is_named(tmp_path: Path, path: str):
    files = others.of_1_10("a")
    del files[path]
    assert [(p.file, p.message.partition(";")[0], p.warning) for p in found(tmp_path, files)] == [
        (path, "missing", False)
    ]


@pytest.mark.parametrize(
    ("path", "old", "new", "line", "words"),
    [
        (f"{A}/experiment.yaml", "kind: ChaosExperiment", "kind: ChaosEngine", 5, "'ChaosEngine' must be ChaosExp"),
        (f"{A}/engine.yaml", "kind: ChaosEngine", "kind: Pod", 2, "'Pod' must be ChaosEngine"),
        (f"{A}/engine.yaml", "litmuschaos.io/v1alpha1", "litmuschaos.io/v2", 1, "must be litmuschaos.io/v1alpha1"),
        (f"{A}/rbac.yaml", "kind: Role\n", "kind: DaemonSet\n", 8, "'DaemonSet' does not belong here"),
        (f"{A}/rbac.yaml", "apiVersion: v1\n", "apiVersion: apps/v1\n", 2, "of a ServiceAccount must be v1"),
        (f"{A}/a.chartserviceversion.yaml", "ChartServiceVersion", "Chart", 2, "must be ChartServiceVersion"),
        (f"{A}/a.chartserviceversion.yaml", "name: a\n", "name: b\n", 5, "metadata.name: 'b' differs from its folder"),
        (f"{A}/a.chartserviceversion.yaml", "    - Queue\n", "    - 7\n", 16, "spec.keywords[0]: 7 must be text"),
        (f"{A}/experiment.yaml", "  name: a\n  version", "  name: b\n  version", 7, "'b' differs from its folder, a"),
        (f"{A}/experiment.yaml", "value: '15'", "value: 15", 23, "write it in quotes: '15'"),
        (f"{A}/experiment.yaml", '    image: "example/queue-chaos:1"\n', "", 10, "image is missing"),
        (f"{A}/engine.yaml", "- name: a\n", "- name: b\n", 16, "'b' is another experiment; this chart is a"),
        (f"{A}/engine.yaml", "'active'", "activ", 8, "did you mean active?"),
        (f"{A}/engine.yaml", "  name: queue-chaos\n", "  labels: {}\n", 3, "name the engine"),
        (f"{A}/engine.yaml", "          env:\n", "          env: [\n", 20, "not YAML"),
        (f"{TOP}/queues.package.yaml", "name: a\n", "name: b\n", 3, "b is listed, but there is no such folder"),
        (f"{TOP}/queues.package.yaml", "CSV: a.", "CSV: b.", 4, "a has a.chartserviceversion.yaml"),
        (f"{TOP}/queues.package.yaml", "packageName: queues", "packageName: q", 1, "'q' differs from its folder"),
        (f"{TOP}/experiments.yaml", "kind: ChaosExperiment", "kind: Pod", 5, "'Pod' does not belong here"),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, path: str, old: str, new: str, line: int, words: str):
    first, *_ = [p for p in found(tmp_path, changed(path, old, new)) if not p.warning and p.file == path]
    assert first.line == line, str(first)
    assert words in first.message


@pytest.mark.parametrize(
    ("path", "old", "new", "line", "words"),
    [
        (f"{A}/engine.yaml", "annotationCheck:", "annotationChek:", 7, "unknown field; did you mean annotationCheck?"),
        (f"{A}/experiment.yaml", "    hostPID: true", "    hostPit: true", 29, "unknown field; did you mean hostPID?"),
        (f"{A}/a.chartserviceversion.yaml", "  maturity:", "  maturty:", 20, "did you mean maturity?"),
        (f"{A}/a.chartserviceversion.yaml", "https://example", "ftp://example", 29, "it is not shown"),
        (f"{A}/rbac.yaml", "io/v1\nkind: Role\n", "io/v1beta1\nkind: Role\n", 7, "gone since Kubernetes 1.22"),
        (f"{TOP}/experiments.yaml", "value: '15'", "value: '20'", 1, f"a differs from {A}/experiment.yaml"),
    ],
)
def test_what_does_no_harm_is_a_warning_with_its_line(
    tmp_path: Path, path: str, old: str, new: str, line: int, words: str
):
    problems = [p for p in found(tmp_path, changed(path, old, new)) if p.file == path]
    assert [(p.line, p.warning) for p in problems] == [(line, True)], problems
    assert words in problems[0].message
    assert re.fullmatch(r"\S+:\d+: warning: .+", str(problems[0]))


def test_a_chart_that_its_group_does_not_list_is_a_warning(tmp_path: Path):
    files = others.of_1_10("a", "b")
    files[f"{TOP}/queues.package.yaml"] = others.of_1_10("a")[f"{TOP}/queues.package.yaml"]
    files[f"{TOP}/experiments.yaml"] = others.of_1_10("a")[f"{TOP}/experiments.yaml"]
    problems = found(tmp_path, files)
    assert [(p.message.partition(";")[0], p.warning) for p in problems] == [
        ("b is not in it", True),
        ("b is in the folder, but not listed", True),
    ]


def test_a_second_document_in_an_engine_is_refused(tmp_path: Path):
    files = others.of_1_10("a")
    files[f"{A}/engine.yaml"] = f"{files[f'{A}/engine.yaml']}---\napiVersion: v1\nkind: Pod\n"
    [problem] = found(tmp_path, files)
    assert (problem.line, problem.message) == (24, "kind: 'Pod' must be ChaosEngine")


def test_an_alias_bomb_is_refused_with_its_line(tmp_path: Path):
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    [problem] = found(tmp_path, others.of_1_10("a") | {f"{A}/engine.yaml": "\n".join(bomb)})
    assert str(problem).startswith(f"{A}/engine.yaml:1: not YAML: its aliases repeat")


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path):
    [problem] = found(tmp_path, others.of_1_10("a") | {f"{A}/rbac.yaml": b"a: 1\nb: \xff\n"})
    assert str(problem) == f"{A}/rbac.yaml:2: not YAML: the text is not UTF-8"


def test_a_huge_file_is_refused(tmp_path: Path):
    [problem] = found(tmp_path, others.of_1_10("a") | {f"{A}/engine.yaml": "#" * 1_100_000})
    assert problem.file == f"{A}/engine.yaml"
    assert "more than 1,048,576 bytes" in problem.message


@pytest.mark.parametrize("target", ["/etc/hostname", "../../../../outside.yaml", "nowhere"])
def test_a_link_out_of_the_folder_is_unsafe(tmp_path: Path, target: str):
    hub = others.write(tmp_path / "hub", others.of_1_10("a"))
    (tmp_path / "outside.yaml").write_text("a: 1\n")
    (hub / A / "engine.yaml").unlink()
    (hub / A / "engine.yaml").symlink_to(target)
    [problem] = checking.folder(hub)
    assert problem.file == f"{A}/engine.yaml"
    assert problem.message.startswith(f"unsafe path: a link to {target}")


def test_a_folder_that_is_a_link_is_not_entered(tmp_path: Path):
    hub = others.write(tmp_path / "hub", others.of_1_10("a"))
    (hub / TOP / "b").symlink_to(tmp_path)
    [problem] = checking.folder(hub)
    assert (problem.file, problem.message.partition(":")[0]) == (f"{TOP}/b", "unsafe path")


def svg(inner: str, attributes: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>\n{inner}\n</svg>'.encode()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (svg("<script>alert(1)</script>"), 2),
        (svg("<g/>\n<SCRIPT/>"), 3),
        (svg("", 'onload="alert(1)"'), 1),
        (svg('<g ONCLICK="x"/>'), 2),
        (svg('<use href="https://example.com/a.svg#b"/>'), 2),
        (svg('<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="other.svg#b"/>'), 2),
        (svg('<image href="data:image/png;base64,AAAA"/>'), 2),
        (svg('<a href="javascript:alert(1)"><circle r="1"/></a>'), 2),
        (svg("<style>@import 'https://example.com/a.css';</style>"), 2),
        (svg("<style>g { fill: u\\72l(https://example.com) }</style>"), 2),
        (svg("<rect style=\"fill: url( '//example.com/a')\"/>"), 2),
        (svg('<rect fill="url(https://example.com/a)"/>'), 2),
        (svg("<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>"), 2),
        (svg("<animate attributeName='href' to='javascript:alert(1)'/>"), 2),
        (svg("<use href='#a'/>" * 21), 2),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>\n' + svg("&a;"), 1),
        (b'<?xml-stylesheet href="https://example.com/a.css"?>\n' + svg(""), 1),
        (b"<svg>\n</svg>", 1),
        (b"<html/>", 1),
        (svg("<g>"), 3),
    ],
)
def test_a_drawing_that_does_more_than_draw_is_refused_with_its_line(tmp_path: Path, content: bytes, line: int):
    path = f"{TOP}/icons/a.svg"
    [problem] = found(tmp_path, others.of_1_10("a") | {path: content})
    assert (problem.file, problem.line) == (path, line), str(problem)


def test_an_ordinary_drawing_is_taken():
    pictures.check(
        svg(
            "<defs><style>.a { fill: #fff; filter: url(#b) }</style><linearGradient id='g'/></defs>"
            "<metadata><r:x xmlns:r='urn:r' r:about='http://example.com'/></metadata>"
            "<rect class='a' fill='url(#g)' style=\"stroke: url('#g')\"/><use href='#g'/><title>a @ b</title>"
        ),
        kind="svg",
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", b"<svg/>", "this is no PNG"),
        ("a.png", others.png(100_000, 100_000), "100000 x 100000 pixels"),
        ("a.png", others.png() + b"\0" * 300_000, "262,144 are allowed"),
        ("a.gif", b"GIF89a", "an icon of type gif; use .png or .svg"),
    ],
)
def test_a_picture_that_can_not_be_shown_is_refused(tmp_path: Path, name: str, content: bytes, words: str):
    [problem] = found(tmp_path, others.of_1_10("a") | {f"{TOP}/icons/{name}": content})
    assert problem.file == f"{TOP}/icons/{name}"
    assert words in problem.message
