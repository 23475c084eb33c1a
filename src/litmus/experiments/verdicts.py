"""Why a run ends before Pass. The codes are those of the reference, section 5.4.

RunEnded
├── CheckFailed   the application did not hold: verdict Fail
└── CannotRun     we could not do what was asked: verdict Error

An abort is no error of its own: it cancels the run, whose verdict is then Stopped.
"""

from litmus import api
from litmus.kube import errors, results

from . import tunables

TARGET_SELECTION = "TARGET_SELECTION_ERROR"
STATUS_CHECKS = "STATUS_CHECKS_ERROR"
INJECT = "CHAOS_INJECT_ERROR"
HELPER = "HELPER_ERROR"
TUNABLE = "TUNABLE_ERROR"
PERMISSION = "PERMISSION_ERROR"
API = "KUBERNETES_API_ERROR"
TIMEOUT = "TIMEOUT"
GENERIC = "GENERIC_ERROR"
ABORTED = "EXPERIMENT_ABORTED"


class RunEnded(Exception):
    verdict: api.Verdict = "Error"

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


class CheckFailed(RunEnded):
    verdict = "Fail"


class CannotRun(RunEnded):
    def __init__(self, sentence: str, *, code: str = GENERIC) -> None:
        super().__init__(sentence, code=code)


def of_error(error: Exception, *, during: str) -> results.Verdict:
    """The verdict for whatever ended a run. Only a failed check is a Fail; what we don't understand is an Error."""
    match error:
        case RunEnded():
            return results.Verdict(verdict=error.verdict, fail_step=str(error), code=error.code)
        case tunables.TunableError():
            return results.Verdict(verdict="Error", fail_step=str(error), code=TUNABLE)
        case errors.Forbidden():
            code, remedy = PERMISSION, "; grant it to the service account of the engine"
        case errors.TimedOut():
            code, remedy = TIMEOUT, ""
        case errors.KubeError():
            code, remedy = API, ""
        case _:
            code, remedy = GENERIC, "; this is a defect of litmus, please report it with the log of the experiment pod"
    return results.Verdict(
        verdict="Error", fail_step=f"{during}: {str(error) or type(error).__name__}{remedy}", code=code
    )
