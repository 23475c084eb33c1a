"""The commands that a page offers for copying. Pure.

Each names the address by which the page was asked, so that it works where it was read. Names may come from hubs of
strangers: what is copied into a shell is quoted for it.
"""

import shlex
from dataclasses import dataclass
from urllib.parse import quote

from litmus.hub import model

# Put where the namespace goes; no name and no address has such a character.
NAMESPACE = "\N{OBJECT REPLACEMENT CHARACTER}"
DEFAULT_NAMESPACE = "default"
VERSION = "1.10.0"  # of the addresses in the field's documentation; every version of ours serves the same


@dataclass(frozen=True, slots=True)
class Command:
    """A command for a shell, with NAMESPACE in it; ``purpose`` is a sentence to be translated."""

    purpose: str
    text: str


def of_chart(chart: model.Chart, *, hub: str, origin: str) -> list[Command]:
    """kubectl for the files that the chart has, in the order in which they are applied."""
    wanted = (
        ("The experiment", chart.experiment_file),
        ("Its service account and role", chart.rbac_file),
        ("A ChaosEngine to start from", chart.engine_file),
    )
    # A ClusterRoleBinding has to name a namespace, so the server writes it into the file.
    named = chart.rbac_file if chart.scope == "Cluster" and hub == model.OURS else ""
    return [
        Command(purpose, _apply(path, hub=hub, origin=origin, named=path == named)) for purpose, path in wanted if path
    ]


def of_group(group: model.Group, *, hub: str, origin: str) -> list[Command]:
    """kubectl for the bundle."""
    if not group.bundle_file:
        return []
    return [Command("All experiments of the category", _apply(group.bundle_file, hub=hub, origin=origin, named=False))]


def by_litmus(charts: list[model.Chart], *, hub: str) -> Command:
    """The same with our own command: experiments, service accounts and roles."""
    names = " ".join(shlex.quote(chart.name) for chart in charts)
    of = "" if hub == model.OURS else f" --hub {shlex.quote(hub)}"
    return Command("Experiment, service account and role at once", f"litmus hub install {names}{of} -n {NAMESPACE}")


def file_address(path: str, *, hub: str, origin: str) -> str:
    """Where a file of a hub is served."""
    of = "" if hub == model.OURS else f"&hub={quote(hub, safe='')}"
    return f"{origin}/api/chaos/{VERSION}?file={quote(path)}{of}"


def _apply(path: str, *, hub: str, origin: str, named: bool) -> str:
    namespace = f"&namespace={NAMESPACE}" if named else ""
    return f'kubectl apply -n {NAMESPACE} -f "{file_address(path, hub=hub, origin=origin)}{namespace}"'
