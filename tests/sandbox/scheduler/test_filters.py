from typing import Any

import pytest

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.scheduler import filters
from litmus.sandbox.scheduler.snapshot import Snapshot

ZONE = "topology.kubernetes.io/zone"
FITS = None


def node(name: str, *, zone: str = "", taints: Any = (), unschedulable: bool = False, **labels: str) -> Obj:
    return {
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, **({ZONE: zone} if zone else {}), **labels},
        },
        "spec": {"taints": list(taints), "unschedulable": unschedulable},
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "10", "ephemeral-storage": "1Gi"}},
    }


def pod(
    name: str = "p", *, on: str = "", labels: dict[str, str] | None = None, namespace: str = "a", **spec: Any
) -> Obj:
    spec.setdefault("containers", [{"name": "c"}])
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": f"{namespace}/{name}", "labels": labels or {}},
        "spec": {**spec, "nodeName": on},
    }


def requesting(**requests: str) -> list[Obj]:
    return [
        {"name": "c", "resources": {"requests": {name.replace("_", "-"): amount for name, amount in requests.items()}}}
    ]


def reasons(one: Obj, nodes: list[Obj], pods: list[Obj] = (), **more: Any) -> dict[str, tuple[str, ...] | None]:  # type: ignore[assignment]
    snapshot = Snapshot(nodes, pods, **more)
    found = {name: filters.refused(one, place, snapshot) for name, place in snapshot.places.items()}
    return {name: no.reasons if no else FITS for name, no in found.items()}


def affinity(kind: str, *terms: Obj) -> Obj:
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


def node_affinity(*terms: Obj) -> Obj:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


def near(key: str, labels: dict[str, str], **more: Any) -> Obj:
    return {"topologyKey": key, "labelSelector": {"matchLabels": labels}, **more}


TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}
SELECTOR_MESSAGE = ("node(s) didn't match Pod's node affinity/selector",)


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ({"cpu": "4"}, FITS),
        ({"cpu": "4001m"}, ("Insufficient cpu",)),
        ({"cpu": "5", "memory": "9Gi"}, ("Insufficient cpu", "Insufficient memory")),
        ({"ephemeral_storage": "2Gi"}, ("Insufficient ephemeral-storage",)),
        ({"nvidia.com/gpu": "1"}, ("Insufficient nvidia.com/gpu",)),
    ],
)
def test_requests_must_fit(requests: dict[str, str], expected: tuple[str, ...] | None) -> None:
    assert reasons(pod(containers=requesting(**requests)), [node("n")])["n"] == expected


def test_what_others_on_the_node_request_is_taken_until_they_have_ended() -> None:
    there = pod("there", on="n", containers=requesting(cpu="3"))
    assert reasons(pod(containers=requesting(cpu="2")), [node("n")], [there])["n"] == ("Insufficient cpu",)
    ended = {**there, "status": {"phase": "Succeeded"}}
    assert reasons(pod(containers=requesting(cpu="2")), [node("n")], [ended])["n"] is FITS


def test_a_node_takes_so_many_pods() -> None:
    pods = [pod(f"p{number}", on="n") for number in range(10)]
    assert reasons(pod(), [node("n")], pods)["n"] == ("Too many pods",)


def test_init_containers_count_by_their_peak_and_sidecars_stay() -> None:
    sidecar = {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}
    start = {"name": "i", "resources": {"requests": {"cpu": "3500m"}}}
    assert reasons(pod(initContainers=[start], containers=requesting(cpu="2")), [node("n")])["n"] is FITS
    both = pod(initContainers=[sidecar, start])
    assert reasons(both, [node("n")])["n"] == ("Insufficient cpu",)
    assert reasons(pod(initContainers=[start, sidecar], containers=requesting(cpu="3")), [node("n")])["n"] is FITS


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "k", "value": "other"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
    ],
)
def test_a_taint_keeps_pods_away_that_do_not_tolerate_it(toleration: Obj, tolerated: bool) -> None:
    found = reasons(pod(tolerations=[toleration]), [node("n", taints=[TAINT])])["n"]
    assert found == (FITS if tolerated else ("node(s) had untolerated taint(s)",))


