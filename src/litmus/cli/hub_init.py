"""``litmus hub init``: begins an experiment of one's own, and says how to run it."""

import importlib.util
import shlex
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from litmus.hub import scaffold

from . import failures


def init(
    name: Annotated[str, Parameter(help="Name of the experiment, for instance my-fault.")],
    *,
    dir: Annotated[Path, Parameter(help="Folder in which its folder is made.")] = Path(),  # noqa: A002
    category: Annotated[str, Parameter(help="Category of the hub in which it appears.")] = scaffold.CATEGORY,
) -> int:
    """Begin an experiment of one's own: a Python package with a test, charts and a page, which runs at once."""
    try:
        made = scaffold.create(name, dir, category=category)
    except scaffold.CannotScaffold as error:
        raise failures.Misused(str(error)) from error
    where = shlex.quote(str(made))
    print(f"{where} is a whole experiment: {scaffold.module_of(name)}.py. Its README.md says the rest. To run it:\n")
    for command in _commands(name, where):
        print(f"  {command}")
    print(f"\nOr let its test do all that on a sandbox of its own: {_python()} -m pytest {where}")
    return 0


def _commands(name: str, where: str) -> list[str]:
    return [
        f"{_installer()} -e {where}",
        'eval "$(litmus sandbox up)"',
        "litmus install",
        f"kubectl apply -f {where}/nginx.yaml",
        f"litmus hub install {name} -n default",
        f"litmus hub get {name} --engine -n default > engine.yaml",
        "litmus run engine.yaml",
    ]


def _python() -> str:
    return shlex.quote(sys.executable)


def _installer() -> str:
    """Into this very Python: where litmus is, the experiment has to be."""
    if importlib.util.find_spec("pip") is not None:
        return f"{_python()} -m pip install"
    return f"uv pip install --python {_python()}"
