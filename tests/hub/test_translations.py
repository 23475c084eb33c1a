"""The languages of the hub: which one a reader gets, and that nothing of ours is left in English.

A text of an experiment, a category or the story of a run has its Japanese, with the same places to fill in, the same
code and the same names; and a text that nothing shows any more goes.
"""

import ast
import html
import re
import string
from collections import Counter
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import jinja2
import pytest
from jinja2.ext import extract_from_ast
from rich.cells import cell_len

import litmus
from litmus.api import yaml_text
from litmus.cli import app, hub
from litmus.experiments import catalogue
from litmus.experiments.declaration import USED_BY_EVERY_RUN, Experiment
from litmus.experiments.pod_delete import PodDelete
from litmus.hub import categories, story, translations

NEGOTIATED = {
    # Accept-Language, ?lang=, cookie -> language
    ("", "", ""): "en",
    ("ja", "", ""): "ja",
    ("ja-JP,ja;q=0.9,en-US;q=0.8,en;q=0.7", "", ""): "ja",
    ("en-US,en;q=0.9,ja;q=0.8", "", ""): "en",
    ("de-DE,de;q=0.9,en;q=0.2,ja;q=0.3", "", ""): "ja",
    ("de", "", ""): "en",
    ("*", "", ""): "en",
    ("de, *;q=0.1", "", ""): "en",
    ("en;q=0, *", "", ""): "ja",
    ("en;q=0", "", ""): "en",  # a page in English is better than none
    ("ja;q=0, *;q=0.5", "", ""): "en",
    ("ja;q=0, en;q=0", "", ""): "en",
    ("en;q=0.5, ja;q=0.5", "", ""): "en",
    ("ja;q=0.5, en;q=0.5", "", ""): "ja",
    ("JA ; Q=0.9 , EN;q=0.1", "", ""): "ja",
    ("ja-JP;q=0, ja;q=0.4, en;q=0.3", "", ""): "ja",
    ("ja;q=2, en;q=0.1", "", ""): "en",
    ("ja;q=x, en;q=0.1", "", ""): "en",
    ("ja;q=nan, en;q=0.1", "", ""): "en",
    ("ja;q=\u0660, en;q=0.1", "", ""): "en",  # a digit, but not of ASCII
    (";;,=,q=1,,", "", ""): "en",
    ("jam, en-GB;q=0.1", "", ""): "en",
    ("en", "ja", ""): "ja",
    ("en", "ja-JP", "en"): "ja",
    ("ja", "en", "ja"): "en",
    ("en", "", "ja"): "ja",
    ("ja", "xx", ""): "ja",
    ("ja", "xx", "../en"): "ja",
}


@pytest.mark.parametrize(("asked", "language"), NEGOTIATED.items())
def test_a_reader_gets_the_language_asked_for_then_the_remembered_one_then_the_best_accepted(
    asked: tuple[str, str, str], language: str
):
    assert translations.negotiate(*asked) == language


def test_a_text_has_its_japanese_and_an_unknown_one_stays_english():
    assert translations.translate("ja", "Pod delete") == "Podの削除"
    assert translations.translate("en", "Pod delete") == "Pod delete"
    assert translations.translate("ja", "A fault of somebody else.") == "A fault of somebody else."
    assert translations.translate("fr", "Pod delete") == "Pod delete"


OURS = [experiment for experiment in catalogue.everything() if type(experiment).__module__.startswith("litmus.")]
# What is the same in every language: units, and the names of products and programs.
KEPT = frozenset({"%", "GiB", "MiB", "ms", "bit/s", "Cassandra", "CoreDNS", "Kafka", "OpenEBS"})
PROPER = frozenset({"Chaos Toolkit", "Google Cloud", "Kubernetes", "tc-netem(8)"})
FILES = translations.files("ja")
JAPANESE = re.compile(r"[\u3001\u3002\u3041-\u30ff\u4e00-\u9fff]")
ROOT = Path(litmus.__file__).parent

# A word of our glossary is spelt in one way (the head of story.yaml); these are the others.
_REFUSED_SPELLINGS = {
    "クラスター": "クラスタ",
    "ポッド": "Pod",
    "ネームスペース": "名前空間",
    "インターフェイス": "インターフェース",
    "ユーザ(?!ー)": "ユーザー",
    "コントローラ(?!ー)": "コントローラー",
    "オペレータ(?!ー)": "オペレーター",
    "メモリー": "メモリ",
    "チューナブル|パラメーター": "設定項目",
    "コントロールグループ": "cgroup",
    "フォルダ": "ディレクトリ",
    "サーバ(?!ー)": "サーバー",
}


