from typing import Any

import msgspec

from benchmarks import timeline
from litmus.api import names
from litmus.kube.objects import Pod
from tests import samples

ORIGINALS = frozenset({"uid-of-web-1", "uid-of-web-2"})


def pods(*manifests: dict[str, Any]) -> list[Pod]:
    return [msgspec.convert(manifest, Pod) for manifest in manifests]


def of_run(component: str, *, id_: str = "", running: bool = True) -> dict[str, Any]:
    state = {"running": {}} if running else samples.waiting("ContainerCreating")
    statuses = [{"name": "c", "containerID": f"containerd://{id_}" if id_ else "", "state": state}]
    return samples.pod(f"pod-of-{component}", labels={names.COMPONENT: component}, containers=statuses)


WEB = [samples.pod("web-1"), samples.pod("web-2")]


def test_the_first_deletion_is_when_an_original_pod_is_gone_or_on_its_way_out():
    for later in (
        [samples.pod("web-2"), samples.pod("web-3")],
        [samples.pod("web-1", deletionTimestamp="2026-01-01T00:00:00Z"), samples.pod("web-2")],
    ):
        seen = timeline.Timeline(ORIGINALS)
        seen.look(pods(*WEB), at=10)
        assert timeline.FIRST_DELETION not in seen.times
        seen.look(pods(*later), at=11.5)
        seen.look(pods(samples.pod("web-4")), at=20)
        assert seen.times[timeline.FIRST_DELETION] == 11.5


def test_a_new_pod_that_goes_away_again_is_no_deletion():
    seen = timeline.Timeline(ORIGINALS)
    seen.look(pods(*WEB, samples.pod("web-3", deletionTimestamp="2026-01-01T00:00:00Z")), at=1)
    assert seen.times == {}


def test_the_pods_of_a_run_are_told_by_their_component_and_run_when_their_container_does():
    seen = timeline.Timeline(ORIGINALS)
    seen.look(pods(*WEB, of_run(names.RUNNER_COMPONENT, running=False)), at=1)
    assert seen.times == {"runner pod created": 1}
    assert seen.containers == {}
    seen.look(pods(*WEB, of_run(names.RUNNER_COMPONENT, id_="a" * 64)), at=2)
    seen.look(pods(*WEB, of_run(names.EXPERIMENT_COMPONENT, id_="b" * 64)), at=3)
    assert seen.times["runner runs"] == 2
    assert seen.times["experiment pod created"] == seen.times["experiment runs"] == 3
    assert seen.containers == {"runner": f"containerd://{'a' * 64}", "experiment": f"containerd://{'b' * 64}"}


def test_stages_are_told_in_their_order_and_in_seconds_after_the_engine_was_applied():
    seen = timeline.Timeline(ORIGINALS, times={timeline.COMPLETED: 27.5, timeline.FIRST_DELETION: 12.0})
    assert list(seen.after(10.0).items()) == [(timeline.FIRST_DELETION, 2.0), (timeline.COMPLETED, 17.5)]


def test_a_stage_has_the_times_of_the_runs_that_saw_it():
    runs = [{"runner runs": 1.0, timeline.COMPLETED: 17.0}, {timeline.COMPLETED: 18.0}]
    assert timeline.common(runs) == {"runner runs": [1.0], timeline.COMPLETED: [17.0, 18.0]}
    assert timeline.common([]) == {}
