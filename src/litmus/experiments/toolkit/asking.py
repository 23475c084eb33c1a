"""What the two experiments of the Chaos Toolkit share: their tunables, the file, its environment, its report."""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

import httpx2

from litmus import api

from .. import tunables, verdicts
from ..context import Context
from ..tunables import Range, Tunable, Values
from . import files, journal, process

log = logging.getLogger(__name__)

PAUSE = Tunable(
    name="TOTAL_CHAOS_DURATION",
    default="20",
    unit="s",
    read=tunables.whole_seconds(1),
    help="Time between the deletion and the second look at the hypothesis, in files of ours.",
)
NAMESPACE = Tunable(
    name="NAME_SPACE", default="", read=str, help="Namespace of the targets; empty means that of the application."
)
LABEL = Tunable(
    name="LABEL_NAME",
    default="",
    read=str,
    help="Label of the targets, key=value, or the value of the label app; empty means that of the application.",
)
ENDPOINT = Tunable(
    name="APP_ENDPOINT",
    default="",
    read=str,
    help="Where the application answers with 200: a URL, or a host of which https://HOST/health/full is asked.",
)
PERCENTAGE = Tunable(
    name="PERCENTAGE",
    default="50",
    unit="%",
    read=tunables.percent,
    help="Share of the targets that a file for percentages hits, rounded down, at least one.",
)
CONFIG_MAP = Tunable(
    name="CONFIGMAP",
    default="",
    read=str,
    help="ConfigMap with an experiment of your own, of which FILE names the key; needs the right to get configmaps.",
)
TIMEOUT = Tunable(
    name="TOOLKIT_TIMEOUT",
    default="600",
    unit="s",
    read=tunables.whole_seconds(1),
    help="How long the Chaos Toolkit may take, after which it is ended and the run is an Error.",
)
REPORT = Tunable(
    name="REPORT", default="true", read=tunables.boolean, allowed="true, false", help="Write the journal into the log."
)
REPORT_ENDPOINT = Tunable(
    name="REPORT_ENDPOINT", default="none", read=str, help="URL that the journal is posted to as JSON; none is none."
)

# In the order of the original's chart, with its values.
SHARED = (
    NAMESPACE.listed(),
    LABEL.listed(),
    ENDPOINT.listed(),
    PERCENTAGE.listed("50"),
    REPORT.listed("true"),
    REPORT_ENDPOINT.listed("none"),
    tunables.ignored("TEST_NAMESPACE", default="default"),
    PAUSE,
    CONFIG_MAP,
    TIMEOUT,
    tunables.RAMP,
)


def file(default: str, family: str) -> Tunable:
    """FILE of one experiment."""
    return Tunable(
        name="FILE",
        default=default,
        read=str,
        allowed=", ".join(files.ours(family)),
        help="Experiment of the Chaos Toolkit: one of ours, the path of a file in the pod, or a key of CONFIGMAP.",
    )


def selector(values: Values) -> str:
    """LABEL_NAME as a label selector; '' if it is not set."""
    name: str = values[LABEL]
    return name if not name or re.search(r"[=!, ]", name) else f"app={name}"


def share(values: Values, hits: files.Hits) -> Range:
    """How many a file hits, as a percentage; 0 is one."""
    shares: dict[files.Hits, Range] = {
        "one": Range(0, 0),
        "percentage": values[PERCENTAGE],
        "all": Range(100, 100),
        "unknown": Range(100, 100),
    }
    return shares[hits]


def environment(values: Values, *, namespace: str, label_selector: str, **more: str) -> dict[str, str]:
    """What an experiment finds in its environment: the tunables of the original, and what we know beside them."""
    endpoint: str = values[ENDPOINT]
    return {
        "NAME_SPACE": namespace,
        "LABEL_NAME": values[LABEL],
        "LABEL_SELECTOR": label_selector,
        "APP_ENDPOINT": endpoint,
        "ENDPOINT_URL": endpoint if "://" in endpoint or not endpoint else f"https://{endpoint}/health/full",
        "PERCENTAGE": f"{values[PERCENTAGE].high:g}",
        "PAUSE": str(values[PAUSE]),
        **more,
    }


def refuse_unset(document: Mapping[str, Any], env: Mapping[str, str]) -> None:
    """Raises CannotRun when a file reads one of our variables and it is empty."""
    shown = {"ENDPOINT_URL": "APP_ENDPOINT", "LABEL_SELECTOR": "LABEL_NAME"}
    for variable in files.variables(document):
        if env.get(variable, "set") == "":
            name = shown.get(variable, variable)
            raise verdicts.CannotRun(f"{name}='': the experiment file asks for it; set it", code=verdicts.TUNABLE)


async def run(context: Context, document: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """The journal of a run of the toolkit, told in events, in the log, and to REPORT_ENDPOINT."""
    told = await process.run(
        document, env=env, kubeconfig=context.cluster.kubeconfig(), deadline_s=float(context.values[TIMEOUT])
    )
    for line in journal.activities(told):
        await context.events.post(context.engine, "ChaosToolkit", line)
    if context.values[REPORT]:
        log.info("journal of the Chaos Toolkit", extra={"journal": told})
    if context.values[REPORT_ENDPOINT].lower() != "none":
        await _report(context, told)
    return told


async def _report(context: Context, told: Mapping[str, Any]) -> None:
    """A report that does not arrive is a warning and changes no verdict."""
    url: str = context.values[REPORT_ENDPOINT]
    try:
        async with httpx2.AsyncClient(timeout=10) as client:
            headers = {"Content-Type": "application/json"}
            (await client.post(url, content=json.dumps(told), headers=headers)).raise_for_status()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        about = f"REPORT_ENDPOINT={url!r}: the journal could not be posted: {error}"
        await context.events.post(context.engine, "ChaosToolkit", about, warning=True)


def account(*, name: str, namespace: str, kind: str, uid: str, node: str = "") -> api.Target:
    """A target of the toolkit, for the result."""
    return api.Target(name=name, namespace=namespace, kind=kind, uid=uid, node=node, asked="deleted by the toolkit")
