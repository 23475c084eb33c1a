"""No sentence of a page is without its Japanese, be it in a template or said by our code."""

import ast
import inspect
from importlib import resources

import jinja2
from jinja2 import nodes

from litmus.hub import translations
from litmus.hub.site import commands, handlers, views

TEMPLATES = resources.files("litmus.hub.site").joinpath("templates")


def of_templates() -> set[str]:
    """Every constant that a template puts through the catalogue."""
    environment = jinja2.Environment(autoescape=True)
    found: set[str] = set()
    for file in TEMPLATES.iterdir():
        tree = environment.parse(file.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            name = call.node.name if isinstance(call.node, nodes.Name) else ""
            texts = {"_": call.args, "say": call.args, "count": call.args[1:]}.get(name, [])
            found |= {text.value for text in texts if isinstance(text, nodes.Const)}
    return found


def test_every_sentence_of_a_template_has_its_japanese():
    assert len(of_templates()) > 80
    assert sorted(of_templates() - translations.catalogue("ja").keys()) == []


def test_every_sentence_of_an_error_has_its_japanese():
    assert sorted(set(handlers._SENTENCES.values()) - translations.catalogue("ja").keys()) == []


def of_code() -> set[str]:
    """Every constant with which our modules ask for a sentence, or which they hand to a template for it."""
    found: set[str] = set()
    for module in (commands, handlers, views):
        for call in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(call, ast.Call):
                name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                texts = {"say": call.args[:1], "Command": call.args[:1], "_missing": call.args[1:2]}.get(name, [])
                found |= {text.value for text in texts if isinstance(text, ast.Constant)}
    return found


def test_every_sentence_of_our_code_has_its_japanese():
    assert len(of_code()) >= 5
    assert sorted(of_code() - translations.catalogue("ja").keys()) == []
