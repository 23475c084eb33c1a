"""Why a run ends before Pass: only a failed check is a Fail, and an Error is never a Pass or a Fail."""

import pytest

from litmus.experiments import tunables, verdicts
from litmus.kube import errors, results

SENTENCE = "what happened"


@pytest.mark.parametrize(
    ("error", "verdict", "code", "words"),
    [
        (verdicts.CheckFailed(SENTENCE, code=verdicts.STATUS_CHECKS), "Fail", "STATUS_CHECKS_ERROR", SENTENCE),
        (verdicts.CannotRun(SENTENCE), "Error", "GENERIC_ERROR", SENTENCE),
        (verdicts.CannotRun(SENTENCE, code=verdicts.INJECT), "Error", "CHAOS_INJECT_ERROR", SENTENCE),
        (tunables.TunableError(SENTENCE), "Error", "TUNABLE_ERROR", SENTENCE),
        (
            errors.Forbidden(SENTENCE),
            "Error",
            "PERMISSION_ERROR",
            f"chaos: {SENTENCE}; grant it to the service account of the engine",
        ),
        (errors.TimedOut(SENTENCE), "Error", "TIMEOUT", f"chaos: {SENTENCE}"),
        (errors.Unreachable(SENTENCE), "Error", "KUBERNETES_API_ERROR", f"chaos: {SENTENCE}"),
        (errors.NotFound(SENTENCE), "Error", "KUBERNETES_API_ERROR", f"chaos: {SENTENCE}"),
        (errors.Invalid(SENTENCE), "Error", "KUBERNETES_API_ERROR", f"chaos: {SENTENCE}"),
        (
            ZeroDivisionError(SENTENCE),
            "Error",
            "GENERIC_ERROR",
            f"chaos: {SENTENCE}; this is a defect of litmus, please report it with the log of the experiment pod",
        ),
        (
            AssertionError(),
            "Error",
            "GENERIC_ERROR",
            "chaos: AssertionError; this is a defect of litmus, please report it with the log of the experiment pod",
        ),
    ],
)
def test_whatever_ends_a_run_has_a_verdict_a_code_and_a_sentence(error, verdict, code, words):
    assert verdicts.of_error(error, during="chaos") == results.Verdict(verdict=verdict, fail_step=words, code=code)


def test_nothing_that_goes_wrong_is_a_pass():
    for kind in (*errors.KubeError.__subclasses__(), *verdicts.RunEnded.__subclasses__(), Exception):
        assert verdicts.of_error(kind("x"), during="chaos").verdict != "Pass"
