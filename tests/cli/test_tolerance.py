"""``litmus tolerance`` on a small API server, with an operator and an application that are played."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from litmus.cli import failures
from litmus.cli.tolerance import asking, tolerance
from litmus.kube import waiting
from tests import apiserver, samples

TRAFFIC = {"name": "web", "type": "trafficProbe", "mode": "Continuous", "trafficProbe/inputs": {"url": "http://web"}}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_S", 0.01)
    monkeypatch.setattr(waiting, "_refused", set())


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    return written(tmp_path)


def written(folder: Path, *, experiment: str = "pod-network-latency", **spec: Any) -> Path:
    spec = {"probe": [TRAFFIC], "impact": {"availability": ">= 99%"}, **spec}
    spec.setdefault("components", {"env": [{"name": "NETWORK_LATENCY", "value": "300"}]})
    manifest = samples.engine(name="shop-chaos", experiments=[{"name": experiment, "spec": spec}])
    del manifest["status"], manifest["metadata"]["uid"]
    file = folder / "engine.yaml"
    file.write_text(yaml.safe_dump(manifest))
    return file


class Played:
    """An operator, and an application that is fine below ``breaks_at`` and can't be judged at ``unsure``."""

    def __init__(self, server: apiserver.Server, breaks_at: float = 1000) -> None:
        self.breaks_at = breaks_at
        self.unsure: set[float] = set()
        self.errors = 0
        self.interrupt_at = 0
        self.asked: list[float] = []
        self.engines: list[str] = []
        self.low = 98.0  # of the interval of what holds
        server.on("patch", "chaosengines", self)

    def __call__(self, server: apiserver.Server, engine: Any) -> None:
        name, experiment = engine["metadata"]["name"], engine["spec"]["experiments"][0]
        if name in self.engines:
            ended = {"status": {"engineStatus": "stopped", "experiments": [self.entry(experiment, "Stopped")]}}
            if engine["status"]["engineStatus"] == "initialized":
                server.change("chaosengines", name, ended)
            return
        self.engines.append(name)
        env = {entry["name"]: entry["value"] for entry in experiment["spec"]["components"]["env"]}
        self.asked.append(float(env["NETWORK_LATENCY"]))
        if len(self.engines) == self.interrupt_at:
            server.change("chaosengines", name, {"status": {"engineStatus": "initialized", "experiments": []}})
            return
        self.end(server, name, experiment, self.asked[-1])

    def end(self, server: apiserver.Server, name: str, experiment: Any, value: float) -> None:
        judged = "inconclusive" if value in self.unsure else "missed" if value >= self.breaks_at else "met"
        # As the experiment does: a criterion that stays open is an Error of its own kind.
        verdict = "Error" if self.errors or judged == "inconclusive" else "Fail" if judged == "missed" else "Pass"
        step = "no netem" if self.errors else "impact.availability: which does not settle it"
        self.errors -= bool(self.errors)
        observed = (
            {"value": 40.0, "low": 35.0, "high": 45.0} if judged == "missed" else {"value": 99.9, "low": self.low}
        )
        criterion = {
            "name": "availability",
            "asked": ">= 99%",
            "judgement": judged,
            "observed": observed | {"unit": "%"},
        }
        status = {
            "experimentstatus": {"verdict": verdict, "failStep": step if verdict == "Error" else "N/A"},
            "impact": {"criteria": [criterion]},
        }
        server.put("chaosresults", samples.result(f"{name}-{experiment['name']}", **status))
        done = {"engineStatus": "completed", "experiments": [self.entry(experiment, verdict)]}
        server.change("chaosengines", name, {"spec": {"engineState": "stop"}, "status": done})

    def interrupt(self, asked: apiserver.Asked) -> None:
        """A person's Ctrl-C, once the command follows the engine that is to be interrupted."""
        if asked.verb == "watch" and asked.plural == "chaosengines" and len(self.engines) == self.interrupt_at:
            self.interrupt_at = -1
            os.kill(os.getpid(), signal.SIGINT)

    def entry(self, experiment: Any, verdict: str) -> dict[str, str]:
        return {"name": experiment["name"], "verdict": verdict}


async def run(engine: Path, kubeconfig: str, **options: Any) -> int:
    wanted = {"tunable": "NETWORK_LATENCY", "from_": 0.0, "to": 4000.0, "until": "availability", **options}
    return await tolerance(engine, kubeconfig=kubeconfig, **wanted)


async def test_it_closes_in_on_where_the_criterion_breaks_and_says_the_margin(server, kubeconfig, engine, capsys):
    played = Played(server)
    assert await run(engine, kubeconfig, steps=4) == 0
    assert played.asked == [1, 4000, 2000, 1000, 500, 750]
    out = capsys.readouterr().out
    assert "availability >= 99% held up to 750 ms and broke at 1000 ms (6 runs)." in out
    assert "The engine itself asks for 300 ms: a margin of 450 to 700 ms, 2.5 times as much." in out
    assert "That it breaks at 1000 ms is at least 94 % sure over all runs." in out
    lines = [line.split() for line in out.splitlines() if "█" in line]
    assert [line[0] for line in lines] == ["1", "500", "750", "1000", "2000", "4000"]
    assert [line[-1] for line in lines] == ["measured)"] * 3 + ["broken"] * 3


async def test_each_engine_has_a_name_of_its_own_and_nothing_is_left(server, kubeconfig, engine):
    played = Played(server)
    await run(engine, kubeconfig, steps=2)
    assert len(set(played.engines)) == len(played.engines) == 4
    assert all(name.startswith(f"shop-chaos-t{number}-") for number, name in enumerate(played.engines, start=1))
    assert server.all("chaosengines") == server.all("chaosresults") == []


