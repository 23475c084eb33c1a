"""The red band, asked of the real Prometheus: its edges are those of the chaos, however seldom Prometheus scraped.

Samples are written as blocks of the past, so that nothing has to be waited for.
"""

import asyncio
import json
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from litmus.exporter.dashboards import asked, chaos
from tests.exporter import prom

# The beginning of the range that is looked at, some hours ago: a block of the past is not compacted into others.
FROM = int(time.time()) // 3600 * 3600 - 4 * 3600
SCRAPED_EVERY_S = 30
RANGE_S = 1800
BANDS = {band.name: band.expr for band in chaos.bands()}
RUN = 'namespace="shop",engine="%s",experiment="pod-delete",run="%d",verdict="%s"'
STARTED, ENDED = "litmus_chaos_started_timestamp_seconds", "litmus_chaos_ended_timestamp_seconds"


class Samples:
    """What Prometheus scraped, as OpenMetrics with time stamps."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {STARTED: [], ENDED: []}

    def run(
        self,
        engine: str,
        start: float,
        end: float | None,
        verdict: str,
        *,
        number: int = 1,
        gone: float,
        pod: str = "a",
    ) -> None:
        """A run's series, from the first scrape after its start until its result was deleted."""
        for at in range(0, RANGE_S + 1, SCRAPED_EVERY_S):
            if start <= at < gone:
                over = end is not None and end <= at
                of = RUN % (engine, number, verdict if over else "Awaited") + f',instance="{pod}"'
                self.lines[STARTED].append(f"{STARTED}{{{of}}} {FROM + start} {FROM + at}")
                if over:
                    self.lines[ENDED].append(f"{ENDED}{{{of}}} {FROM + (end or 0)} {FROM + at}")

    def text(self) -> str:
        return (
            "".join(
                f"# TYPE {name} gauge\n" + "".join(f"{line}\n" for line in lines) for name, lines in self.lines.items()
            )
            + "# EOF\n"
        )


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that knows these runs, each engine a case."""
    known = Samples()
    known.run("passed", 100.5, 161.25, "Pass", gone=RANGE_S + 1)
    known.run("failed", 307, 336, "Fail", gone=600)  # its result is deleted later
    known.run("short", 400, 403, "Error", gone=RANGE_S + 1)
    known.run("running", 1700, None, "Awaited", gone=RANGE_S + 1)
    known.run("vanished", 900, None, "Awaited", gone=1000)
    known.run("moved", 500, 640, "Stopped", gone=700)
    known.run("moved", 500, 640, "Stopped", gone=RANGE_S + 1, pod="b")
    known.run("again", 200, 260, "Pass", gone=300)
    known.run("again", 1200, 1260, "Fail", gone=1300)  # deleted and made anew, so it is run 1 again
    known.run("again", 1750, None, "Awaited", gone=RANGE_S + 1)
    place = tmp_path_factory.mktemp("prometheus")
    (place / "samples").write_text(known.text())
    prom.promtool("tsdb", "create-blocks-from", "openmetrics", place / "samples", place / "data")
    (place / "prometheus.yml").write_text("{}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        prom.program("prometheus"),
        "--config.file",
        place / "prometheus.yml",
        f"--storage.tsdb.path={place}/data",
    ]
    command += ["--storage.tsdb.retention.time=10y", f"--web.listen-address=127.0.0.1:{port}"]
    with (place / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            asyncio.run(answers(f"http://127.0.0.1:{port}/-/ready", process, place / "log"))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


async def answers(url: str, process: subprocess.Popen, log: Path) -> None:
    async with asyncio.timeout(60):
        while process.poll() is None:
            try:
                (await asyncio.to_thread(urllib.request.urlopen, url, timeout=5)).close()
                return
            except OSError:
                await asyncio.sleep(0.1)
    raise AssertionError(log.read_text())


def drawn(prometheus: str, band: str, engine: str, *, step_s: int = 1) -> list[tuple[int, int]]:
    """The regions that Grafana would draw, in seconds of the range: steps that follow each other are one."""
    expr = asked.filled(BANDS[band], range_s=RANGE_S, step_s=step_s, choices={"engine": engine})
    form = {"query": expr, "start": FROM, "end": FROM + RANGE_S, "step": step_s}
    with urllib.request.urlopen(f"{prometheus}/api/v1/query_range?{urllib.parse.urlencode(form)}", timeout=60) as said:
        found = json.load(said)["data"]["result"]
    regions: list[tuple[int, int]] = []
    for series in found:
        steps = [int(at) - FROM for at, value in series["values"] if float(value) > 0]
        for at in steps:
            if regions and regions[-1][1] + step_s >= at:
                regions[-1] = regions[-1][0], at
            else:
                regions.append((at, at))
    return sorted(regions)


@pytest.mark.parametrize(
    ("engine", "band", "start", "end"),
    [
        ("passed", "Chaos: Pass", 100.5, 161.25),
        ("failed", "Chaos: Fail", 307, 336),
        ("short", "Chaos: Error", 400, 403),
        ("running", "Chaos going on", 1700, RANGE_S),
        ("moved", "Chaos: Stopped", 500, 640),
        ("again", "Chaos: Pass", 200, 260),
        ("again", "Chaos: Fail", 1200, 1260),
        ("again", "Chaos going on", 1750, RANGE_S),
    ],
)
def test_a_band_begins_and_ends_within_half_a_step_of_the_chaos(
    prometheus: str, engine: str, band: str, start: float, end: float
):
    assert drawn(prometheus, band, engine) == [
        (pytest.approx(start, abs=0.5), pytest.approx(end, abs=0.5)),
    ]


def test_a_run_that_vanished_leaves_no_ghost(prometheus: str):
    [(start, end)] = drawn(prometheus, "Chaos going on", "vanished")

    assert 900 <= start <= 900 + SCRAPED_EVERY_S
    assert end <= 1000 + 300  # the five minutes for which Prometheus takes a last sample for true


@pytest.mark.parametrize("engine", ["passed", "failed", "short", "moved"])
def test_a_run_has_one_band(prometheus: str, engine: str):
    assert len([region for band in BANDS for region in drawn(prometheus, band, engine)]) == 1


def test_a_short_injection_is_not_lost_between_the_steps_of_a_long_range(prometheus: str):
    assert len(drawn(prometheus, "Chaos: Error", "short", step_s=60)) == 1
