"""``litmus hub init``: what it makes is a whole experiment, and what it can't make is refused in one piece."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml

from litmus.cli import app
from litmus.hub import scaffold
from tests.hub.other_python import Python

DAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("My-fault", "no name of an experiment"),
        ("my_fault", "no name of an experiment"),
        ("-fault", "no name of an experiment"),
        ("my--fault", "no name of an experiment"),
        ("1st", "no name of an experiment"),
        ("../x", "no name of an experiment"),
        ("", "no name of an experiment"),
        ("x" * 41, "at most 40 characters"),
        ("pod-delete", "there is an experiment 'pod-delete' already"),
        ("class", "a word of Python"),
        ("json", "a Python module json already"),
        ("yaml", "a Python module yaml already"),
        ("litmus", "a Python module litmus already"),
    ],
)
def test_a_name_that_can_not_be_used_is_refused_and_nothing_is_made(
    name: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert app.main(["hub", "init", "--dir", str(tmp_path), "--", name]) == 4
    assert why in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_category_is_a_part_of_paths_and_names(tmp_path: Path):
    with pytest.raises(scaffold.CannotScaffold, match="no name of a category"):
        scaffold.create("my-fault", tmp_path, category="../..")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_what_is_there_already_is_left_alone(make, tmp_path: Path):
    make(tmp_path / "my-fault")
    with pytest.raises(scaffold.CannotScaffold, match="exists already"):
        scaffold.create("my-fault", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["my-fault"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(scaffold.CannotScaffold, match=r"gone does not exist; create it"):
        scaffold.create("my-fault", tmp_path / "gone")


def test_when_something_goes_wrong_half_way_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scaffold, "chart_files", full)
    with pytest.raises(scaffold.CannotScaffold, match="No space left on device"):
        scaffold.create("my-fault", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_every_word_is_filled_in(tmp_path: Path):
    made = scaffold.create("slow-start", tmp_path, category="shop", today=DAY)
    texts = {path.relative_to(made): path.read_text() for path in made.rglob("*") if path.is_file()}
    assert Path("slow_start.py") in texts
    assert Path("test_slow_start.py") in texts
    assert "class SlowStart(Experiment):" in texts[Path("slow_start.py")]
    assert 'created = "2026-11-22T00:00:00Z"' in texts[Path("slow_start.py")]
    for word in ("@name@", "@module@", "@class@", "@title@", "@category@", "@today@", "@version@", "@image@"):
        assert not [path for path, text in texts.items() if word in text]


def test_its_charts_name_it_and_its_variable(tmp_path: Path):
    made = scaffold.create("slow-start", tmp_path, category="shop", today=DAY)
    folder = made / "charts/shop/slow-start"
    assert sorted(path.name for path in folder.iterdir()) == [
        "engine.yaml",
        "experiment.yaml",
        "rbac.yaml",
        "slow-start.chartserviceversion.yaml",
    ]
    engine = yaml.safe_load((folder / "engine.yaml").read_text())
    [entry] = engine["spec"]["experiments"]
    env = {variable["name"]: variable["value"] for variable in entry["spec"]["components"]["env"]}
    assert entry["name"] == "slow-start"
    assert env == {"TOTAL_CHAOS_DURATION": "10", "FEWER_REPLICAS": "1"}
    assert not [path for path in made.rglob("*") if path.name == "__pycache__"]


def test_its_code_has_the_style_of_the_house(tmp_path: Path):
    made = scaffold.create("slow-start", tmp_path, today=DAY)
    ruff = Path(sys.executable).with_name("ruff")
    settings = Path(__file__).parents[2] / "pyproject.toml"
    names = [str(made / "slow_start.py"), str(made / "test_slow_start.py")]
    rules = ["--config", str(settings), "--no-cache"]
    relaxed = ["--ignore", "D103,I001"]  # as for our own tests; what is first-party is another's business
    for command in (["check", *rules, *relaxed], ["format", "--check", *rules]):
        done = subprocess.run([str(ruff), *command, *names], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


# From here on: a Python of its own, in which the package is installed.


@pytest.fixture(scope="module")
def python() -> Iterator[Python]:
    """A short path: the sockets of a sandbox lie in it."""
    with tempfile.TemporaryDirectory(prefix="lsb-") as folder:
        yield Python(Path(folder))


@pytest.fixture(scope="module")
def package(python: Python, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The experiment as the command makes it, installed."""
    folder = tmp_path_factory.mktemp("work")
    said = python.litmus("hub", "init", "my-fault", "--dir", str(folder)).stdout
    assert f"-e {folder}/my-fault\n" in said
    assert "litmus hub install my-fault -n default" in said
    python.install(folder / "my-fault")
    return folder / "my-fault"


@pytest.mark.timeout(500)
def test_its_own_tests_pass_and_with_them_a_run_on_a_sandbox(python: Python, package: Path):
    """They install it into a sandbox, run its engine, see the replicas go and come back, and expect a Pass."""
    done = python.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", cwd=package, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout
    assert python.litmus("sandbox", "status").stdout.startswith("There is no sandbox")


