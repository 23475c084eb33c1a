"""The network experiments: what their tunables accept, and what they ask of the mechanism."""

import msgspec
import pytest

from litmus.experiments import network, pod_network_latency, verdicts
from litmus.experiments.catalogue import find
from litmus.experiments.held import Aim
from litmus.experiments.tunables import Range, Tunable, TunableError
from litmus.faults import processes
from litmus.faults.network.fault import NetworkFault
from litmus.kube.objects import Pod
from tests import samples
from tests.experiments import stage

EXPERIMENTS = [f"pod-network-{word}" for word in ("latency", "loss", "corruption", "duplication")]


def pod(**spec) -> Pod:
    raw = samples.pod()
    raw["spec"] |= spec
    return msgspec.convert(raw, Pod)


def aim(name: str, target: Pod | None = None, **env: str) -> Aim:
    experiment = find(name)
    [found] = experiment.aims(target or pod(), stage.values(experiment, **env))
    return found


def parameters(name: str, **env: str) -> dict:
    return dict(aim(name, **env).parameters)


@pytest.mark.parametrize(
    ("name", "env", "asked", "expected"),
    [
        ("pod-network-latency", {}, "60000 ms delay", {"delay_ms": 60000}),
        (
            "pod-network-latency",
            {"NETWORK_LATENCY": "200", "JITTER": "20", "REORDERING": "10", "RATE": "1.5mbit"},
            "200 ms delay ± 20 ms, 10 % reordering, 1500 kbit/s",
            {"delay_ms": 200, "jitter_ms": 20, "reordering": 10, "rate_kbit": 1500},
        ),
        ("pod-network-loss", {}, "100 % loss", {"loss": 100}),
        ("pod-network-corruption", {}, "100 % corruption", {"corruption": 100}),
        ("pod-network-duplication", {}, "100 % duplication", {"duplication": 100}),
        ("pod-network-loss", {"NETWORK_PACKET_LOSS_PERCENTAGE": "0.5"}, "0.5 % loss", {"loss": 0.5}),
    ],
)
def test_what_is_asked_of_the_mechanism(name, env, asked, expected):
    found = aim(name, **env)
    assert found.target.asked == asked
    assert dict(found.parameters).items() >= expected.items()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_mechanism_takes_all_that_an_aim_says(name):
    NetworkFault(fault_id="x-0", **parameters(name, TARGET_IPS="10.0.0.1", DESTINATION_PORTS="80", DIRECTION="both"))
    assert parameters(name)["container_id"] == processes.bare_id(samples.CONTAINER_ID)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_interface_is_the_chart_s_there_and_the_route_s_where_nobody_says(name):
    tunables = {tunable.name: tunable for tunable in find(name).all_tunables()}
    assert tunables["NETWORK_INTERFACE"].chart == "eth0"
    assert parameters(name)["interface"] == ""
    assert tunables["TOTAL_CHAOS_DURATION"].chart == "60"


def test_old_and_new_names_of_peers_both_count_and_each_once():
    found = parameters(
        "pod-network-loss",
        TARGET_IPS="10.0.0.1, 10.1.2.3/8",
        DESTINATION_IPS="10.0.0.1,fd00::1",
        TARGET_HOSTS="db.example.com",
        DESTINATION_HOSTS="redis",
        DESTINATION_PORTS="443,80",
        SOURCE_PORTS="80",
    )
    assert found["destinations"] == ["10.0.0.1/32", "10.0.0.0/8", "fd00::1/128", "db.example.com", "redis"]
    assert found["ports"] == [80, 443]


def test_a_range_draws_one_value_for_each_pod_and_the_same_one_each_time():
    one = parameters("pod-network-loss", NETWORK_PACKET_LOSS_PERCENTAGE="20-40")["loss"]
    assert 20 <= one <= 40
    assert one == parameters("pod-network-loss", NETWORK_PACKET_LOSS_PERCENTAGE="20-40")["loss"]
    other = msgspec.convert(samples.pod("web-2"), Pod)
    assert aim("pod-network-loss", other, NETWORK_PACKET_LOSS_PERCENTAGE="20-40").parameters["loss"] != one