def test_a_soft_taint_keeps_nobody_away() -> None:
    assert reasons(pod(), [node("n", taints=[{**TAINT, "effect": "PreferNoSchedule"}])])["n"] is FITS


def test_a_cordoned_node_takes_only_who_tolerates_that() -> None:
    toleration = {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}
    assert reasons(pod(), [node("n", unschedulable=True)])["n"] == ("node(s) were unschedulable",)
    assert reasons(pod(tolerations=[toleration]), [node("n", unschedulable=True)])["n"] is FITS


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"key": "disk", "operator": "In", "values": ["ssd"]}, True),
        ({"key": "disk", "operator": "NotIn", "values": ["ssd"]}, False),
        ({"key": "none", "operator": "NotIn", "values": ["ssd"]}, True),
        ({"key": "disk", "operator": "Exists"}, True),
        ({"key": "disk", "operator": "DoesNotExist"}, False),
        ({"key": "cores", "operator": "Gt", "values": ["3"]}, True),
        ({"key": "cores", "operator": "Lt", "values": ["4"]}, False),
        ({"key": "disk", "operator": "Gt", "values": ["4"]}, False),
    ],
)
def test_node_affinity_speaks_of_labels(expression: Obj, holds: bool) -> None:
    wanted = pod(affinity=node_affinity({"matchExpressions": [expression]}))
    found = reasons(wanted, [node("n", disk="ssd", cores="4")])["n"]
    assert found == (FITS if holds else SELECTOR_MESSAGE)


def test_one_term_of_a_node_affinity_is_enough_and_an_empty_one_matches_nothing() -> None:
    no, yes = [{"matchExpressions": [{"key": "disk", "operator": "In", "values": [kind]}]} for kind in ("hdd", "ssd")]
    assert reasons(pod(affinity=node_affinity(no, yes)), [node("n", disk="ssd")])["n"] is FITS
    assert reasons(pod(affinity=node_affinity({})), [node("n")])["n"] == SELECTOR_MESSAGE


def test_a_node_selector_wants_all_its_labels() -> None:
    assert reasons(pod(nodeSelector={"disk": "ssd"}), [node("n", disk="ssd"), node("m")]) == {
        "n": FITS,
        "m": SELECTOR_MESSAGE,
    }


def test_a_pod_of_a_daemon_set_is_tried_on_its_own_node_only() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["n"]}
    found = reasons(pod(affinity=node_affinity({"matchFields": [field]})), [node("n"), node("m")])
    assert found == {"n": FITS, "m": ("node(s) didn't satisfy plugin(s) [NodeAffinity]",)}


def test_a_host_port_is_given_once() -> None:
    def with_port(name: str, address: str = "", on: str = "") -> Obj:
        port = {"containerPort": 80, "hostPort": 8080, "hostIP": address}
        return pod(name, on=on, containers=[{"name": "c", "ports": [port]}])

    taken = ("node(s) didn't have free ports for the requested pod ports",)
    assert reasons(with_port("a"), [node("n")], [with_port("b", on="n")])["n"] == taken
    assert reasons(with_port("a", "127.0.0.1"), [node("n")], [with_port("b", on="n")])["n"] == taken
    assert reasons(with_port("a", "127.0.0.1"), [node("n")], [with_port("b", "127.0.0.2", on="n")])["n"] is FITS


ZONES = [node("a1", zone="a"), node("a2", zone="a"), node("b1", zone="b"), node("lonely")]


def test_pod_affinity_wants_company_in_the_same_domain() -> None:
    db = pod("db", on="a1", labels={"app": "db"})
    wanted = pod(affinity=affinity("podAffinity", near(ZONE, {"app": "db"})))
    no = ("node(s) didn't match pod affinity rules",)
    assert reasons(wanted, ZONES, [db]) == {"a1": FITS, "a2": FITS, "b1": no, "lonely": no}


def test_the_first_pod_of_a_group_may_start_anywhere_that_has_the_label() -> None:
    wanted = pod(labels={"app": "db"}, affinity=affinity("podAffinity", near(ZONE, {"app": "db"})))
    assert reasons(wanted, ZONES) == {
        "a1": FITS,
        "a2": FITS,
        "b1": FITS,
        "lonely": ("node(s) didn't match pod affinity rules",),
    }


