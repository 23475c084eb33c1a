"""The rows that a real server (1.20) printed for some hundred objects, cell by cell.

``kit.json`` holds the objects and the tables of the kit's cluster. Newer servers have more columns and say the number
of restarts as text.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from litmus.sandbox.machinery import objects, resources, tables
from litmus.sandbox.machinery.objects import Obj

KIT: dict[str, Obj] = json.loads((Path(__file__).parent / "kit.json").read_text())
CATALOGUE = resources.built_in()
NEWER = {
    "jobs.batch": {"Status"},
    "cronjobs.batch": {"Timezone"},
    "persistentvolumes": {"VolumeAttributesClass"},
    "persistentvolumeclaims": {"VolumeAttributesClass"},
    "priorityclasses.scheduling.k8s.io": {"PreemptionPolicy"},
    "csidrivers.storage.k8s.io": {"StorageCapacity", "TokenRequests", "RequiresRepublish"},
}
# Since 1.20 the age of a quota has moved to the end, and restarts have become a text.
MOVED = ("resourcequotas",)
RESTARTS = "Restarts"


def table(name: str, found: list[Obj], now: datetime, **more: Any) -> Obj:
    return tables.of(CATALOGUE.named(name), found, now=now, **more)


def by_column(found: Obj) -> list[Obj]:
    names = [column["name"] for column in found["columnDefinitions"]]
    return [dict(zip(names, row["cells"], strict=True)) for row in found["rows"]]


@pytest.mark.parametrize("name", KIT)
def test_every_cell_says_what_a_real_server_says(name: str) -> None:
    recorded, now = KIT[name], objects.moment(KIT[name]["now"])
    names = [column[0] for column in recorded["columns"]]
    for row in recorded["rows"]:
        wanted = dict(zip(names, row["cells"], strict=True))
        if RESTARTS in wanted:
            wanted[RESTARTS] = str(wanted[RESTARTS])
        # A second may have passed between the answer and the look at the clock.
        shown = [by_column(table(name, [row["object"]], now - timedelta(seconds=late)))[0] for late in range(3)]
        assert wanted in [{column: cells[column] for column in names} for cells in shown]


@pytest.mark.parametrize("name", KIT)
def test_columns_stand_as_on_a_real_server_but_for_newer_ones(name: str) -> None:
    ours = table(name, [], objects.moment(KIT[name]["now"]))["columnDefinitions"]
    shown = [
        [
            column["name"],
            "integer" if column["name"] == RESTARTS else column["type"],
            column["format"],
            column["priority"],
        ]
        for column in ours
        if column["name"] not in NEWER.get(name, ())
    ]
    wanted = [column[:4] for column in KIT[name]["columns"]]
    if name in MOVED:
        assert sorted(shown) == sorted(wanted)
        assert ours[-1]["name"] == "Age"
    else:
        assert shown == wanted
    assert all(column["description"] for column in ours)


def test_the_row_of_a_pod_that_is_over_says_so() -> None:
    rows = {row["cells"][0]: row for row in KIT["pods"]["rows"]}
    now = objects.moment(KIT["pods"]["now"])
    for name in ("succeeded", "failed", "running"):
        ours = table("pods", [rows[name]["object"]], now)["rows"][0]
        assert ours.get("conditions") == rows[name].get("conditions")
