"""The files that the learner applies and may look at: what the hub hands out, made short enough for the course.

``ask.py`` is the client of the application: it needs nothing but Python, and it can run beside a command, because the
question of every experiment is what a client notices.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from litmus.experiments import catalogue
from litmus.hub import charts
from litmus.sandbox.machinery import ports

from . import cluster

ACCOUNT = "pod-delete-sa"
SLOW_START_S = 25
PATIENCE_S = 5
_GRACE_S = 2
_NGINX = """\
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx
  namespace: {namespace}
  labels:
    app: nginx
spec:
  replicas: 3
  selector:
    matchLabels:
      app: nginx
  strategy:
    rollingUpdate:
      maxSurge: 3        # a new version starts all its pods at once
      maxUnavailable: 0  # and the old ones go when the new ones are ready
  template:
    metadata:
      labels:
        app: nginx
    spec:
      terminationGracePeriodSeconds: {grace_s}
      containers:
        - name: nginx
          image: nginx
          ports:
            - containerPort: 80
          readinessProbe:
            httpGet:
              path: /
              port: 80
            initialDelaySeconds: {start_s}
            periodSeconds: 1
---
apiVersion: v1
kind: Service
metadata:
  name: nginx
  namespace: {namespace}
spec:
  selector:
    app: nginx
  ports:
    - port: 80
"""


def write(folder: Path) -> None:
    """Writes all files; what the learner changed is made new, so that ``litmus tutorial`` also repairs."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in contents().items():
        (folder / name).write_text(content, encoding="utf-8")


def contents() -> Mapping[str, str]:
    """Every file by its name."""
    pod_delete, container_kill = catalogue.find("pod-delete"), catalogue.find("container-kill")
    within = cluster.NAMESPACE
    engine = charts.engine(pod_delete, namespace=within)
    kill = charts.engine(container_kill, namespace=within).replace("container-kill-sa", ACCOUNT)
    return {
        "nginx.yaml": _nginx(start_s=0),
        "nginx-slow.yaml": _nginx(start_s=SLOW_START_S),
        "ask.py": (Path(__file__).parent / "ask.py").read_text(encoding="utf-8").replace("PORT = 80", _port()),
        "experiments.yaml": charts.bundle([pod_delete, container_kill], image=charts.DEFAULT_IMAGE),
        "rbac.yaml": charts.role(pod_delete, namespace=within),
        "engine.yaml": timed(engine, duration_s=15, interval_s=5),
        "container-kill.yaml": timed(named(kill, "nginx-kill"), duration_s=15, interval_s=5),
        "impatient.yaml": patient(timed(named(engine, "nginx-impatient"), duration_s=5, interval_s=5)),
        "long.yaml": timed(named(engine, "nginx-long"), duration_s=600, interval_s=10),
    }


def timed(engine: str, *, duration_s: int, interval_s: int) -> str:
    """The chart's engine with these times."""
    for tunable, value in (("TOTAL_CHAOS_DURATION", duration_s), ("CHAOS_INTERVAL", interval_s)):
        engine = _replaced(engine, rf"(name: {tunable}\n +value: )'\d+'", rf"\g<1>'{value}'")
    return engine


def named(engine: str, name: str) -> str:
    """The chart's engine under a name of its own, so that it has a result of its own."""
    return _replaced(engine, r"^  name: nginx-chaos$", f"  name: {name}")


def patient(engine: str) -> str:
    """The chart's engine with a limit to how long the application may take."""
    limit = "# How long the application may take to be healthy again, in seconds.\n"
    return _replaced(
        engine,
        r"^( +)components:\n",
        rf"\g<0>\g<1>  {limit}\g<1>  statusCheckTimeouts:\n\g<1>    timeout: {PATIENCE_S}\n",
    )


def _replaced(text: str, pattern: str, replacement: str) -> str:
    changed, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    if count != 1:
        raise AssertionError(f"the chart's engine has {count} places for {pattern}")
    return changed


def _nginx(*, start_s: int) -> str:
    return _NGINX.format(namespace=cluster.NAMESPACE, grace_s=_GRACE_S, start_s=start_s)


def _port() -> str:
    return f"PORT = {ports.reachable(80)}"
