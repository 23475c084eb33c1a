"""The drawings of what breaks where: one for every experiment, in two languages, and the right thing is red."""

from typing import get_args
from xml.etree import ElementTree

import pytest

from litmus.experiments import catalogue, node_fault, tunables
from litmus.experiments.declaration import Blow, Experiment, Part
from litmus.hub import diagram_words, diagrams

EXPERIMENTS = catalogue.everything()
ALL = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
SVG = "{http://www.w3.org/2000/svg}"


class Fault(Experiment):
    """Of another package, with nothing said."""

    name = "fault"
    title = "Fault"
    help = "Breaks."
    tunables = (tunables.DURATION,)

    async def inject(self, context) -> None: ...


def texts(drawn: str, *, red: bool) -> list[str]:
    """What is written in the drawing, in red or not."""
    found = ElementTree.fromstring(drawn).iter(f"{SVG}text")
    return [text.text or "" for text in found if (text.get("fill") == diagrams.HIT) == red]


def strokes(drawn: str, *, dashed: bool) -> int:
    """How many shapes are red: solid for what is hit, dashed for what feels it."""
    found = ElementTree.fromstring(drawn).iter(f"{SVG}g")
    return sum(g.get("stroke") == diagrams.HIT and ("stroke-dasharray" in g.attrib) == dashed for g in found)


def broken(part: Part | None, blow: Blow | None = None) -> Experiment:
    made = Fault()
    made.breaks, made.blow = part, blow  # type: ignore[misc]  # of this one only
    return made


@ALL
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_drawing_has_a_name_and_a_description_for_who_can_not_see_it(experiment: Experiment, lang: str):
    root = ElementTree.fromstring(diagrams.diagram(experiment, lang))
    told = {found.get("id"): found.text for found in root if found.tag in (f"{SVG}title", f"{SVG}desc")}

    assert root.get("role") == "img"
    assert root.get("aria-labelledby", "").split() == list(told)
    assert all(told.values())
    assert experiment.name in str(told[f"diagram-{experiment.name}-title"])


@ALL
def test_a_drawing_says_in_red_what_is_hit_and_how(experiment: Experiment):
    assert experiment.breaks
    assert experiment.blow
    said = diagram_words.LANGUAGES["en"]

    drawn = diagrams.diagram(experiment)

    assert f"Hit: {said.struck[experiment.breaks]}{said.blows[experiment.blow]}" in texts(drawn, red=True)
    assert strokes(drawn, dashed=False) + strokes(drawn, dashed=True) > 0


@ALL
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_drawing_takes_its_ink_from_the_page_and_nothing_from_elsewhere(experiment: Experiment, lang: str):
    colours = {"none", "currentColor", "#fff", diagrams.HIT}
    for found in ElementTree.fromstring(diagrams.diagram(experiment, lang)).iter():
        assert found.tag.removeprefix(SVG) not in ("script", "style", "image", "a", "use", "foreignObject")
        assert {found.get("fill", "none"), found.get("stroke", "none")} <= colours
        assert not any(name.startswith("on") or name == "style" or name.endswith("href") for name in found.attrib)


@pytest.mark.parametrize("part", get_args(Part))
def test_something_is_red_for_every_part_and_nothing_for_the_other_node(part: Part):
    drawn = diagrams.diagram(broken(part, "kill"))

    assert strokes(drawn, dashed=False) or strokes(drawn, dashed=True)
    assert "Node 2" in texts(drawn, red=False)


@pytest.mark.parametrize(
    ("part", "label"),
    [("node", "Node 1"), ("kubelet", "kubelet"), ("node-memory", "memory"), ("service", "Service"), ("pod", "Pod")],
)
def test_the_label_of_what_is_hit_is_red_once(part: Part, label: str):
    assert texts(diagrams.diagram(broken(part, "stop")), red=True).count(label) == 1


def test_a_node_that_is_hit_is_felt_by_every_pod_on_it_and_by_no_other():
    node = diagrams.diagram(broken("node", "restart"))
    pod = diagrams.diagram(broken("pod", "delete"))

    assert strokes(node, dashed=True) == 2
    assert strokes(pod, dashed=True) == 0


def test_the_packets_of_one_pod_are_hit_and_the_way_to_the_other_is_not():
    assert (
        strokes(diagrams.diagram(broken("pod-network", "delay")), dashed=True) == 2
    )  # the way, and the pod that feels it
    assert strokes(diagrams.diagram(broken("service", "delete")), dashed=True) == 2  # both ways


def test_an_attached_disk_is_drawn_only_where_it_is_hit():
    assert "Disk" in texts(diagrams.diagram(broken("disk", "detach")), red=True)
    assert "Disk" not in texts(diagrams.diagram(broken("pod", "delete")), red=False)


def test_who_says_nothing_is_drawn_as_hitting_a_pod_or_a_node():
    class Flood(node_fault.NodeFault):
        name = "flood"
        title = "Flood"
        help = "Floods."
        tunables = (tunables.DURATION,)

    assert "Hit: pod" in texts(diagrams.diagram(Fault()), red=True)
    assert "Hit: node" in texts(diagrams.diagram(Flood()), red=True)


def test_another_language_than_the_two_is_english():
    assert diagrams.diagram(EXPERIMENTS[0], "fr") == diagrams.diagram(EXPERIMENTS[0], "en")


def test_both_languages_have_a_word_for_everything():
    english, japanese = diagram_words.LANGUAGES["en"], diagram_words.LANGUAGES["ja"]
    for table in ("parts", "struck", "blows", "feels"):
        ours, theirs = getattr(english, table), getattr(japanese, table)
        assert ours.keys() == theirs.keys()
        assert [bool(word) for word in ours.values()] == [bool(word) for word in theirs.values()]
    assert set(english.struck) == set(english.feels) == set(get_args(Part))
    assert set(english.blows) == set(get_args(Blow))


def test_what_is_hit_and_how_are_one_phrase_in_both_languages():
    english, japanese = diagram_words.LANGUAGES["en"], diagram_words.LANGUAGES["ja"]

    assert english.what("kubelet", "stop") == "kubelet of the node, out of service"
    assert japanese.what("kubelet", "stop") == "ノードのkubeletの停止"  # noqa: RUF001 - letters, no signs
    assert japanese.what("container", None) == "コンテナ"
