"""What the template of the engine editor shows: the fields, the YAML to start from, and the words. Pure."""

import functools
from collections.abc import Mapping
from typing import Any

from .. import model, translations
from . import engine_fields, engine_form, wording

_NUMBERS = frozenset({"s", "ms", "%"})  # units of what is typed with the keys of a number

# Said by the script, which has no texts of its own.
_SPOKEN = (
    "No mistakes found.",
    "1 mistake",
    "{count} mistakes",
    "Line {line}",
    "Copied.",
    "Copying is not allowed here; the text is selected, copy it with the keyboard.",
    "The check can't be reached; the text is not checked.",
    "The text is too long to be checked.",
)


def context(
    chart: model.Chart, lang: str, *, hub: str = "", engine: str = "", values: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """The variable ``editor`` of ``_editor.html``.

    ``hub`` is the name of a custom hub, and ``engine`` the text of the chart's engine there. ``values`` is the query of
    the page: who has no script sends the form that way; what is no field is left out.
    """
    say = functools.partial(translations.translate, lang)
    fields = engine_fields.fields(chart, engine=engine)
    given = {field.name: values[field.name] for field in fields if values and field.name in values}
    text, problems = engine_form.fill(chart, given, engine=engine)
    told = {problem.field: wording.say(lang, problem.message) for problem in reversed(problems)}
    shown = [_shown(field, lang, given.get(field.name, field.value), told.get(field.name, "")) for field in fields]
    return {
        "say": say,
        "lang": lang,
        "gap": "" if lang == "ja" else " ",  # between sentences
        "hub": hub,
        "group": chart.group,
        "name": chart.name,
        "yaml": text,
        "command": _command(text),
        "words": {english: say(english) for english in _SPOKEN},
        "engine": [field for field in shown if field["section"] == "engine"],
        "tunables": [field for field in shown if field["section"] == "tunables"],
        "more": [field for field in shown if field["section"] == "more"],
        "more_open": any(field["section"] == "more" and field["problem"] for field in shown),
        "problems": [wording.say(lang, problem.message) for problem in problems],
    }


def _shown(field: engine_fields.Field, lang: str, value: str, problem: str) -> Mapping[str, Any]:
    """A field in the language. Its name and its values are the same in every one."""
    say = functools.partial(translations.translate, lang)
    return {
        "name": field.name,
        "section": field.section,
        "label": say(field.label) if field.section == "engine" else field.name,
        "code": field.section != "engine",
        "value": value,
        "default": field.default,
        "unit": say(field.unit) if field.unit else "",
        "choices": field.choices,
        "help": say(field.help),
        "allowed": _sentence(wording.say(lang, field.allowed)),
        "number": field.unit in _NUMBERS,
        "problem": problem,
    }


def _sentence(text: str) -> str:
    if not text or text.endswith(("。", ".")):
        return text
    return f"{text[0].upper()}{text[1:]}{'.' if text[-1].isascii() else '。'}"


def _command(text: str) -> str:
    """For a shell, where no script is there to make it."""
    return f"kubectl apply -f - <<'EOF'\n{text}EOF"
