"""Dashboards for Grafana, generated: one module a dashboard, and the files that Grafana is started with.

They need nothing but Prometheus: the red band over each injection is asked of it too (``chaos``).
"""

import json

from . import cassandra, experiment, kafka, openebs, operator_health, overview, provisioning, resources
from .model import Dashboard

__all__ = ["Dashboard", "every", "files", "text"]


def every() -> tuple[Dashboard, ...]:
    """All of them, those of litmus first."""
    modules = (overview, experiment, resources, operator_health, kafka, cassandra, openebs)
    return tuple(module.DASHBOARD for module in modules)


def text(dashboard: Dashboard) -> str:
    """The file of a dashboard."""
    return json.dumps(dashboard.document(), indent=2, ensure_ascii=False) + "\n"


def files(*, prometheus: str = provisioning.PROMETHEUS, folder: str = provisioning.DASHBOARDS_FOLDER) -> dict[str, str]:
    """The text of each file by its path below a folder of Grafana's."""
    return {
        **{f"dashboards/{dashboard.uid}.json": text(dashboard) for dashboard in every()},
        "provisioning/dashboards/litmus.yaml": provisioning.dashboards(folder),
        "provisioning/datasources/litmus.yaml": provisioning.datasource(prometheus),
    }
