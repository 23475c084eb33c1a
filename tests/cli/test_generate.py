"""The generated files are what the code says."""

from pathlib import Path

import pytest
import yaml

from litmus.cli import generate


def test_the_generated_files_of_this_checkout_are_fresh():
    assert generate.stale(generate.ROOT, generate.files()) == []


def test_the_charts_have_the_layout_of_the_hub():
    assert {
        "charts/generic/experiments.yaml",
        "charts/generic/pod-delete/experiment.yaml",
        "charts/generic/pod-delete/rbac.yaml",
        "charts/generic/pod-delete/engine.yaml",
        "deploy/crds/chaosengines.yaml",
        "deploy/litmus-operator.yaml",
        "deploy/litmus-operator-namespaced.yaml",
    } <= set(generate.files())


def test_every_experiment_has_a_page():
    for name in ("README", "pod-delete", "container-kill"):
        assert f"docs/experiments/{name}.md" in generate.files()


def test_every_generated_file_that_is_no_page_icon_or_package_is_yaml_of_kubernetes_objects():
    not_of_kubernetes = (".md", ".svg", ".package.yaml")
    others = ("deploy/helm/", "deploy/grafana/", "deploy/prometheus/")
    plain = {path: text for path, text in generate.files().items() if not path.startswith(others)}
    for text in (text for path, text in plain.items() if not path.endswith(not_of_kubernetes)):
        for document in yaml.safe_load_all(text):
            assert {"apiVersion", "kind", "metadata"} <= set(document)


def test_the_generated_files_do_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch):
    before = generate.files()
    monkeypatch.setenv("LITMUS_IMAGE", "litmus:somewhere-else")

    assert generate.files() == before


def test_an_update_writes_what_is_missing_corrects_what_differs_and_removes_what_nothing_generates(tmp_path: Path):
    wanted = {"deploy/crds/a.yaml": "a: 1\n", "charts/x/b.yaml": "b: 1\n"}
    (tmp_path / "charts/old").mkdir(parents=True)
    (tmp_path / "charts/old/c.yaml").write_text("c: 1\n")
    (tmp_path / "deploy/crds").mkdir(parents=True)
    (tmp_path / "deploy/crds/a.yaml").write_text("a: 2\n")
    (tmp_path / "deploy/image").mkdir()
    (tmp_path / "deploy/image/mine").write_text("")

    everything = ["charts/old/c.yaml", "charts/x/b.yaml", "deploy/crds/a.yaml"]
    assert generate.stale(tmp_path, wanted) == everything
    assert generate.update(tmp_path, wanted) == everything
    assert generate.stale(tmp_path, wanted) == []
    assert (tmp_path / "deploy/crds/a.yaml").read_text() == "a: 1\n"
    assert (tmp_path / "deploy/image/mine").exists()


def test_a_check_lists_the_stale_files_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(generate, "ROOT", tmp_path)

    assert generate.main(["--check"]) == 1
    assert "deploy/litmus-operator.yaml" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