@pytest.mark.usefixtures("package")
def test_it_appears_in_the_hub_like_our_own(python: Python):
    listed = json.loads(python.litmus("hub", "list", "--json", "--category", "custom").stdout)
    assert [(one["name"], one["chart"], one["problems"]) for one in listed] == [("my-fault", "custom", [])]
    assert "FEWER_REPLICAS=1  (replicas)" in python.litmus("hub", "show", "my-fault").stdout
    assert "kind: ChaosEngine" in python.litmus("hub", "get", "my-fault", "-n", "shop").stdout


@pytest.mark.usefixtures("package")
def test_its_name_is_taken_now(python: Python, tmp_path: Path):
    again = python.litmus("hub", "init", "my-fault", "--dir", str(tmp_path), check=False)
    assert again.returncode == 4
    assert "there is an experiment 'my-fault' already" in again.stderr


def test_charts_that_are_older_than_the_code_are_found_and_written_anew(python: Python, package: Path, tmp_path: Path):
    charts = ("hub", "charts", "my-fault", "--out", str(tmp_path))
    assert python.litmus(*charts, "--check", check=False).returncode == 1
    python.litmus(*charts)
    assert python.litmus(*charts, "--check").returncode == 0
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {
        path.relative_to(package): path.read_bytes() for path in (package / "charts").rglob("*") if path.is_file()
    }

    (tmp_path / "charts/custom/my-fault/rbac.yaml").write_text("rules: []\n")
    stale = python.litmus(*charts, "--check", check=False)
    assert stale.returncode == 1
    assert stale.stderr.splitlines()[1:] == ["  charts/custom/my-fault/rbac.yaml"]


def test_the_lines_of_its_dockerfile_put_it_where_an_image_finds_it(package: Path, tmp_path: Path):
    """Unpacked beside litmus, as in the image, the wheel brings module and entry point."""
    wheels = tmp_path / "dist"
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(built, cwd=package, check=True, capture_output=True)
    lines = (package / "Dockerfile").read_text().splitlines()
    assert len(lines) == 3
    assert lines[2] == "RUN python3 -m zipfile -e /tmp/my_fault-*.whl /opt/litmus/lib"
    with tempfile.TemporaryDirectory(prefix="lsb-") as folder:
        image = Python(Path(folder))
        [wheel] = wheels.glob("my_fault-*.whl")
        image.run("-m", "zipfile", "-e", str(wheel), str(image.packages))
        assert "my-fault" in image.litmus("hub", "show", "my-fault").stdout


@pytest.mark.usefixtures("python")
def test_its_folder_is_a_hub_that_others_can_add(package: Path):
    """Without the package: from the files of the hub alone."""
    with tempfile.TemporaryDirectory(prefix="lsb-") as folder:
        python = Python(Path(folder))
        assert python.litmus("hub", "lint", str(package)).returncode == 0
        assert "Added mine" in python.litmus("hub", "add", "mine", str(package)).stdout
        listed = json.loads(python.litmus("hub", "list", "--hub", "mine", "--json").stdout)
        assert [(one["name"], one["chart"], one["problems"]) for one in listed] == [("my-fault", "custom", [])]
        assert "FEWER_REPLICAS" in python.litmus("hub", "show", "my-fault", "--hub", "mine").stdout
        got = python.litmus("hub", "get", "my-fault", "--hub", "mine", "-n", "shop", "--image", "mine:1").stdout
        kinds = ["ChaosExperiment", "ServiceAccount", "Role", "RoleBinding", "ChaosEngine"]
        documents = list(yaml.safe_load_all(got))
        assert [document["kind"] for document in documents] == kinds
        assert {document["metadata"]["namespace"] for document in documents} == {"shop"}
        assert documents[0]["spec"]["definition"]["image"] == "mine:1"


BROKEN = "raise RuntimeError('no such device')\n"


def test_an_experiment_that_can_not_be_imported_is_listed_with_its_error_and_hides_none():
    with tempfile.TemporaryDirectory(prefix="lsb-") as folder:
        python = Python(Path(folder))
        python.offer("bad-fault", BROKEN, bad_fault="bad_fault:BadFault", worse_fault="no_such_module:Worse")
        listed = {one["name"]: one for one in json.loads(python.litmus("hub", "list", "--json").stdout)}
        shown = python.litmus("hub", "list").stdout
        installed = python.litmus("hub", "install", "pod-delete", "bad-fault", "-n", "shop", check=False)
        ran = python.litmus("experiment", "bad-fault", check=False)

    assert listed["pod-delete"]["problems"] == []
    assert "no such device" in listed["bad-fault"]["problems"][0]
    assert "no_such_module" in listed["worse-fault"]["problems"][0]
    assert "✗" in shown
    assert "package bad-fault" in shown
    assert installed.returncode == 2
    assert "bad-fault of the hub can't be used" in installed.stderr
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert "no such device" in ran.stderr
