"""What is wrong with the YAML of an engine, said while somebody types it: line, path and a sentence. Pure.

The same checks as ``litmus run`` and a run itself make, in the same code: the schema of the CRD with its spelling
(``api.strict``), the form of the application (``admission``) and the tunables of the experiments that we know.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from litmus import api
from litmus.api import strict, yaml_text
from litmus.api.meta import present
from litmus.experiments import admission, steady_form, tunables
from litmus.experiments.declaration import Experiment

from .. import charts, model

MOST_BYTES = 64 * 1024
MOST_PROBLEMS = 50
_LONGEST = 400
# Names that Kubernetes takes for an object (RFC 1123) whose name is also the value of a label.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")
_LETTERS = "small letters, digits and -, at most 63 of them"
_LINE = re.compile(r"line (\d+): ")
_ITEM = re.compile(r"spec\.experiments\[(\d+)\]\.spec\.components\.env\[(\d+)\]")
_NAMED = re.compile(r"[A-Z][A-Z0-9_]*(=| is| stands)")  # a sentence about a tunable that names it itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake. ``line`` counts from 1, 0 means the whole text; ``field`` is that of the form, '' if it has none.

    A warning is what may be meant so.
    """

    message: str
    line: int = 0
    path: str = ""
    field: str = ""
    severity: Literal["error", "warning"] = "error"


def check(text: str, known: Mapping[str, model.Chart]) -> list[Problem]:
    """Every mistake in the text, by line. ``known`` are the experiments that there are, by name."""
    if len(text) > MOST_BYTES:
        return [Problem(message=f"the text has more than {MOST_BYTES} bytes, and is not looked at")]
    try:
        documents = yaml_text.located(text)
    except yaml_text.NotYaml as error:
        return [_not_yaml(str(error), text)]
    engines = [d for d in documents if isinstance(d.value, dict) and d.value.get("kind") == "ChaosEngine"]
    if len(engines) != 1:
        return [_not_one(documents)]
    sentences = list(_sentences(engines[0].value, known))[:MOST_PROBLEMS]
    return sorted((_located(engines[0], *found) for found in sentences), key=lambda problem: problem.line)


def _not_yaml(sentence: str, text: str) -> Problem:
    """libyaml names the line behind the last one where something is missing at the end."""
    found = _LINE.match(sentence)
    line = min(int(found[1]), text.rstrip("\n").count("\n") + 1) if found else 0
    return Problem(line=line, message=f"not YAML: {_short(sentence[found.end() :] if found else sentence)}")


def _not_one(documents: list[yaml_text.Document]) -> Problem:
    values = [d.value for d in documents]
    kinds = ", ".join(str(v.get("kind")) if isinstance(v, dict) else type(v).__name__ for v in values) or "nothing"
    line = documents[-1].line("kind") if documents else 0
    return Problem(line=line, path="kind", message=f"kind: there must be one ChaosEngine; there is {_short(kinds)}")


_Found = tuple[str, Literal["error", "warning"]]


def _sentences(manifest: dict[str, Any], known: Mapping[str, model.Chart]) -> Iterator[_Found]:
    """What is wrong, each sentence with its path in front."""
    wrong = strict.engine_mistakes(manifest)
    yield from ((sentence, "error") for sentence in wrong)
    metadata = manifest.get("metadata")
    for name, form in (("name", _NAME.fullmatch), ("namespace", charts.is_namespace)):
        value = metadata.get(name) if isinstance(metadata, dict) else None
        if value and isinstance(value, str) and not form(value):
            yield f"metadata.{name}: {value!r} must be {_LETTERS}", "error"
    try:
        yield from _application(msgspec.convert(present(manifest), api.ChaosEngine))
    except msgspec.ValidationError as error:
        if not wrong:  # the schema leaves metadata to the API server
            what, _, where = str(error).rpartition(" - at `$.")
            yield f"{where.rstrip('`') or 'the manifest'}: {what or error}", "error"
    for number, entry in _entries(manifest):
        path = f"spec.experiments[{number}]"
        yield from _experiment(path, entry, known)
        yield from ((sentence, "error") for sentence in steady_form.of_experiment(entry.spec, path=f"{path}.spec"))


def _entries(manifest: dict[str, Any]) -> Iterator[tuple[int, api.EngineExperiment]]:
    """Those that can be read, whatever else is wrong with the engine."""
    spec = manifest.get("spec")
    listed = spec.get("experiments") if isinstance(spec, dict) else None
    for number, entry in enumerate(listed if isinstance(listed, list) else ()):
        with contextlib.suppress(msgspec.ValidationError):
            yield number, msgspec.convert(present(entry), api.EngineExperiment)


def _application(engine: api.ChaosEngine) -> Iterator[_Found]:
    namespace = engine.spec.appinfo.appns
    if namespace and not charts.is_namespace(namespace):
        yield f"spec.appinfo.appns: {namespace!r} must be {_LETTERS}", "error"
    try:
        admission.check_form(engine.spec)
    except admission.Refused as refusal:
        sentence = str(refusal)
        yield (f"spec.appinfo.applabel: {sentence}" if sentence.startswith("label selector") else sentence), "error"


def _experiment(path: str, entry: api.EngineExperiment, known: Mapping[str, model.Chart]) -> Iterator[_Found]:
    chart = known.get(entry.name)
    if chart is None:
        near = strict.closest(entry.name, list(known))
        hint = near or "; apply its ChaosExperiment before the engine"
        yield f"{path}.name: {entry.name!r} is not in this hub{hint}", "error" if near else "warning"
    elif chart.declared:
        yield from ((f"{path}{sentence}", "error") for sentence in _tunables(entry, chart.declared))


def _tunables(entry: api.EngineExperiment, experiment: Experiment) -> Iterator[str]:
    declared = {tunable.name: tunable for tunable in experiment.all_tunables()}
    seen: set[str] = set()
    for number, variable in enumerate(entry.spec.components.env):
        path = f".spec.components.env[{number}]"
        if variable.name in seen:
            yield f"{path}.name: {variable.name} stands twice; keep one of them"
        seen.add(variable.name)
        tunable = declared.get(variable.name)
        try:
            if tunable:
                if variable.value_from is None:
                    tunable.value((variable.value or "").strip() or tunable.default)
            else:
                tunables.check_names([variable.name], experiment.all_tunables(), experiment.name)
        except tunables.TunableError as error:
            yield f"{path}.{'value' if tunable else 'name'}: {error}"


def _located(document: yaml_text.Document, sentence: str, severity: Literal["error", "warning"]) -> Problem:
    """With its line. The path of an environment variable is left out of the sentence: that names the tunable itself."""
    path, _, after = sentence.partition(": ")
    if found := _ITEM.match(path):
        field = path[found.end() :].lstrip(".")
        sentence = after if _NAMED.match(after) else f"{_variable(document.value, *found.groups())}: {field}: {after}"
    return Problem(line=document.line(path), path=path, message=_short(sentence), severity=severity)


def _variable(manifest: Any, experiment: str, number: str) -> str:
    item = manifest["spec"]["experiments"][int(experiment)]["spec"]["components"]["env"][int(number)]
    return str(item.get("name") or "env") if isinstance(item, dict) else "env"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
