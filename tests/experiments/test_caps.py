"""Caps: what they allow, how they are read, and that a run obeys them before it begins and when it chooses."""

from datetime import UTC, datetime
from typing import Any

import pytest

from litmus.api.targeting import AppTarget
from litmus.experiments import cap_admission, capped, caps, caps_text, catalogue, tunables, verdicts
from tests import apiserver, samples

DEFAULT = caps.standard("litmus")
MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)


def read(text: str) -> caps.Caps:
    return caps_text.read({"caps.yaml": text}, default=DEFAULT)


# What is allowed


def test_by_default_the_system_and_the_operator_are_no_targets():
    DEFAULT.check_namespaces(["shop", "default"])
    for namespace in ("kube-system", "litmus"):
        with pytest.raises(caps.Exceeded, match=rf"forbiddenNamespaces.*would hit namespace {namespace}\."):
            DEFAULT.check_namespaces(["shop", namespace])
    caps.standard("team", alone=True).check_namespaces(["team"])


def test_a_refusal_says_which_cap_its_value_and_who_may_change_it():
    with pytest.raises(caps.Exceeded) as caught:
        DEFAULT.check_duration("pod-delete", 3601)
    assert str(caught.value) == (
        "refused by the cap longestDuration (3600 s) of this cluster: TOTAL_CHAOS_DURATION of pod-delete is 3601 s. "
        "Who administers namespace litmus may change it: kubectl edit configmap litmus-caps -n litmus"
    )
    DEFAULT.check_duration("pod-delete", 3600)


@pytest.mark.parametrize(
    ("share", "schedulable", "most"),
    [(66, 1, 1), (66, 2, 1), (66, 3, 1), (66, 4, 2), (66, 10, 6), (100, 3, 3), (1, 50, 1), (0, 50, 0), (34, 3, 1)],
)
def test_the_share_of_nodes_is_rounded_down_but_one_may_be_hit_unless_the_share_is_nothing(share, schedulable, most):
    limits = caps.Caps(nodes=share)
    limits.check_nodes(0, schedulable=schedulable)
    if most:
        limits.check_nodes(most, schedulable=schedulable)
    with pytest.raises(caps.Exceeded, match="largestShareOfNodes"):
        limits.check_nodes(most + 1, schedulable=schedulable)


def test_nodes_that_other_runs_hit_count():
    caps.Caps(nodes=50).check_nodes(1, schedulable=4, elsewhere=1)
    with pytest.raises(caps.Exceeded, match="other runs hit 2 now; of 4 that take pods at most 2 may be"):
        caps.Caps(nodes=50).check_nodes(1, schedulable=4, elsewhere=2)


def test_the_share_of_pods_is_off_unless_set_and_then_spares_a_single_replica():
    DEFAULT.check_pods({"shop": 1}, of={"shop": 1})
    half = caps.Caps(pods=50)
    half.check_pods({"shop": 2}, of={"shop": 4})
    with pytest.raises(caps.Exceeded, match="it would hit 1 pod of namespace shop; of its 1 at most 0 may be"):
        half.check_pods({"shop": 1}, of={"shop": 1})


OFFICE = caps.Window(days="Mon-Fri", from_="09:00", to="17:00", time_zone="Europe/Berlin")
NIGHT = caps.Window(days="Mon", from_="22:00", to="04:00")


@pytest.mark.parametrize(
    ("windows", "start", "lasting_s", "allowed"),
    [
        ((), MONDAY, 1e6, True),
        ((OFFICE,), MONDAY.replace(hour=8), 3600, True),  # 09:00 in Berlin
        ((OFFICE,), MONDAY.replace(hour=7, minute=59), 60, False),
        ((OFFICE,), MONDAY.replace(hour=15, minute=30), 1800, True),
        ((OFFICE,), MONDAY.replace(hour=15, minute=30), 1801, False),
        ((OFFICE,), MONDAY.replace(day=7), 60, False),
        ((NIGHT,), MONDAY.replace(day=3, hour=3), 3600, True),  # it began on Monday
        ((NIGHT,), MONDAY.replace(hour=3), 60, False),
        ((NIGHT,), MONDAY.replace(hour=22), 6 * 3600, True),
        ((OFFICE, caps.Window(from_="16:00", to="24:00")), MONDAY.replace(hour=15), 8 * 3600, True),  # two that meet
        ((caps.Window(),), MONDAY, 7 * 86400, True),
    ],
)
def test_all_of_a_run_lies_within_the_allowed_times(windows, start, lasting_s, allowed):
    limits = caps.Caps(windows=windows)
    if allowed:
        limits.check_time(start, lasting_s)
    else:
        with pytest.raises(caps.Exceeded, match="allowedTimes"):
            limits.check_time(start, lasting_s)


