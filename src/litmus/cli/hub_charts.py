"""``litmus hub charts``: the charts of installed experiments as the folder of a hub, for Git."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from litmus.experiments import catalogue
from litmus.hub import scaffold

from . import failures, hubs, options


def charts(
    *names: hubs.Names,
    out: Annotated[Path, Parameter(help="Folder in which charts/ is written.")] = Path(),
    check: Annotated[
        bool, Parameter(help="Write nothing; exit status 1 if a file is not what the code says.", negative="")
    ] = False,
    image: options.Image = "",
) -> int:
    """Write the charts of installed experiments as the folder of a hub; name all that it shall offer."""
    if not names:
        raise failures.Misused("name an experiment; litmus hub list shows them")
    try:
        experiments = [catalogue.find(name) for name in dict.fromkeys(names)]
        files = scaffold.chart_files(experiments, image=options.image(image))
    except catalogue.UnknownExperiment as error:
        raise failures.Misused(str(error)) from error
    except scaffold.CannotScaffold as error:
        raise failures.Failed(str(error)) from error
    different = [path for path, content in files.items() if _content(out / path) != content]
    if check:
        if different:
            print("These files are not what the code says:", *different, sep="\n  ", file=sys.stderr)
        return 1 if different else 0
    try:
        for path in different:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(files[path])
            print(path)
    except OSError as error:
        raise failures.Failed(f"{error.filename} can't be written: {error.strerror}") from error
    return 0


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
