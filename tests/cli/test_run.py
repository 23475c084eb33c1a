"""``litmus run`` while the API server is not always there."""

import asyncio
from pathlib import Path
from typing import Any

import yaml

from litmus.cli import app
from tests import apiserver, samples


async def test_a_run_is_followed_to_its_end_although_the_api_server_was_away(server, kubeconfig, tmp_path, capsys):
    away = iter([apiserver.failure(503, "starting") for _ in range(3)])

    def respond(asked: apiserver.Asked) -> Any:
        return next(away, None) if ("chaosengines", "shop", "shop-chaos") in server.objects else None

    def end(seen: apiserver.Server, _: apiserver.Object) -> None:
        entry = {"name": "pod-delete", "verdict": "Pass", "status": "Completed"}
        status = {"engineStatus": "completed", "experiments": [entry]}
        seen.change("chaosengines", "shop-chaos", {"spec": {"engineState": "stop"}, "status": status})

    file = _written(tmp_path)
    with server.answer(respond):
        server.on("patch", "chaosengines", end)
        async with asyncio.timeout(20):
            status = await asyncio.to_thread(app.main, ["run", file, "--kubeconfig", kubeconfig])
    assert status == 0, capsys.readouterr()
    assert next(away, None) is None


def _written(folder: Path) -> str:
    about = {"name": "shop-chaos", "namespace": "shop"}
    kind = {"apiVersion": "litmuschaos.io/v1alpha1", "kind": "ChaosEngine"}
    file = folder / "engine.yaml"
    file.write_text(yaml.safe_dump({**kind, "metadata": about, "spec": samples.engine()["spec"]}))
    return str(file)
