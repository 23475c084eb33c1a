"""Chaos in the tests of an application: pytest examples/pytest, on a sandbox or with --litmus=cluster on a cluster."""

import pytest

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


@pytest.fixture
def web(chaos):
    kubectl = chaos.place.kubectl
    kubectl("apply", "-f", "-", stdin=WEB)
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    yield
    kubectl("delete", "-f", "-", "--wait=false", stdin=WEB)


def test_a_lost_pod_is_replaced_soon(chaos, web):
    run = chaos.run("pod-delete", app="deployment/web", duration=5)
    run.assert_passed()
    run.assert_recovered_within("30s")
    assert len(run.targets) == 1


def test_nobody_notices_a_lost_pod(chaos, web):
    run = chaos.run(
        "pod-delete",
        app="deployment/web",
        duration=10,
        tunables={"FORCE": False},
        traffic="service/web:80",
        impact={"availability": ">= 95%"},
    )
    run.assert_passed()
    run.assert_impact(outage="<= 2s")
