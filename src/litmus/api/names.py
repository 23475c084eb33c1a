"""Names, labels and reasons that users and other tools see. They are a contract (design.md, section 2)."""

import secrets
import string

CHAOS_ANNOTATION = "litmuschaos.io/chaos"
ENGINE_FINALIZER = "chaosengine.litmuschaos.io/finalizer"
RESULT_FINALIZER = "litmuschaos.io/open-faults"

CHAOS_UID = "chaosUID"
APP = "app"
COMPONENT = "app.kubernetes.io/component"
PART_OF = "app.kubernetes.io/part-of"
EXPERIMENT_LABEL = "litmuschaos.io/experiment"
ENGINE_LABEL = "litmuschaos.io/engine"
# On a ChaosResult: its ledger has open records. A label, so that the reaper can select instead of reading them all.
OPEN_FAULTS_LABEL = "litmuschaos.io/open-faults"

RUNNER_COMPONENT = "chaos-runner"
EXPERIMENT_COMPONENT = "experiment-job"
HELPER_COMPONENT = "experiment-helper"
PROBE_COMPONENT = "experiment-probe"
REVERT_COMPONENT = "fault-revert"

OPERATOR_NAMESPACE = "litmus"
OPERATOR_NAME = "chaos-operator-ce"
OPERATOR_LEASE = "chaos-operator.lock"


def runner(engine: str) -> str:
    """Name of an engine's runner pod."""
    return f"{engine}-runner"


def result(engine: str, experiment: str, instance: str = "") -> str:
    """Name of a ChaosResult."""
    return "-".join(part for part in (engine, experiment, instance) if part)


def job(experiment: str) -> str:
    """A new name for the Job of an experiment: ``<experiment>-<6 of a-z0-9>``."""
    return f"{experiment}-{random_suffix()}"


def random_suffix(length: int = 6) -> str:
    """Letters and digits that may end the name of an object."""
    alphabet = string.ascii_lowercase + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(length))
