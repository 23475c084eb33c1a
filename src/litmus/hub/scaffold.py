"""A new experiment as a package of its user: ``litmus hub init``.

It is a working one, so that it can be run before anything of it is understood: one Python file that takes replicas of
an application away and puts them back, its test, its charts, and an application to try it on. The files lie in
``scaffold_files`` with four words to fill in.
"""

import importlib.util
import keyword
import os
import re
import shutil
import sys
import tempfile
from datetime import date
from importlib import resources
from pathlib import Path

from litmus import __version__
from litmus.experiments import catalogue
from litmus.experiments.declaration import Experiment

from . import charts, ours

CATEGORY = "custom"
_LONGEST = 40  # it is a part of the names of jobs, pods and results
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_CATEGORY = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_FILES = {
    "pyproject.toml.in": "pyproject.toml",
    "README.md.in": "README.md",
    "Dockerfile.in": "Dockerfile",
    "nginx.yaml.in": "nginx.yaml",
    "experiment.py.in": "{module}.py",
    "test_experiment.py.in": "test_{module}.py",
}


class CannotScaffold(Exception):
    """The sentence says what is wrong with the name or the place, and what to do."""


def check(name: str, *, category: str = CATEGORY) -> None:
    """Raises CannotScaffold for a name that could not be used, or is used already."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise CannotScaffold(
            f"{name!r} is no name of an experiment: small letters, digits and single hyphens, a letter first, at most "
            f"{_LONGEST} characters; for instance slow-start"
        )
    if not _CATEGORY.fullmatch(category):
        raise CannotScaffold(f"{category!r} is no name of a category: small letters, digits and -, at most 63")
    module = module_of(name)
    if keyword.iskeyword(module):
        raise CannotScaffold(f"{name!r} is a word of Python and can't name its file; take another name")
    experiments, unusable = catalogue.offered()
    if name in [one.name for one in experiments] + [one.name for one in unusable]:
        raise CannotScaffold(f"there is an experiment {name!r} already (litmus hub show {name}); take another name")
    if module in sys.stdlib_module_names or importlib.util.find_spec(module) is not None:
        raise CannotScaffold(f"there is a Python module {module} already, which {name!r} would hide; take another name")


def create(name: str, folder: Path, *, category: str = CATEGORY, today: date | None = None) -> Path:
    """Makes the package as a folder of that name in ``folder``, all of it or nothing. Raises CannotScaffold."""
    check(name, category=category)
    target = folder / name
    if not folder.is_dir():
        raise CannotScaffold(f"folder {folder} does not exist; create it, or name another one with --dir")
    if os.path.lexists(target):
        raise CannotScaffold(f"{target} exists already; take another name, or another folder with --dir")
    try:
        growing = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
        try:
            _write(growing, files(name, category=category, today=today or date.today()))  # noqa: DTZ011  # the user's
            made = load(growing / f"{module_of(name)}.py", name)
            _write(growing, chart_files([made]))
            growing.chmod(0o755)
            growing.rename(target)
        except BaseException:
            shutil.rmtree(growing, ignore_errors=True)
            raise
    except OSError as error:
        raise CannotScaffold(f"{target} can't be written: {error.strerror}; name another folder with --dir") from error
    return target


def files(name: str, *, category: str, today: date) -> dict[str, bytes]:
    """The files of the package without its charts, by their paths."""
    module = module_of(name)
    words = {
        "name": name,
        "module": module,
        "class": "".join(part.capitalize() for part in name.split("-")),
        "title": name.replace("-", " ").capitalize(),
        "category": category,
        "today": today.isoformat(),
        "version": __version__,
        "image": charts.DEFAULT_IMAGE,
    }
    sources = resources.files(__package__).joinpath("scaffold_files")
    return {
        path.format(module=module): _filled(sources.joinpath(source).read_text(encoding="utf-8"), words).encode()
        for source, path in _FILES.items()
    }


def chart_files(experiments: list[Experiment], *, image: str = charts.DEFAULT_IMAGE) -> dict[str, bytes]:
    """The folder of a hub with these experiments, by paths. Raises CannotScaffold when one can't be written."""
    hub = ours.hub(image=image, experiments=experiments)
    for chart in hub.charts():
        if chart.problems:
            raise CannotScaffold("; ".join(problem.message for problem in chart.problems))
    return {path: hub.files[path] for path in hub.files if path.startswith("charts/")}  # not the icon of our hub


def load(file: Path, name: str) -> Experiment:
    """The experiment in a file that was just written, without installing it."""
    module = module_of(name)
    spec = importlib.util.spec_from_file_location(module, file)
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(loaded)
    finally:
        sys.dont_write_bytecode = writes
    found = [
        thing
        for thing in vars(loaded).values()
        if isinstance(thing, type) and issubclass(thing, Experiment) and thing.__module__ == spec.name
    ]
    made: Experiment = found[0]()
    return made


def module_of(name: str) -> str:
    """The Python module of an experiment."""
    return name.replace("-", "_")


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"@(\w+)@", lambda match: words.get(match[1], match[0]), text)


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
