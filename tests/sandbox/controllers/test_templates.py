import re

from litmus.sandbox.controllers import templates
from litmus.sandbox.machinery import objects
from tests.sandbox.controllers import stage


def test_a_hash_is_stable_short_and_of_the_safe_alphabet() -> None:
    found = templates.digest(stage.template("web"))
    assert found == templates.digest(objects.copy(stage.template("web")))
    assert re.fullmatch(r"[456789bcdf]{1,10}", found)


def test_another_image_makes_another_hash() -> None:
    assert templates.digest(stage.template("web")) != templates.digest(stage.template("web", image="nginx:2"))


def test_a_collision_makes_another_hash() -> None:
    found = {templates.digest(stage.template("web"), collisions) for collisions in range(20)}
    assert len(found) == 20


def test_a_template_is_the_same_with_a_hash_and_with_empty_fields() -> None:
    template = stage.template("web")
    other = templates.labelled(template, pod_template_hash="abc")
    other["metadata"]["creationTimestamp"] = None
    other["spec"]["securityContext"] = {}
    assert templates.same(template, other)
    assert other["metadata"]["labels"]["pod-template-hash"] == "abc"
    assert "pod-template-hash" not in template["metadata"]["labels"]


def test_a_false_or_a_zero_is_not_nothing() -> None:
    template = stage.template("web")
    other = stage.template("web", terminationGracePeriodSeconds=0)
    assert not templates.same(template, other)
