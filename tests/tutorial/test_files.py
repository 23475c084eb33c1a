"""The learner's files: what kubectl and litmus would take, and a client that counts right."""

import http.server
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from litmus import api
from litmus.api import strict
from litmus.experiments import catalogue
from litmus.tutorial import course, files


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(files.contents()[name]))


def environment(engine: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in engine["spec"]["experiments"][0]["spec"]["components"]["env"]}


@pytest.mark.parametrize(
    ("file", "name", "duration", "interval"),
    [
        ("engine.yaml", "nginx-chaos", "15", "5"),
        ("container-kill.yaml", "nginx-kill", "15", "5"),
        ("impatient.yaml", "nginx-impatient", "5", "5"),
        ("long.yaml", "nginx-long", "600", "10"),
    ],
)
def test_an_engine_is_without_mistakes_and_as_long_as_the_course_says(
    file: str, name: str, duration: str, interval: str
):
    (engine,) = documents(file)
    assert strict.mistakes(api.ChaosEngine, engine) == []
    assert engine["metadata"] == {"name": name, "namespace": "nginx"}
    assert engine["spec"]["chaosServiceAccount"] == files.ACCOUNT
    env = environment(engine)
    assert (env["TOTAL_CHAOS_DURATION"], env["CHAOS_INTERVAL"]) == (duration, interval)


def test_only_the_impatient_engine_has_a_limit():
    limits = {
        name: documents(name)[0]["spec"]["experiments"][0]["spec"]["components"].get("statusCheckTimeouts")
        for name in ("engine.yaml", "container-kill.yaml", "impatient.yaml", "long.yaml")
    }
    assert {name for name, limit in limits.items() if limit} == {"impatient.yaml"}
    assert limits["impatient.yaml"] == {"timeout": files.PATIENCE_S}


def test_the_account_of_pod_delete_may_do_what_container_kill_needs():
    """The course installs one role and uses it for both."""
    assert catalogue.find("container-kill").permissions == catalogue.find("pod-delete").permissions


def test_the_slow_version_differs_in_its_start_alone():
    fast, slow = documents("nginx.yaml"), documents("nginx-slow.yaml")
    probe = slow[1]["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    assert probe["initialDelaySeconds"] == files.SLOW_START_S
    probe["initialDelaySeconds"] = 0
    assert slow == fast


def test_the_slow_version_is_slower_than_the_limit():
    grace_s = documents("nginx.yaml")[1]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert 2 * (files.PATIENCE_S + grace_s) < files.SLOW_START_S


def test_every_file_of_a_command_is_written(tmp_path: Path):
    files.write(tmp_path / "course")
    named = {
        word for step in course.STEPS for task in step.tasks for word in task.command.split() if word[-5:] == ".yaml"
    }
    assert named <= {path.name for path in (tmp_path / "course").iterdir()}


def test_what_the_learner_changed_is_made_new(tmp_path: Path):
    files.write(tmp_path)
    (tmp_path / "engine.yaml").write_text("nonsense")
    files.write(tmp_path)
    assert (tmp_path / "engine.yaml").read_text() == files.contents()["engine.yaml"]


class Answering(http.server.BaseHTTPRequestHandler):
    """Every third answer is an error."""

    seen = 0

    def do_GET(self) -> None:
        Answering.seen += 1
        self.send_response(500 if Answering.seen % 3 == 0 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def nginx() -> Iterator[int]:
    """The port of something that answers."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def ask(folder: Path, port: int, *command: str) -> subprocess.CompletedProcess[str]:
    files.write(folder)
    script = folder / "ask.py"
    text = script.read_text()
    assert text.count("\nPORT = ") == 1
    script.write_text("".join(f"PORT = {port}\n" if line[:7] == "PORT = " else line for line in text.splitlines(True)))
    kubectl = folder / "kubectl"
    kubectl.write_text("#!/bin/sh\nprintf 127.0.0.1\n")
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    env = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        [sys.executable, "ask.py", *command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_client_counts_what_is_answered_while_a_command_runs(nginx: int, tmp_path: Path):
    """The command ends when ten requests have been seen, so that there is something to count."""
    Answering.seen = 0
    waits = f"import http.client as h\nfor _ in range(9): h.HTTPConnection('127.0.0.1', {nginx}).request('GET', '/')\n"
    done = ask(tmp_path, nginx, sys.executable, "-c", waits + "raise SystemExit(3)")
    assert done.returncode == 3, done.stderr
    account = json.loads((tmp_path / "asked.json").read_text())
    assert account["asked"] == account["answered"] + account["failed"] > 0
    assert f"{account['asked']} requests, {account['answered']} answered, {account['failed']} failed" in done.stdout


def test_the_client_says_what_was_wrong(tmp_path: Path):
    done = ask(tmp_path, 1, "true")
    account = json.loads((tmp_path / "asked.json").read_text())
    assert account["answered"] == 0
    assert f"({account['asked']} x no connection)" in done.stdout
