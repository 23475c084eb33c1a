"""The manifest of an engine as a person wrote it, read strictly: every mistake is named before anything is touched."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from litmus import api
from litmus.api import strict, yaml_text
from litmus.api.meta import present
from litmus.experiments import steady_form

from . import failures


def read(file: Path, *, namespace: str) -> tuple[api.ChaosEngine, dict[str, Any]]:
    """The engine and its manifest; ``-`` is standard input. ``namespace`` is used where the manifest names none.

    Raises Misused with every mistake.
    """
    documents = _documents(file)
    engines = [d for d in documents if isinstance(d, dict) and d.get("kind") == "ChaosEngine"]
    if len(engines) != 1:
        kinds = ", ".join(str(d.get("kind")) if isinstance(d, dict) else type(d).__name__ for d in documents)
        raise failures.Misused(f"{file} must hold one ChaosEngine; it holds {kinds or 'nothing'}")
    manifest: dict[str, Any] = engines[0]
    found = strict.engine_mistakes(manifest)
    if found:
        raise failures.Misused(f"{file}: " + "\n        ".join(found))
    manifest["metadata"].setdefault("namespace", namespace)
    engine = msgspec.convert(present(manifest), api.ChaosEngine)
    if found := list(steady_form.mistakes(engine.spec)):
        raise failures.Misused(f"{file}: " + "\n        ".join(found))
    return engine, manifest


def _documents(file: Path) -> list[Any]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise failures.Misused(f"{file} does not exist; name the file with a ChaosEngine") from None
    except (OSError, UnicodeDecodeError) as error:
        raise failures.Misused(f"{file} can't be read: {error}") from error
    try:
        return yaml_text.documents(text)
    except yaml_text.NotYaml as error:
        raise failures.Misused(f"{file} is not YAML: {error}") from error