async def test_what_is_kept_stays(server, kubeconfig, engine):
    Played(server, breaks_at=0)
    assert await run(engine, kubeconfig, keep=True) == 1
    assert len(server.all("chaosengines")) == len(server.all("chaosresults")) == 1


async def test_what_is_unclear_is_repeated_and_named(server, kubeconfig, engine, capsys):
    played = Played(server)
    played.unsure = {2000}
    assert await run(engine, kubeconfig, steps=2, repeat=2, json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert played.asked == [1, 4000, 2000, 2000, 3000]
    assert (said["held"], said["broken"], said["unclear"]) == (1, 3000, [2000])
    assert [run["answer"] for run in said["runs"]] == ["held", "broken", "unclear", "unclear", "broken"]
    assert said["confidence"] == 0.95


async def test_an_open_figure_at_the_first_run_does_not_end_it(server, kubeconfig, engine, capsys):
    played = Played(server)
    played.unsure = {1}
    assert await run(engine, kubeconfig, steps=1, repeat=2) == failures.REFUSED  # it is not known to break at once
    assert played.asked == [1, 1, 4000, 2000]
    assert "broke at 2000 ms, and nothing milder was seen to hold" in capsys.readouterr().out


async def test_an_interval_within_the_limit_makes_what_held_sure(server, kubeconfig, engine, capsys):
    Played(server).low = 99.5
    await run(engine, kubeconfig, steps=1)
    assert "This is at least 97 % sure over all runs." in capsys.readouterr().out


async def test_an_error_at_the_first_run_ends_it(server, kubeconfig, engine, capsys):
    played = Played(server)
    played.errors = 99
    assert await run(engine, kubeconfig) == failures.REFUSED
    assert played.asked == [1]
    assert "its last run was an Error: Error: no netem" in " ".join(capsys.readouterr().out.split())


async def test_a_later_error_is_no_answer_and_is_tried_again(server, kubeconfig, engine, capsys):
    played = Played(server)
    server.on("patch", "chaosengines", lambda *_: setattr(played, "errors", int(len(played.asked) == 1)))
    assert await run(engine, kubeconfig, steps=1, json=True) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [(run["value"], run["answer"]) for run in runs] == [
        (1, "held"), (4000, "unclear"), (4000, "broken"), (2000, "broken"),
    ]  # fmt: skip


async def test_an_interrupt_stops_the_engine_and_prints_what_is_known(server, kubeconfig, engine, capsys):
    played = Played(server)
    played.interrupt_at = 3
    with server.answer(played.interrupt):
        async with asyncio.timeout(60):
            assert await run(engine, kubeconfig) == 3
    out = capsys.readouterr().out
    assert "interrupted: stopping the engine" in out
    assert "The search was stopped before it was done." in out
    assert "availability >= 99% held up to 1 ms and broke at 4000 ms (2 runs)." in out
    assert server.all("chaosengines") == []


async def test_after_the_deadline_no_run_begins(server, kubeconfig, engine, capsys):
    played = Played(server)
    assert await run(engine, kubeconfig, deadline=1e-9) == 0
    assert played.asked == [1]
    assert "The deadline came before the search was done." in capsys.readouterr().out


async def test_the_verdict_can_be_what_has_to_hold(server, kubeconfig, tmp_path, capsys):
    Played(server, breaks_at=5000)
    assert await run(written(tmp_path, probe=[], impact={}), kubeconfig, until="verdict") == 0
    assert "the verdict Pass held at 4000 ms, the most that was tried, and never broke" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spec", "options", "sentence"),
    [
        ({}, {"tunable": "NETWORK_LATENZY"}, "--tunable NETWORK_LATENZY: pod-network-latency has no such tunable; did"),
        ({}, {"from_": 5.0, "to": 5.0}, "--from 5 must be below --to 5"),
        ({}, {"from_": float("nan")}, "--from nan must be below"),
        ({}, {"from_": -5.0}, "--from: NETWORK_LATENCY='-5': must be "),
        ({}, {"until": "recovery"}, "--until recovery: spec.experiments[0].spec.impact has no such criterion; it has "),
        ({"impact": {}}, {}, "it has none; write one, such as availability: '>= 99%'"),
        ({"impact": {"availability": "<= 99"}}, {}, "spec.experiments[0].spec.impact.availability: '<= 99' is not"),
        ({"probe": []}, {}, " continuous signal"),
        ({"probe": [TRAFFIC | {"mode": "Edge"}]}, {}, " continuous signal"),
        ({"experiment": "their-own", "components": {"env": []}}, {}, "does not know the experiment their-own"),
    ],
)
async def test_bad_input_is_one_sentence_and_nothing_runs(server, kubeconfig, tmp_path, spec, options, sentence):
    with pytest.raises(failures.Misused) as refused:
        await run(written(tmp_path, **spec), kubeconfig, **options)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert server.asked == []


async def test_an_experiment_that_is_not_ours_is_searched_by_its_own_env(server, kubeconfig, tmp_path):
    played = Played(server, breaks_at=3)
    assert await run(written(tmp_path, experiment="their-own"), kubeconfig, to=4.0) == 0
    assert played.asked == [0, 4, 2, 3]


def test_values_are_written_without_an_exponent():
    assert [asking.text(value) for value in (0.0, 12.5, 1e6, 0.1)] == ["0", "12.5", "1000000", "0.1"]