def test_pod_anti_affinity_keeps_the_domain_free_both_ways() -> None:
    apart = affinity("podAntiAffinity", near(ZONE, {"app": "db"}))
    db = pod("db", on="a1", labels={"app": "db"})
    ours = ("node(s) didn't match pod anti-affinity rules",)
    theirs = ("node(s) didn't satisfy existing pods anti-affinity rules",)
    assert reasons(pod(affinity=apart), ZONES, [db]) == {"a1": ours, "a2": ours, "b1": FITS, "lonely": FITS}
    shy = pod("shy", on="a1", affinity=apart)
    assert reasons(pod(labels={"app": "db"}), ZONES, [shy]) == {"a1": theirs, "a2": theirs, "b1": FITS, "lonely": FITS}


def test_affinity_looks_into_the_namespaces_that_it_names() -> None:
    other = pod("db", on="a1", labels={"app": "db"}, namespace="b")
    here = pod(affinity=affinity("podAntiAffinity", near(ZONE, {"app": "db"})))
    there = pod(affinity=affinity("podAntiAffinity", near(ZONE, {"app": "db"}, namespaces=["b"])))
    chosen = pod(
        affinity=affinity("podAntiAffinity", near(ZONE, {"app": "db"}, namespaceSelector={"matchLabels": {"t": "x"}}))
    )
    spaces = [{"metadata": {"name": "b", "labels": {"t": "x"}}}]
    assert reasons(here, ZONES, [other])["a1"] is FITS
    assert reasons(there, ZONES, [other])["a1"] is not FITS
    assert reasons(chosen, ZONES, [other], namespaces=spaces)["a1"] is not FITS
    assert reasons(chosen, ZONES, [other])["a1"] is FITS


def spread(**more: Any) -> list[Obj]:
    selector = {"matchLabels": {"app": "w"}}
    return [
        {"topologyKey": ZONE, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector, **more}
    ]


def test_pods_are_spread_over_zones() -> None:
    there = [pod("w1", on="a1", labels={"app": "w"})]
    uneven = ("node(s) didn't match pod topology spread constraints",)
    missing = ("node(s) didn't match pod topology spread constraints (missing required label)",)
    wanted = pod(labels={"app": "w"}, topologySpreadConstraints=spread())
    assert reasons(wanted, ZONES, there) == {"a1": uneven, "a2": uneven, "b1": FITS, "lonely": missing}
    assert reasons(pod(labels={"app": "w"}, topologySpreadConstraints=spread(maxSkew=2)), ZONES, there)["a1"] is FITS
    soft = pod(labels={"app": "w"}, topologySpreadConstraints=spread(whenUnsatisfiable="ScheduleAnyway"))
    assert reasons(soft, ZONES, there)["a1"] is FITS


def test_nodes_that_the_pod_may_not_use_are_no_domain_for_spreading() -> None:
    there = [pod("w1", on="a1", labels={"app": "w"})]
    wanted = pod(labels={"app": "w"}, nodeSelector={ZONE: "a"}, topologySpreadConstraints=spread())
    assert reasons(wanted, ZONES, there)["a2"] is FITS
    many = pod(labels={"app": "w"}, nodeSelector={ZONE: "a"}, topologySpreadConstraints=spread(minDomains=2))
    assert reasons(many, ZONES, there)["a2"] is not FITS


def test_a_bound_volume_may_tie_a_pod_to_a_node() -> None:
    claim = {"metadata": {"name": "c", "namespace": "a"}, "spec": {"volumeName": "v"}, "status": {"phase": "Bound"}}
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["a1"]}]}
    volume = {"metadata": {"name": "v"}, "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}}
    wanted = pod(volumes=[{"name": "x", "persistentVolumeClaim": {"claimName": "c"}}])
    found = reasons(wanted, ZONES, claims=[claim], volumes=[volume])
    assert found["a1"] is FITS
    assert found["b1"] == ("node(s) didn't match PersistentVolume's node affinity",)


def test_reasons_are_counted_and_sorted() -> None:
    noes = [filters.No(("b", "a"), final=False), filters.No(("a",), final=False)]
    assert filters.sentence(2, noes) == "0/2 nodes are available: 1 b, 2 a."
