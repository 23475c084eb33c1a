"""The tutorial of the README, command by command, as it is printed there.

The commands are taken from the README itself, so what is written there is what is run here. ``hub serve &`` is started
as the shell would start it.
"""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.cluster import stage as stages
from tests.cluster.stage import ROOT, Stage, until

README = (ROOT / "README.md").read_text(encoding="utf-8")
TUTORIAL = README.partition("## Tutorial")[2].partition("\n## ")[0]
FOLDER = ROOT / "examples/nginx"
COMMANDS = re.findall(r"^\$ (.+)$", TUTORIAL, re.MULTILINE)


@pytest.fixture
def tutorial(operator: None) -> Iterator[Stage]:
    stages.kubectl("delete", "namespace", "nginx", "--ignore-not-found", "--timeout=120s")
    yield Stage("nginx")
    stages.kubectl("delete", "namespace", "nginx", "--wait=false", "--ignore-not-found")


def test_every_command_of_the_tutorial_works_as_it_is_written(tutorial: Stage) -> None:
    assert len(COMMANDS) >= 12
    printed: dict[str, str] = {}
    background: list[subprocess.Popen[str]] = []
    try:
        for command in COMMANDS:
            if command.endswith("&"):
                background.append(started(command))
            else:
                printed[command] = shell(command)
            if "engine.yaml" in command:
                first = watched(tutorial)
    finally:
        for process in background:
            process.terminate()
            process.communicate(timeout=10)
    assert "1/1" in find(printed, "get pods -n litmus")
    assert find(printed, "get crds").count("litmuschaos.io") == 4
    assert find(printed, "api-resources").count("litmuschaos.io") == 4
    assert re.search(r"^pod-delete\s", find(printed, "get chaosexperiments"), re.MULTILINE)
    assert {"nginx-chaos-runner", "pod-delete"} <= first
    described = find(printed, "describe chaosresult")
    for line in (r"Engine:\s+nginx-chaos", r"Experiment:\s+pod-delete", r"Fail Step:\s+N/A", r"Phase:\s+Completed"):
        assert re.search(line, described), described
    assert re.search(r"Verdict:\s+Pass", described)
    assert re.search(
        r"Normal\s+Awaited\s+\S+\s+pod-delete-\w{6}-\w{5}\s+experiment: pod-delete, Result: Awaited", described
    )
    assert re.search(r"Normal\s+Pass\s+\S+\s+pod-delete-\w{6}-\w{5}\s+experiment: pod-delete, Result: Pass", described)


def watched(tutorial: Stage) -> set[str]:
    """Follows the run: which pods of ours appear, that nginx is replaced, and that ours are gone in the end."""
    seen: set[str] = set()
    nginx: set[str] = set()

    def over() -> bool:
        names = [pod["metadata"]["name"] for pod in tutorial.get("pods")]
        seen.update(re.sub(r"-\w{6}-\w{5}$", "", name) for name in names if not name.startswith("nginx-6"))
        nginx.update(tutorial.pods("nginx"))
        return tutorial.engine_status("nginx-chaos").get("engineStatus") == "completed"

    until(over, "the run of the tutorial", deadline_s=90)
    assert len(nginx) >= 3
    tutorial.swept()
    return seen


def find(printed: dict[str, str], part: str) -> str:
    return next(text for command, text in printed.items() if part in command)


def shell(command: str) -> str:
    return stages.run(["bash", "-euo", "pipefail", "-c", f"cd {FOLDER} && {command}"]).out


def started(command: str) -> subprocess.Popen[str]:
    """A command that the shell would put into the background; returns when it serves."""
    words = command.removesuffix("&").split()
    process = subprocess.Popen(words, env=stages.environment(), stdout=subprocess.PIPE, text=True, cwd=FOLDER)
    assert process.stdout is not None
    assert "serves" in process.stdout.readline()
    return process