def test_an_allowed_time_is_on_the_clock_of_its_zone_also_when_clocks_change():
    sunday = caps.Window(days="Sun", from_="02:00", to="04:00", time_zone="Europe/Berlin")
    opens = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00 comes twice: it is open for three hours
    assert sunday.holding(opens) == datetime(2026, 10, 25, 3, 0, tzinfo=UTC)
    spring = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # 02:00 is 03:00: it is open for one hour
    assert sunday.holding(spring) == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)


# How they are written


def test_what_is_not_written_keeps_its_default():
    assert caps_text.read(None, default=DEFAULT) == DEFAULT
    assert read("") == DEFAULT
    assert read("longestDuration: 10m") == caps.Caps(
        forbidden_namespaces=("kube-system", "litmus"), longest_s=600, place="litmus/litmus-caps"
    )


def test_every_cap_can_be_set_and_switched_off():
    found = read(
        """
        forbiddenNamespaces: [payment]
        largestShareOfNodes: 25%
        largestShareOfPods: 50 %
        longestDuration: 1h30m
        allowedTimes:
        - {days: Mon-Fri, from: "09:00", to: "17:00", timeZone: Europe/Berlin}
        - from: 22:00
        """
    )
    assert (found.forbidden_namespaces, found.nodes, found.pods, found.longest_s) == (("payment",), 25, 50, 5400)
    assert found.windows == (OFFICE, caps.Window(from_="22:00"))
    off = read("{forbiddenNamespaces: [], largestShareOfNodes: off, largestShareOfPods: 'off', longestDuration: off}")
    assert (off.forbidden_namespaces, off.nodes, off.pods, off.longest_s) == ((), None, None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("longestDuration: [", "line 2"),
        ("longestDuration: 1h\nlongestDuration: 2h", "line 2: longestDuration stands twice"),
        ("a: 1", "line 1: a: unknown cap; known: forbiddenNamespaces"),
        ("\nlongestDuratoin: 1h", "line 2: longestDuratoin: unknown cap; did you mean longestDuration?"),
        ("longestDuration: 0", "longestDuration: 0 must be a time with its unit"),
        ("longestDuration: 3600", "line 1: longestDuration: 3600 must be a time with its unit such as 90s"),
        ("largestShareOfNodes: 0.66", "line 1: largestShareOfNodes: 0.66 must be a percentage from 0% to 100%, or off"),
        ("largestShareOfPods: -1%", "largestShareOfPods: '-1%' must be a percentage"),
        ("forbiddenNamespaces: kube-system", "forbiddenNamespaces: 'kube-system' must be a list of namespaces"),
        ("allowedTimes: always", "allowedTimes: 'always' must be a list of times"),
        ("allowedTimes:\n- days: Mon\n  from: '9'", "line 3: allowedTimes[0].from: '9' must be a time of the day"),
        ("allowedTimes:\n- {dayz: Mon}", "line 2: allowedTimes[0].dayz: unknown field; did you mean days?"),
        ("allowedTimes:\n- {}\n- {timeZone: Mars}", "line 3: allowedTimes[1].timeZone: 'Mars' must be the IANA name"),
        ("- longestDuration", "must be one set of caps"),
    ],
)
def test_caps_that_make_no_sense_are_a_mistake_with_its_line(text: str, said: str):
    with pytest.raises(caps.Mistake) as caught:
        read(text)
    assert said in str(caught.value)
    assert "litmus/litmus-caps" in str(caught.value)


def test_another_key_of_the_config_map_is_a_mistake_too():
    with pytest.raises(caps.Mistake, match=r"one key caps.yaml; it has caps.yml"):
        caps_text.read({"caps.yml": ""}, default=DEFAULT)


def test_they_go_to_the_experiment_whole():
    limits = caps.Caps(windows=(OFFICE,), pods=12.5, place="chaos/litmus-caps")
    assert caps.handed(caps.written(limits)) == limits
    assert caps.handed("") is None
    with pytest.raises(caps.Mistake, match="LITMUS_CAPS can't be read"):
        caps.handed("{")


# Before a run


def entry(experiment: str = "pod-delete", **env: str) -> dict[str, Any]:
    variables = [{"name": name, "value": value} for name, value in env.items()]
    return {"name": experiment, "spec": {"components": {"env": variables}}}


async def admitted(cluster, limits: caps.Caps, *entries: dict[str, Any], namespace: str = "shop") -> None:
    engine = samples.an_engine(experiments=list(entries or (entry(),)))
    targets = [AppTarget(kind="deployment", namespace=namespace, names=("web",))]
    await cap_admission.check(cluster, engine, targets, limits)


@pytest.fixture
def shop(server: apiserver.Server) -> apiserver.Server:
    server.put("chaosexperiments", samples.experiment(env=[{"name": "TOTAL_CHAOS_DURATION", "value": "90"}]))
    server.put("deployments", samples.workload())
    server.put("replicasets", {"metadata": {"name": "web-5d7f9"}})
    for name in ("web-5d7f9-a", "web-5d7f9-b"):
        server.put("pods", samples.pod(name))
    return server


