from typing import Any

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.scheduler import scores
from litmus.sandbox.scheduler.snapshot import Snapshot

HOST = "kubernetes.io/hostname"


def node(name: str, *, cpu: str = "4", taints: Any = (), **labels: str) -> Obj:
    return {
        "metadata": {"name": name, "labels": {HOST: name, **labels}},
        "spec": {"taints": list(taints)},
        "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}},
    }


def pod(name: str = "p", *, on: str = "", cpu: str = "", labels: dict[str, str] | None = None, **spec: Any) -> Obj:
    requests = {"requests": {"cpu": cpu}} if cpu else {}
    return {
        "metadata": {"name": name, "namespace": "a", "uid": name, "labels": labels or {}},
        "spec": {"containers": [{"name": "c", "resources": requests}], "nodeName": on, **spec},
    }


def best(one: Obj, nodes: list[Obj], pods: list[Obj] | None = None, **more: Any) -> str:
    snapshot = Snapshot(nodes, pods or [], **more)
    return scores.best(one, list(snapshot.places.values()), snapshot).name


NODES = [node("n1"), node("n2", disk="ssd")]


def test_the_emptier_node_is_better() -> None:
    assert best(pod(cpu="1"), NODES, [pod("x", on="n1", cpu="2")]) == "n2"
    assert best(pod(), NODES, [pod("x", on="n2")]) == "n1"


def test_preferred_nodes_win_over_emptier_ones() -> None:
    term = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
    wishes = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": term}]}}
    assert best(pod(affinity=wishes), NODES, [pod("x", on="n2", cpu="1")]) == "n2"


def test_preferred_company_attracts_and_unwanted_company_repels() -> None:
    term = {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": "db"}}}
    wishes = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 10, "podAffinityTerm": term}]}
    db = pod("db", on="n2", cpu="1", labels={"app": "db"})
    busy = pod("busy", on="n1", cpu="2")
    assert best(pod(affinity={"podAffinity": wishes}), NODES, [db]) == "n2"
    assert best(pod(affinity={"podAntiAffinity": wishes}), NODES, [db, busy]) == "n1"


def test_a_soft_taint_makes_a_node_worse() -> None:
    tainted = node("n0", taints=[{"key": "k", "effect": "PreferNoSchedule"}])
    assert best(pod(), [tainted, node("n1")], [pod("x", on="n1", cpu="1")]) == "n1"


def test_the_pods_of_a_workload_are_spread_though_nobody_asked() -> None:
    owner = {
        "kind": "ReplicaSet",
        "metadata": {"name": "w", "namespace": "a"},
        "spec": {"selector": {"matchLabels": {"app": "w"}}},
    }
    sister = pod("w1", on="n1", labels={"app": "w"}, cpu="100m")
    foreign = pod("x", on="n2", cpu="700m")
    assert best(pod("w2", labels={"app": "w"}), NODES, [sister, foreign], owners=[owner]) == "n2"
    assert best(pod("w2", labels={"app": "w"}), NODES, [sister, foreign]) == "n1"


def test_soft_spreading_constraints_score() -> None:
    wish = {
        "topologyKey": HOST,
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "w"}},
    }
    pods = [pod("w1", on="n1", labels={"app": "w"}), pod("x", on="n2", cpu="1")]
    assert best(pod("w2", labels={"app": "w"}, topologySpreadConstraints=[wish]), NODES, pods) == "n2"
