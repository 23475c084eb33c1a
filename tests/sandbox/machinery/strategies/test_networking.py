import pytest

from litmus.sandbox.machinery.strategies import networking


def policy(cidr, *excluded):
    block = {"cidr": cidr, "except": list(excluded)}
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"ipBlock": block}]}]}
    return [cause.field for cause in networking.NetworkPolicies().validate({"spec": spec})]


def ingress(**tls):
    return networking.Ingresses().validate(
        {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 1}}}, "tls": [tls]}}
    )


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "2001:db8::/64"])
def test_a_policy_may_name_a_block_of_addresses(cidr):
    assert policy(cidr) == []


@pytest.mark.parametrize("cidr", ["-10.0.0.0/8", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "x/8", ""])
def test_what_is_no_block_of_addresses_is_refused(cidr):
    assert policy(cidr) == ["spec.ingress[0].from[0].ipBlock.cidr"]


@pytest.mark.parametrize("excluded", ["", "10.0.0.0/8", "11.0.0.0/16", "0.0.0.0/0", "2001:db8::/64"])
def test_only_a_part_of_a_block_can_be_excluded(excluded):
    assert policy("10.0.0.0/8", "10.1.0.0/16", excluded) == ["spec.ingress[0].from[0].ipBlock.except[1]"]


def test_the_secret_and_the_hosts_of_an_ingress_have_names_of_dns():
    assert ingress(hosts=["a.b", "*.b"], secretName="cert") == []
    assert [cause.field for cause in ingress(hosts=["A"], secretName="T")] == [
        "spec.tls[0].hosts[0]",
        "spec.tls[0].secretName",
    ]
