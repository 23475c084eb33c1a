"""The words of the course: the same course in every language, with nothing missing."""

import ast
import inspect
import re
import string

import msgspec
import pytest

from litmus.tutorial import checks, course, page, session, texts

LANGUAGES = pytest.mark.parametrize("language", texts.LANGUAGES)
CODE = re.compile(r"`([^`]+)`")


def every_text(words: texts.Texts) -> dict[str, str]:
    """All texts by their place."""

    def walk(value: object, path: str) -> dict[str, str]:
        if isinstance(value, str):
            return {path: value}
        assert isinstance(value, dict)
        return {where: text for key, part in value.items() for where, text in walk(part, f"{path}/{key}").items()}

    return walk(msgspec.to_builtins(words), "")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@LANGUAGES
def test_every_step_and_task_has_its_words_in_the_order_of_the_course(language: str):
    words = texts.load(language)
    shown = [(step, list(text.tasks)) for step, text in words.steps.items()]
    assert shown == [(step.id, [task.id for task in step.tasks]) for step in course.STEPS]


@LANGUAGES
def test_no_text_is_empty(language: str):
    assert [path for path, text in every_text(texts.load(language)).items() if not text.strip()] == []


def test_the_languages_have_the_same_texts_with_the_same_facts_in_them():
    english, *others = (every_text(texts.load(language)) for language in texts.LANGUAGES)
    for other in others:
        assert {path: placeholders(text) for path, text in other.items()} == {
            path: placeholders(text) for path, text in english.items()
        }


def test_the_languages_name_the_same_commands():
    def commands(text: str) -> list[str]:
        spans = [" ".join(span.split()) for span in CODE.findall(text)]
        return sorted({span for span in spans if span.startswith(("kubectl ", "litmus ", "python3 ", "cat "))})

    english, *others = (every_text(texts.load(language)) for language in texts.LANGUAGES)
    for other in others:
        assert {path: commands(text) for path, text in other.items()} == {
            path: commands(text) for path, text in english.items()
        }


@LANGUAGES
def test_everything_that_can_be_missing_has_a_sentence_and_no_other(language: str):
    said = set()
    for module in (checks, session):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Seen" and node.args:
                said |= {leaf.value for leaf in ast.walk(node.args[0]) if isinstance(leaf, ast.Constant)}
    assert set(texts.load(language).missing) == said


@LANGUAGES
def test_a_text_fits_the_screen(language: str):
    """At most twelve lines before the learner does something."""
    for step, text in texts.load(language).steps.items():
        first = text.tasks[course.STEPS[course.find(step) or 0].tasks[0].id]
        parts = [text.why, first.next], *([task.done] for task in text.tasks.values())
        for paragraphs in parts:
            shown = [line for part in paragraphs for line in page.lines(part, width=page.WIDTH - 2)]
            assert len([line for line in shown if line]) <= 12, (step, shown)


@pytest.mark.parametrize(
    ("env", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "", "LC_MESSAGES": "ja_JP"}, "ja"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_is_that_of_the_environment(env: dict[str, str], language: str):
    assert texts.wanted(env) == language
