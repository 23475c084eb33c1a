"""How Grafana finds the dashboards when it starts: a source of data, and the folder to read. Pure text."""

from litmus.hub import documents

DASHBOARDS_FOLDER = "/var/lib/grafana/dashboards/litmus"
PROMETHEUS = "http://prometheus:9090"

_DASHBOARDS = f"""\
Where Grafana reads the dashboards of litmus: this file belongs into provisioning/dashboards/, the JSON files into the
path below ({DASHBOARDS_FOLDER})."""
_SOURCES = """\
The Prometheus that the dashboards ask; this file belongs into provisioning/datasources/. Who has one already leaves it
out: the dashboards have a choice at their top."""


def dashboards(folder: str = DASHBOARDS_FOLDER) -> str:
    """The file for provisioning/dashboards."""
    provider = {
        "name": "litmus",
        "orgId": 1,
        "folder": "Litmus",
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": True,
        "updateIntervalSeconds": 30,
        "options": {"path": folder},
    }
    return documents.write([{"apiVersion": 1, "providers": [provider]}], heading=_DASHBOARDS)


def datasource(url: str = PROMETHEUS) -> str:
    """The file for provisioning/datasources."""
    source = {
        "name": "Prometheus",
        "uid": "litmus-prometheus",
        "type": "prometheus",
        "access": "proxy",
        "orgId": 1,
        "url": url,
        "isDefault": False,
        "editable": True,
        "jsonData": {"httpMethod": "POST", "timeInterval": "15s"},
    }
    return documents.write([{"apiVersion": 1, "datasources": [source]}], heading=_SOURCES)
