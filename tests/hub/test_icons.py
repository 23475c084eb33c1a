"""The icons: small, of one family, each its own, and nothing in them that a page should not show."""

from typing import get_args
from xml.etree import ElementTree

import pytest

from litmus.experiments import catalogue, tunables
from litmus.experiments.declaration import Blow, Experiment, Part
from litmus.hub import blows, icons

EXPERIMENTS = catalogue.everything()
SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {f"{SVG}{tag}" for tag in ("svg", "g", "title", "path", "rect", "circle", "ellipse", "polygon", "text")}


class Storm(Experiment):
    """Of another package: it says nothing about what it breaks."""

    name = "redis-eviction-storm"
    title = "Redis & <its> eviction storm"
    help = "Evicts."
    tunables = (tunables.DURATION,)

    async def inject(self, context) -> None: ...


def every() -> dict[str, str]:
    return {
        **{experiment.name: icons.icon(experiment) for experiment in (*EXPERIMENTS, Storm())},
        "group generic": icons.group("generic"),
        "group kafka": icons.group("kafka"),
        "monogram": icons.monogram("日本"),
        "chick": icons.chick(),
    }


ALL = pytest.mark.parametrize("drawn", every().values(), ids=every())


@ALL
def test_an_icon_is_a_small_drawing_on_the_grid_of_the_family(drawn: str):
    root = ElementTree.fromstring(drawn)

    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox") == "0 0 64 64"
    assert root.get("role") == "img"
    assert len(drawn.encode()) < 4096


@ALL
def test_an_icon_has_shapes_only_and_asks_nobody_for_anything(drawn: str):
    """No script, style, image, link or handler, and no id: several icons may stand in one page."""
    for found in ElementTree.fromstring(drawn).iter():
        assert found.tag in SHAPES
        for name, value in found.attrib.items():
            assert name.rpartition("}")[2] not in ("href", "id", "style")
            assert not name.startswith("on")
            assert "url(" not in value
            assert "//" not in value


def test_no_two_icons_look_the_same():
    def looks(drawn: str) -> str:
        return drawn.partition("</title>")[2]

    assert len({looks(drawn) for drawn in every().values()}) == len(every())


def test_an_icon_is_called_like_its_experiment():
    for experiment in (*EXPERIMENTS, Storm()):
        assert ElementTree.fromstring(icons.icon(experiment)).findtext(f"{SVG}title") == experiment.title


def test_an_experiment_that_does_not_say_what_it_breaks_has_its_initials():
    assert ElementTree.fromstring(icons.icon(Storm())).findtext(f"{SVG}text") == "RES"


def test_two_names_with_the_same_initials_have_two_icons():
    assert icons.monogram("my-fault") != icons.monogram("mongo-failover")


@pytest.mark.parametrize("part", get_args(Part))
def test_every_part_is_drawn_in_its_own_way(part: Part):
    class Other(Storm):
        breaks = part

    class Another(Storm):
        breaks = next(other for other in get_args(Part) if other != part)

    assert "<text" not in icons.icon(Other())
    assert icons.icon(Other()) != icons.icon(Another())


def test_every_blow_has_a_sign_of_its_own():
    assert len({blows.sign(blow, colour="#fff") for blow in get_args(Blow)}) == len(get_args(Blow))


def test_a_word_that_is_no_part_and_no_blow_is_drawn_as_if_nothing_was_said():
    class Odd(Storm):
        breaks = "moon"  # type: ignore[assignment]  # another package may say anything
        blow = "eclipse"  # type: ignore[assignment]

    assert icons.icon(Odd()) == icons.icon(Storm())
