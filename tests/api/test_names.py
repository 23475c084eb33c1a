"""Names that users and other tools see are a contract."""

import re

import pytest

from litmus.api import names


def test_a_runner_pod_and_a_result_are_named_after_their_engine():
    assert names.runner("nginx-chaos") == "nginx-chaos-runner"
    assert names.result("nginx-chaos", "pod-delete") == "nginx-chaos-pod-delete"
    assert names.result("nginx-chaos", "pod-delete", "blue") == "nginx-chaos-pod-delete-blue"


def test_a_job_has_six_random_characters_that_kubernetes_accepts():
    made = {names.job("pod-delete") for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"pod-delete-[a-z0-9]{6}", name) for name in made)


@pytest.mark.parametrize("length", [1, 6, 12])
def test_a_random_suffix_is_as_long_as_asked(length):
    assert re.fullmatch(rf"[a-z0-9]{{{length}}}", names.random_suffix(length))


def test_the_words_of_the_field_are_spelt_as_in_the_field():
    assert names.CHAOS_ANNOTATION == "litmuschaos.io/chaos"
    assert names.ENGINE_FINALIZER == "chaosengine.litmuschaos.io/finalizer"
    assert names.CHAOS_UID == "chaosUID"
    assert names.OPERATOR_NAME == "chaos-operator-ce"
    assert names.OPERATOR_NAMESPACE == "litmus"