async def test_an_engine_within_the_caps_is_admitted(shop, cluster):
    await admitted(cluster, DEFAULT)


async def test_the_duration_is_that_of_the_engine_else_of_the_installed_experiment(shop, cluster):
    with pytest.raises(caps.Exceeded, match="TOTAL_CHAOS_DURATION of pod-delete is 90 s"):
        await admitted(cluster, caps.Caps(longest_s=60))
    await admitted(cluster, caps.Caps(longest_s=60), entry(TOTAL_CHAOS_DURATION="60"))


async def test_every_experiment_of_an_engine_is_looked_at(shop, cluster):
    with pytest.raises(caps.Exceeded, match="of container-kill is 4000 s"):
        await admitted(cluster, DEFAULT, entry(), entry("container-kill", TOTAL_CHAOS_DURATION="4000"))


async def test_a_target_in_a_forbidden_namespace_is_refused(shop, cluster):
    with pytest.raises(caps.Exceeded, match="forbiddenNamespaces"):
        await admitted(cluster, DEFAULT, namespace="kube-system")


async def test_a_share_of_pods_is_of_those_that_run_for_themselves(shop, cluster):
    hit_all = entry(PODS_AFFECTED_PERC="100")
    shop.put("pods", samples.pod("runner", labels={"chaosUID": "x"}))
    with pytest.raises(caps.Exceeded, match="it would hit 2 pods of namespace shop; of its 2 at most 1 may be"):
        await admitted(cluster, caps.Caps(pods=50), hit_all)
    await admitted(cluster, caps.Caps(pods=50), entry(PODS_AFFECTED_PERC="100", SEQUENCE="serial"))


async def test_what_can_not_be_foreseen_is_left_to_the_experiment(server, cluster):
    await admitted(cluster, caps.Caps(pods=1), entry("somebody-elses"))
    await admitted(cluster, caps.Caps(pods=1), entry(TOTAL_CHAOS_DURATION="soon"))


async def test_nodes_hit_by_other_engines_count_before_a_run(server, cluster):
    for name in ("n1", "n2", "n3", "n4"):
        server.put("nodes", samples.node(name), namespace="")
    server.put("nodes", samples.node("control", taints=[{"key": "c", "effect": "NoSchedule"}]), namespace="")
    one = entry("node-cpu-hog", TARGET_NODES="n1")
    await admitted(cluster, caps.Caps(nodes=25), one)
    with pytest.raises(caps.Exceeded, match="it would hit 2 nodes; of 4 that take pods at most 1 may be"):
        await admitted(cluster, caps.Caps(nodes=25), entry("node-cpu-hog", TARGET_NODES="n1,n2"))
    fault = {"id": "x", "mechanism": "stress", "node": "n2", "targets": [{"name": "n2"}], "undo": {}, "deadline": ""}
    server.put(
        "chaosresults",
        samples.result("other", meta={"labels": {"litmuschaos.io/open-faults": "true"}}, faults=[fault])
        | {"spec": {"engine": "other"}},
    )
    with pytest.raises(caps.Exceeded, match="and other runs hit 1 now"):
        await admitted(cluster, caps.Caps(nodes=25), one)


# When targets are chosen


def values(**env: str) -> tunables.Values:
    return tunables.read(catalogue.find("pod-delete").all_tunables(), env)


def test_an_experiment_looks_at_its_own_duration_again():
    experiment = catalogue.find("pod-delete")
    capped.run(None, experiment, values(TOTAL_CHAOS_DURATION="9999"), [])
    with pytest.raises(verdicts.CannotRun, match="longestDuration") as caught:
        capped.run(DEFAULT, experiment, values(TOTAL_CHAOS_DURATION="9999"), [])
    assert caught.value.code == "CAP_EXCEEDED"


async def test_an_experiment_looks_at_what_it_has_chosen(shop, cluster):
    chosen = [samples.a_pod("web-5d7f9-a"), samples.a_pod("web-5d7f9-b")]
    await capped.pods(cluster, DEFAULT, chosen, values())
    with pytest.raises(verdicts.CannotRun, match="largestShareOfPods"):
        await capped.pods(cluster, caps.Caps(pods=50), chosen, values())
    with pytest.raises(verdicts.CannotRun, match="forbiddenNamespaces"):
        capped.namespaces(DEFAULT, ["kube-system"])


async def test_an_experiment_looks_at_the_nodes_it_has_chosen(server, cluster):
    for name in ("n1", "n2", "n3"):
        server.put("nodes", samples.node(name), namespace="")
    two = [samples.a_node("n1"), samples.a_node("n2")]
    await capped.nodes(cluster, DEFAULT, two[:1], values())
    await capped.nodes(cluster, DEFAULT, two, values(SEQUENCE="serial"))
    with pytest.raises(verdicts.CannotRun, match="of 3 that take pods at most 1"):
        await capped.nodes(cluster, DEFAULT, two, values())
