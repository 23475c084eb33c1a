"""``litmus dashboards export``: the dashboards as files for Grafana, without touching what somebody else has written.

Which files are ours is remembered beside them, with a digest of each as it was written. A file that is not among them,
or that was changed since, belongs to somebody else: it is replaced only when it is named. Either all files are
written or none.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from litmus.exporter import dashboards
from litmus.exporter.dashboards import provisioning

from . import failures

_REMEMBERED = ".litmus-dashboards.json"


def export(
    *,
    dir: Annotated[Path, Parameter(help="The folder to write into; made if it is not there.")],  # noqa: A002  the option's name
    prometheus: Annotated[
        str, Parameter(help="Address of the Prometheus that Grafana asks.")
    ] = provisioning.PROMETHEUS,
    path: Annotated[
        str, Parameter(help="Where Grafana finds the JSON files: the folder dashboards/ as Grafana sees it.")
    ] = provisioning.DASHBOARDS_FOLDER,
    overwrite: Annotated[
        tuple[str, ...],
        Parameter(
            help="A file in the folder that may be replaced although it is not ours; again for more.", negative=""
        ),
    ] = (),
) -> int:
    """Write the dashboards for Grafana, and the files that Grafana is provisioned with."""
    if not prometheus.startswith(("http://", "https://")):
        raise failures.Misused(f"--prometheus: {prometheus!r} is no address; give one such as http://prometheus:9090")
    files = dashboards.files(prometheus=prometheus, folder=path)
    _refuse_unknown(overwrite, files)
    try:
        _refuse_foreign(dir, files, named=overwrite)
        for name, text in files.items():
            print(f"{dir / name} {_write(dir / name, text)}")
        _write(dir / _REMEMBERED, json.dumps({name: _digest(text.encode()) for name, text in files.items()}, indent=2))
    except OSError as error:
        raise failures.Failed(f"{error.filename or dir} can't be written: {error.strerror}") from error
    return 0


def _refuse_unknown(named: tuple[str, ...], files: dict[str, str]) -> None:
    for name in named:
        if name not in files:
            raise failures.Misused(f"--overwrite: {name} is none of the files that are written: {', '.join(files)}")


def _refuse_foreign(folder: Path, files: dict[str, str], *, named: tuple[str, ...]) -> None:
    ours = _ours(folder / _REMEMBERED)
    foreign = []
    for name, text in files.items():
        there = _content(folder / name)
        if there is not None and there != text.encode() and _digest(there) != ours.get(name) and name not in named:
            foreign.append(name)
    if foreign:
        given = " ".join(f"--overwrite {name}" for name in foreign)
        raise failures.Failed(
            f"in {folder} are files that are not ours or were changed: {', '.join(foreign)}. Nothing was written."
            f" To replace them: {given}"
        )


def _ours(remembered: Path) -> dict[str, str]:
    """The digests of what was written before. A list that can't be read means that nothing is ours."""
    try:
        read = json.loads(remembered.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(file: Path, text: str) -> str:
    """Whole or not at all: Grafana may read the folder at this moment."""
    before = _content(file)
    if before == text.encode():
        return "unchanged"
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)
    return "created" if before is None else "replaced"
