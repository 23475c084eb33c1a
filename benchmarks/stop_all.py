"""How long ``litmus stop --all`` takes until every fault is gone, with many engines running.

    python benchmarks/stop_all.py [--engines 50]

On the cluster of KUBECONFIG, with the operator installed. Every engine holds a pod-delete over one application in a
namespace of the benchmark's own; the switch is lifted and the namespace deleted at the end. The budget is 5 s beside
what a fault needs to revert by itself, which for pod-delete is nothing. **It stops all chaos of the cluster.**
"""

import argparse
import asyncio
import contextlib
import secrets
import sys
from typing import Any

from litmus.api import names, yaml_text
from litmus.cli import stop
from litmus.experiments import catalogue
from litmus.hub import charts
from litmus.kube import Cluster, kinds, waiting

_START_DEADLINE_S = 900.0
_STOP_DEADLINE_S = 300.0


async def main(number: int, image: str) -> None:
    """Prints one line."""
    namespace = f"bench-stop-{secrets.token_hex(3)}"
    async with Cluster.connect() as cluster:
        await cluster.create(kinds.NAMESPACE, {"metadata": {"name": namespace}})
        try:
            await _prepare(cluster, namespace, image)
            for index in range(number):
                await cluster.create(kinds.ENGINE, _engine(index, namespace), namespace=namespace)
            await _begun(cluster, namespace, number)
            clock = asyncio.get_running_loop().time
            began = clock()
            await stop.stop(all=True, why="benchmark", deadline=_STOP_DEADLINE_S)
            print(f"{number} running engines: all faults gone and every engine stopped after {clock() - began:.1f} s")
        finally:
            with contextlib.suppress(Exception):
                await stop.stop(lift=True)
            await cluster.delete(kinds.NAMESPACE, namespace)


async def _prepare(cluster: Cluster, namespace: str, image: str) -> None:
    experiment = catalogue.find("pod-delete")
    for manifest in documents_of(experiment, image):
        if manifest["kind"] == "ChaosExperiment":
            await cluster.create(kinds.EXPERIMENT, manifest, namespace=namespace)
    rule = {"apiGroups": ["", "litmuschaos.io", "batch", "apps"], "resources": ["*"], "verbs": ["*"]}
    about: dict[str, Any] = {"metadata": {"name": "chaos-sa"}}
    await cluster.create(kinds.SERVICE_ACCOUNT, about, namespace=namespace)
    await cluster.create(kinds.ROLE, {**about, "rules": [rule]}, namespace=namespace)
    subject = {"kind": "ServiceAccount", "name": "chaos-sa", "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "chaos-sa"}
    await cluster.create(
        kinds.ROLE_BINDING, {**about, "roleRef": reference, "subjects": [subject]}, namespace=namespace
    )
    labels = {"app": "web"}
    pod = {"terminationGracePeriodSeconds": 1, "containers": [{"name": "nginx", "image": "nginx"}]}
    spec = {
        "replicas": 3,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    meta = {"name": "web", "labels": labels, "annotations": {names.CHAOS_ANNOTATION: "true"}}
    await cluster.create(kinds.DEPLOYMENT, {"metadata": meta, "spec": spec}, namespace=namespace)


def documents_of(experiment: Any, image: str) -> list[dict[str, Any]]:
    """The manifests that a user installs."""
    return yaml_text.documents(charts.bundle([experiment], image=image))


def _engine(index: int, namespace: str) -> dict[str, Any]:
    env = {"TOTAL_CHAOS_DURATION": "1800", "CHAOS_INTERVAL": "600", "FORCE": "true"}
    variables = [{"name": name, "value": value} for name, value in env.items()]
    return {
        "metadata": {"name": f"engine-{index}"},
        "spec": {
            "appinfo": {"appns": namespace, "applabel": "app=web", "appkind": "deployment"},
            "chaosServiceAccount": "chaos-sa",
            "defaultHealthCheck": False,
            "experiments": [{"name": "pod-delete", "spec": {"components": {"env": variables}}}],
        },
    }


async def _begun(cluster: Cluster, namespace: str, number: int) -> None:
    """Until the ledger of every engine has an open record or its chaos goes on."""

    def all_begun(found: list[Any]) -> bool | None:
        return True if sum(result.status.run.step == "chaos" for result in found) == number else None

    await waiting.until(
        cluster,
        kinds.RESULT,
        all_begun,
        namespace=namespace,
        what=f"{number} engines to begin (is the operator there: litmus install?)",
        deadline_s=_START_DEADLINE_S,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", type=int, default=50)
    parser.add_argument("--image", default=charts.DEFAULT_IMAGE)
    wanted = parser.parse_args()
    sys.exit(asyncio.run(main(wanted.engines, wanted.image)))