@pytest.mark.parametrize(
    ("tunable", "text", "allowed"),
    [
        (pod_network_latency.LATENCY, "2s", "milliseconds from 1 to 240000, without a unit"),
        (pod_network_latency.LATENCY, "0", "milliseconds from 1"),
        (pod_network_latency.LATENCY, "-5", "milliseconds from 1"),
        (pod_network_latency.LATENCY, "nan", "milliseconds from 1"),
        (pod_network_latency.JITTER, "5ms", "without a unit"),
        (pod_network_latency.REORDERING, "120", "from 0 to 100"),
        (pod_network_latency.RATE, "1000", "with its unit"),
        (pod_network_latency.RATE, "1 mbit/s", "with its unit"),
        (network.CORRELATION, "99", "from 0 to 95"),
        (network.TARGET_IPS, "10.0.0.300", "IP address or CIDR"),
        (network.TARGET_IPS, "db.example.com", "TARGET_HOSTS"),
        (network.TARGET_HOSTS, "10.0.0.7", "TARGET_IPS"),
        (network.TARGET_HOSTS, "http://db", "no host name"),
        (network.DESTINATION_PORTS, "0", "from 1 to 65535"),
        (network.DESTINATION_PORTS, "!80", "from 1 to 65535"),
        (network.TARGET_SERVICE, "a/b/c", "no service"),
        (network.DIRECTION, "out", "egress or ingress or both"),
        (network.ENGINE, "ebpf", "auto or kernel or userspace"),
        (network.INTERFACE, "eth0 eth1", "one network interface"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(tunable: Tunable, text, allowed):
    with pytest.raises(TunableError) as caught:
        tunable.value(text)
    sentence = str(caught.value)
    assert sentence.startswith(f"{tunable.name}={text!r}")
    assert allowed in sentence


@pytest.mark.parametrize("text", ["101", "0", "-1", "50%", "abc", "nan"])
@pytest.mark.parametrize("name", EXPERIMENTS[1:])
def test_a_share_that_is_none_is_refused(name, text):
    word = name.rpartition("-")[2].upper()
    with pytest.raises(
        TunableError, match=f"NETWORK_PACKET_{word}_PERCENTAGE='{text}': must be a percentage of packets"
    ):
        stage.values(find(name), **{f"NETWORK_PACKET_{word}_PERCENTAGE": text})


def test_ranges_and_numbers_are_read():
    assert pod_network_latency.LATENCY.value("100-300") == Range(100, 300)
    assert pod_network_latency.RATE.value("") == 0
    assert pod_network_latency.RATE.value("10Mbit") == 10_000


def test_a_jitter_above_the_delay_is_refused():
    with pytest.raises(verdicts.CannotRun, match="JITTER=300: must be at most NETWORK_LATENCY, 200 ms"):
        aim("pod-network-latency", NETWORK_LATENCY="200", JITTER="300")


def test_a_pod_in_the_host_s_network_is_refused():
    with pytest.raises(verdicts.CannotRun, match="the host's own network"):
        aim("pod-network-loss", pod(hostNetwork=True))


def test_a_container_that_the_pod_has_not_is_refused():
    with pytest.raises(verdicts.CannotRun, match="TARGET_CONTAINER='sidecar'"):
        aim("pod-network-loss", TARGET_CONTAINER="sidecar")


@pytest.fixture
def shop(server):
    """A service with an endpoint."""
    server.put("services", {"metadata": {"name": "db"}, "spec": {"clusterIP": "10.96.0.7"}})
    server.put("endpoints", {"metadata": {"name": "db"}, "subsets": [{"addresses": [{"ip": "10.1.0.9"}]}]})
    return server


async def found(server, cluster, text: str) -> list[str]:
    experiment = find("pod-network-loss")
    stage.deployment(server, "web-1")
    values = stage.values(experiment, TARGET_SERVICE=text, TARGET_IPS="10.0.0.1")
    await experiment.foresee(cluster, [stage.WEB], values, seed="x")
    [one] = experiment.aims(pod(), values)
    return one.parameters["destinations"]


@pytest.mark.parametrize("text", ["db", "shop/db"])
async def test_a_service_s_own_address_and_its_endpoints_are_meant(shop, cluster, text):
    assert await found(shop, cluster, text) == ["10.0.0.1/32", "10.96.0.7", "10.1.0.9"]


async def test_a_service_that_is_not_there_is_named(shop, cluster):
    with pytest.raises(
        verdicts.CannotRun, match="TARGET_SERVICE='nobody': there is no service nobody in namespace shop"
    ):
        await found(shop, cluster, "nobody")


async def test_a_service_that_may_not_be_read_says_what_the_role_lacks(shop, cluster):
    shop.forbid("get", "services")
    with pytest.raises(verdicts.CannotRun, match="may not get services and endpoints in namespace shop") as caught:
        await found(shop, cluster, "db")
    assert caught.value.code == verdicts.PERMISSION