def of_a_declaration(experiment: Experiment) -> Iterator[str]:
    """Every text of an experiment that a page shows."""
    yield from (experiment.title, experiment.help, experiment.hits, experiment.proof, experiment.undo)
    yield experiment.sandbox
    yield from (rule.reason for rule in (*experiment.permissions, *experiment.all_uses, *USED_BY_EVERY_RUN))
    for tunable in experiment.all_tunables():
        yield from (tunable.help, tunable.allowed, tunable.unit)
    yield from experiment.links


def of_the_categories() -> Iterator[str]:
    for category in categories.KNOWN.values():
        yield from (category.title, category.help, *(name for name, _ in category.links))


def told(experiment: Experiment) -> set[str]:
    """What is asked for in a language when an experiment is shown."""
    asked: set[str] = set()

    def say(english: str) -> str:
        asked.add(english)
        return english

    story.facts(experiment, say=say)
    story.steps(experiment, say=say)
    list(hub.lines(experiment, width=80, say=say))
    for tunable in experiment.all_tunables():
        story.unit(tunable, say=say)
    return asked | set(story.PRIVILEGES.values())


def keywords() -> set[str]:
    return {word for shown in (*OURS, *categories.KNOWN.values()) for word in shown.keywords}


@cache
def shown() -> set[str]:
    """Everything that a page shows of our experiments and categories."""
    texts = {text for experiment in OURS for text in (*of_a_declaration(experiment), *told(experiment))}
    return {text for text in (*texts, *of_the_categories()) if text}


