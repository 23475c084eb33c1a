"""What the tests of the server share: a hub of somebody else, and a server of the real thing on loopback."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from litmus.hub import model, server
from litmus.hub.delivery import Delivery

FOREIGN_CSV = """\
apiVersion: litmuchaos.io/v1alpha1
kind: ChartServiceVersion
metadata:
  name: break-it
  version: 0.3.1
  annotations:
    categories: Foreign
    vendor: Somebody
    createdAt: 2020-10-15T10:28:08Z
    chartDescription: Breaks it.
spec:
  displayName: break it
  keywords: [Kubernetes, 7]
  maintainers:
    - name: One
      email: one@example.org
  provider:
    name: Somebody
  links:
    - name: Source
      url: https://example.org/source
  chaosexpcrdlink: https://example.org/charts/foreign/break-it/experiment.yaml
  chaosType: infra
"""
FOREIGN_ROLE = """\
# Written by somebody else.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: break-it-sa
  namespace: default
"""
PIXEL = b"\x89PNG\r\n\x1a\n"
SCRIPTED = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def foreign(name: str = "theirs", **files: bytes) -> model.Hub:
    """A hub with one experiment that works and one that is broken."""
    folder = "charts/foreign"
    good = model.Chart(
        group="foreign",
        name="break-it",
        title="Break it",
        help="Breaks it.",
        experiment_file=f"{folder}/break-it/experiment.yaml",
        rbac_file=f"{folder}/break-it/rbac.yaml",
    )
    problem = model.Problem(f"{folder}/bad/experiment.yaml", 3, "can't be read")
    bad = model.Chart(group="foreign", name="bad", title="Bad", help="", problems=(problem,))
    return model.Hub(
        name=name,
        source="https://example.org/charts.git",
        groups=(model.Group(name="foreign", title="Foreign", help="Of others.", charts=(good, bad)),),
        files={
            f"{folder}/break-it/experiment.yaml": b"kind: ChaosExperiment\nmetadata:\n  name: break-it\n",
            f"{folder}/break-it/rbac.yaml": FOREIGN_ROLE.encode(),
            f"{folder}/break-it/break-it.chartserviceversion.yaml": FOREIGN_CSV.encode(),
            f"{folder}/bad/bad.chartserviceversion.yaml": b"{ not: [yaml",
            f"{folder}/break-it/broken.yaml": b"{ not: [yaml",
            f"{folder}/icons/break-it.png": PIXEL,
            f"{folder}/icons/drawn.svg": SCRIPTED,
            f"{folder}/icons/page.html": b"<script>alert(1)</script>",
            f"{folder}/break-it/data.bin": b"\xff\xfe\0",
        }
        | {path.replace("__", "/"): content for path, content in files.items()},
        problems=(model.Problem("", 0, "the last sync failed"),),
        revision="abc123",
        synced="2026-11-22T10:00:00Z",
    )


@asynccontextmanager
async def running(application: Delivery) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a real server on loopback, which is ended as Kubernetes ends it and has ended when this is left."""
    with server.listen("127.0.0.1", 0) as bound:
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        task = asyncio.create_task(server.serve(application, bound))
        async with httpx2.AsyncClient(base_url=address, trust_env=False) as client:
            await client.get("/healthz")  # from its first answer on it takes signals
            try:
                yield client
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                await task
