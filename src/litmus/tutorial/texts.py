"""The words of the course in one language, read from ``text/<language>.yaml``, and which language a user wants."""

from collections.abc import Mapping
from importlib import resources

import msgspec
import yaml

LANGUAGES = ("en", "ja")


class TaskText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Before the command, after it, and when its check does not hold."""

    next: str
    done: str
    hint: str


class StepText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step: its title and its idea."""

    title: str
    why: str
    tasks: dict[str, TaskText]


class Phrases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the course says around its steps. Braces are filled in."""

    starting: str
    welcome: str
    keys: str
    prompt: str
    resumed: str
    gone: str
    checking: str
    not_yet: str
    interrupted: str
    ended_with: str
    preparing: str
    left: str
    lost: str
    finished: str
    remove: str
    removed: str
    kept: str
    nothing_there: str
    auto_passed: str
    auto_failed: str
    here: str


class Texts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All words of one language."""

    phrases: Phrases
    steps: dict[str, StepText]
    missing: dict[str, str]


def load(language: str) -> Texts:
    """The words of one of LANGUAGES."""
    text = resources.files(__package__).joinpath("text", f"{language}.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Texts)


def wanted(env: Mapping[str, str]) -> str:
    """The language of a user's environment: the first of LC_ALL, LC_MESSAGES and LANG set decides (locale(7))."""
    name = next((env[variable] for variable in ("LC_ALL", "LC_MESSAGES", "LANG") if env.get(variable)), "")
    language = name.partition("_")[0].partition(".")[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]
