"""The site alone, with our hub and one of somebody who means harm, asked over HTTP."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from litmus.experiments.declaration import Permission
from litmus.hub import model, ours
from litmus.hub.site import routes

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"
HOSTILE = model.Hub(
    name="hostile",
    source=f"https://example.org/{ATTACK}",
    revision=ATTACK,
    synced=ATTACK,
    problems=(model.Problem(ATTACK, 3, ATTACK),),
    files={},
    groups=(
        model.Group(
            name="g",
            title=ATTACK,
            help=f"{ATTACK}\n\n[press](javascript:alert(3)) ![picture](https://example.org/x.png)",
            links=(model.Link(ATTACK, "javascript:alert(4)"), model.Link("fine", "https://example.org/?a=1&b='\">")),
            bundle_file="charts/g/$(reboot)`reboot`'\".yaml",
            icon_file='charts/g/icons/"><script>.png',
            charts=(
                model.Chart(
                    group="g",
                    name="x;reboot",
                    title=ATTACK,
                    help=f"# {ATTACK}\n\n{ATTACK}\n\n[press](javascript:alert(5)) <javascript:alert(6)>",
                    version=ATTACK,
                    scope="Cluster",
                    keywords=(ATTACK,),
                    platforms=(ATTACK,),
                    maturity=ATTACK,
                    maintainers=(model.Maintainer(ATTACK, ATTACK),),
                    links=(model.Link(ATTACK, "data:text/html,<script>"), model.Link("", "https://example.org/docs")),
                    variables=(model.Variable(name="NAME", value=ATTACK, default=ATTACK, unit=ATTACK, help=ATTACK),),
                    permissions=(Permission(groups=(ATTACK,), resources=(ATTACK,), verbs=(ATTACK,), reason=ATTACK),),
                    privileges=(ATTACK,),
                    experiment_file="charts/g/$(reboot)`reboot`'\"/experiment.yaml",
                    icon_file='charts/g/icons/"><script>.svg',
                ),
                model.Chart(
                    group="g",
                    name="broken",
                    title="",
                    help="",
                    problems=(model.Problem("charts/g/broken/experiment.yaml", 7, ATTACK),),
                ),
            ),
        ),
    ),
)
OURS = ours.hub()
PAGES = (
    "/",
    "/?q=nothing-has-such-a-name",
    "/charts/generic",
    *(f"/charts/{chart.group}/{chart.name}" for chart in OURS.charts()),
    "/hubs",
    "/hubs/hostile",
    "/hubs/hostile/charts/g",
    "/hubs/hostile/charts/g/x;reboot",
    "/hubs/hostile/charts/g/broken",
    "/charts/nowhere",
    "/charts/generic/pod-delet",
    "/hubs/nobody",
)


@pytest.fixture
async def site() -> AsyncIterator[AsyncTestClient]:
    hubs = [OURS, HOSTILE]
    async with AsyncTestClient(Litestar(routes(lambda: hubs), openapi_config=None, logging_config=None)) as client:
        yield client
