"""What a check says, in the reader's language. Pure.

The checks belong to the framework and speak English, with names and values already in their sentences. Here are the
sentences as templates: one that fits is translated and filled in again, and what stands in it (a list of what is
allowed, a kind of value) is put into the language in the same way. What fits none is shown in English.
"""

import functools
import re

from .. import translations

_PLACE = re.compile(r"\{(\w+)\}")

TEMPLATES = (
    # api.strict and yaml_text
    "not YAML: {error}",
    "apiVersion: missing; write {version}",
    "metadata.name: missing; name the engine",
    "{path}: unknown field",
    "{path}: unknown field; did you mean {name}?",
    "{path}: {value} is not one of {words}",
    "{path}: {value} is not one of {words}; did you mean {name}?",
    "{path}: {value} must be {what}",
    "{path}: {value} must be {what}; write it in quotes: {quoted}",
    "a boolean",
    "{path}: {value} is neither a whole number nor text",
    "{path}: {value} is below {least}",
    "{path}: {value} is too large a number",
    "{path}: {name} is missing",
    "{path}: must not be empty",
    "{path}: at least {number} entry is needed",
    "{path}: null is no entry of a list; remove it",
    "line {line}: {sentence}",
    # engine_check and admission
    "kind: there must be one ChaosEngine; there is {kinds}",
    "the text has more than {most} bytes, and is not looked at",
    "{path}: {value} is not in this hub; did you mean {name}?",
    "{path}: {value} is not in this hub; apply its ChaosExperiment before the engine",
    "{path}: this release does not evaluate probes; remove them",
    "{path}: label selector {label} names no value; write {key}=VALUE, or {same}!=none for any value",
    "spec.chaosServiceAccount is empty; name a service account with the experiment's role",
    "spec.appinfo and spec.selectors both name an application; keep one of them",
    "spec.selectors: give either pods or workloads",
    "spec.selectors.workloads: {kind} in {namespace} needs names or labels",
    "spec.auxiliaryAppInfo: {entry} is not of the form namespace:label",
    "{name}: {chart} has no such tunable",
    # experiments.tunables and the readers of tunables
    "{name} stands twice; keep one of them",
    "{name} is not a tunable of {experiment}; did you mean {near}?",
    "{name}={value}: {allowed}",
    "must be a whole number of seconds from {least} to {most}, without a unit",
    "must be a number of milliseconds from {least} to {most}, without a unit, or a range such as {example}",
    "must be a number of {unit} above 0, without a unit, such as {one} or {other}",
    "must be a percentage from {least} to {most}",
    "must be a percentage from {least} to {most}, and no range",
    "must be a percentage from {least} to {most}, or a range such as {example}",
    "must be a percentage above {least} and up to {most}",
    "must be a percentage of packets from {least} to {most}, or a range such as {example}",
    "must be a rate from {least} to {most} with its unit, such as {examples}",
    "must be a whole number from {least} to {most}",
    "must be a whole number of mebibytes above 0, without a unit, such as {example}",
    "must be a whole number of replicas from {least} to {most}",
    "must be port numbers from {least} to {most}, separated by commas, such as {example}",
    "must be seconds such as {one}, or a range such as {example}",
    "must be the absolute path of a folder in the container, such as {example}",
    "must be the name of one network interface, such as {example}",
    "must be {one} or {other}",
    "{value} is no signal; for instance {examples}",
    "{value} is no host name such as {example}; addresses are given in {name}",
    "{value} is no service such as {example}, or {other} for the namespace of the application",
)


def say(lang: str, sentence: str) -> str:
    """The sentence in the language, in English where there is no template for it."""
    if lang == translations.DEFAULT:
        return sentence
    exact = translations.translate(lang, sentence)
    if exact != sentence:
        return exact
    for pattern, template in _templates(lang):
        if found := pattern.fullmatch(sentence):
            inner = {name: say(lang, text) for name, text in found.groupdict().items()}
            return template.format(**inner)
    return sentence


@functools.cache
def _templates(lang: str) -> list[tuple[re.Pattern[str], str]]:
    """The most definite first: those with most text of their own."""
    found = [(english, translations.translate(lang, english)) for english in TEMPLATES]
    found.sort(key=lambda pair: -len(_PLACE.sub("", pair[0])))
    return [(_pattern(english), text) for english, text in found]


def _pattern(english: str) -> re.Pattern[str]:
    """What is filled in may be anything; what stands twice has to be the same."""
    pieces = _PLACE.split(english)
    seen: set[str] = set()
    pattern = ""
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            pattern += re.escape(piece)
        else:
            pattern += f"(?P={piece})" if piece in seen else f"(?P<{piece}>.*?)"
            seen.add(piece)
    return re.compile(pattern, re.DOTALL)