@cache
def written() -> tuple[set[str], str]:
    """The texts of our code, and its templates and scripts as they are."""
    constants = {
        node.value
        for file in (
            *ROOT.glob("hub/**/*.py"),
            *ROOT.glob("experiments/**/*.py"),
            *ROOT.glob("api/**/*.py"),
            *ROOT.glob("cli/**/*.py"),
        )
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    pages = [file for file in ROOT.glob("hub/site/**/*") if file.suffix in (".html", ".jinja", ".js", ".svg")]
    return constants, html.unescape(" ".join(" ".join(file.read_text(encoding="utf-8").split()) for file in pages))


def spoken_by_templates() -> set[str]:
    """What the templates ask for in the reader's language."""
    environment = jinja2.Environment()
    trees = (environment.parse(file.read_text(encoding="utf-8")) for file in ROOT.glob("hub/site/templates/*.html"))
    found = (texts for tree in trees for _, _, texts in extract_from_ast(tree, ("_", "say", "count")))
    return {text for texts in found for text in (texts if isinstance(texts, tuple) else (texts,)) if text}


def spoken_by_code() -> set[str]:
    """What the code asks for in so many words: ``say("…")``."""
    calls = (
        node
        for file in (*ROOT.glob("hub/**/*.py"), *ROOT.glob("cli/hub*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    )
    said = (call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) == "say")
    words = (word for call in said for word in call.args if isinstance(word, ast.Constant))
    return {word.value for word in words if isinstance(word.value, str)}


def places(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def code(text: str) -> list[str]:
    return sorted(re.findall(r"`[^`]*`", text))


def names(text: str) -> set[str]:
    """What has to be written in Japanese to the letter: variables, fields, resources, addresses, numbers."""
    pattern = r"[A-Z][A-Z0-9]*_[A-Z0-9_]+|\b[A-Za-z]+[a-z][A-Z][A-Za-z]+?(?=s?\b)|\w+://[\w/.]+|\d+"
    return set(re.findall(pattern, text, re.ASCII))


def test_every_text_of_an_experiment_and_of_a_category_has_its_japanese():
    assert sorted(text for text in shown() - KEPT - PROPER if text not in translations.catalogue("ja")) == []


def test_every_text_of_a_page_has_its_japanese():
    missing = spoken_by_templates() | spoken_by_code()
    assert sorted(missing - KEPT - PROPER - set(translations.catalogue("ja"))) == []


@pytest.mark.parametrize("file", FILES)
def test_no_text_is_left_over_that_nothing_shows(file: str):
    used = shown() | keywords()
    constants, pages = written()
    assert [english for english in FILES[file] if english not in used | constants and english not in pages] == []


@pytest.mark.parametrize("file", FILES)
def test_a_file_has_no_text_twice_and_nothing_but_texts(file: str):
    text = (ROOT / "hub/texts/ja" / file).read_text(encoding="utf-8")
    [document] = yaml_text.documents(text)
    assert all(isinstance(word, str) and word == word.strip() and word for entry in document.items() for word in entry)


def test_no_two_files_have_the_same_text():
    counted = Counter(english for texts in FILES.values() for english in texts)
    assert [english for english, number in counted.items() if number > 1] == []


@pytest.mark.parametrize("file", FILES)
def test_what_is_filled_in_and_what_is_code_is_the_same_in_both_languages(file: str):
    for english, text in FILES[file].items():
        assert places(text) == places(english)
        assert code(text) == code(english)
        assert names(english) - names(text) == set(), text


@pytest.mark.parametrize("file", FILES)
def test_nothing_is_left_in_english_by_accident(file: str):
    for english, text in FILES[file].items():
        prose = re.sub(r"`[^`]*`|\{\w*\}", "", text)
        assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", prose), text
        if text == english or not JAPANESE.search(prose):
            assert not re.search(r"[a-z]{3,} [a-z]{2,}", prose), text


@pytest.mark.parametrize("file", FILES)
def test_japanese_is_set_as_in_the_rest_of_our_texts(file: str):
    for english, text in FILES[file].items():
        for pattern, instead in _REFUSED_SPELLINGS.items():
            assert not re.search(pattern, text), f"{text}: {instead}"
        prose = re.sub("\uff08例.*\uff09", "", text)  # words as one would type them, with a blank between them
        assert not re.search(rf"{JAPANESE.pattern} | {JAPANESE.pattern}", prose), f"a blank beside Japanese: {text}"
        assert not re.search(r"[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]", text), f"wide letters: {text}"
        if english.endswith(".") and "。" in text:
            assert text.endswith("。"), f"a sentence ends with its mark: {text}"


def test_a_help_is_polite_and_ends_as_a_sentence():
    told = {t.help for e in OURS for t in e.all_tunables()} | {e.help for e in OURS}
    told |= {text for e in OURS for text in (e.proof, e.undo, e.sandbox) if text}
    for english in told:
        for sentence in translations.translate("ja", english).split("。")[:-1]:
            assert re.search(r"(ます|です|ません)$", sentence), sentence


def test_a_fact_in_japanese_has_no_english_around_it():
    say = partial(translations.translate, "ja")
    experiment = catalogue.find("node-cpu-hog")
    facts = story.facts(experiment, say=say)
    assert facts["対象"] == "ノードと、その上で動くすべてのもの"
    assert facts["サンドボックス"] == (
        "実行できず、Errorになります。サンドボックスのノードは、どれも同じ1台のマシンです。"
    )
    assert facts["ヘルパーPod"] == "対象のノード上でhostPID, SYS_PTRACE, SYS_ADMINを必要とします。"  # noqa: RUF001


@pytest.mark.parametrize("experiment", OURS, ids=lambda experiment: experiment.name)
def test_the_command_line_shows_an_experiment_in_japanese_within_the_width_of_a_terminal(experiment: Experiment):
    say = partial(translations.translate, "ja")
    lines = list(hub.lines(experiment, width=80, say=say))
    assert max(cell_len(line) for line in lines) <= 82  # a closing mark stays with its word
    assert "".join(say(experiment.proof).split()) in "".join("".join(lines).split())


def test_a_list_in_japanese_keeps_its_columns(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "list", "--lang", "ja", "--category", "generic"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len({len(line) - len(line.split(maxsplit=1)[1]) for line in lines}) == 1


def test_a_search_finds_japanese_words_and_english_ones(capsys: pytest.CaptureFixture[str]):
    for words in ("ネットワーク 遅延", "network latency"):
        assert app.main(["hub", "list", "--lang", "ja", "--search", words]) == 0
        assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["pod-network-latency"]


def test_the_command_line_takes_the_language_asked_for_and_else_that_of_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    english, japanese = catalogue.find("pod-delete").help, translations.translate("ja", PodDelete.help)
    for environment, options, wanted in (
        ({"LANG": "ja_JP.UTF-8"}, [], japanese),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, [], english),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "ja_JP.UTF-8"}, [], japanese),
        ({"LANG": "ja_JP.UTF-8"}, ["--lang", "en"], english),
        ({"LANG": "C"}, ["--lang", "ja"], japanese),
    ):
        for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.delenv(variable, raising=False)
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        assert app.main(["hub", "show", "pod-delete", *options]) == 0
        assert f"pod-delete: {wanted}\n" in capsys.readouterr().out
