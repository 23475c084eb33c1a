"""The addresses that packets to a service have."""

import pytest

from litmus.kube import errors, services


def put(server, *, ready=(), unready=(), **spec) -> None:
    server.put("services", {"metadata": {"name": "db"}, "spec": spec})
    subsets = [
        {"addresses": [{"ip": ip} for ip in ready]},
        {"notReadyAddresses": [{"ip": ip} for ip in unready]},
    ]
    server.put("endpoints", {"metadata": {"name": "db"}, "subsets": subsets})


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({"clusterIP": "10.96.0.7", "ready": ["10.1.0.1", "10.1.0.2"]}, ("10.96.0.7", "10.1.0.1", "10.1.0.2")),
        ({"clusterIP": "None", "ready": ["10.1.0.1"], "unready": ["10.1.0.3"]}, ("10.1.0.1", "10.1.0.3")),
        ({"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7", "fd00::7"]}, ("10.96.0.7", "fd00::7")),
        ({"type": "ExternalName", "externalName": "db.example.com"}, ("db.example.com",)),
        ({"clusterIP": "None"}, ()),
    ],
)
async def test_all_addresses_of_a_service_are_found_each_once(server, cluster, service, expected):
    put(server, **service)
    assert await services.destinations(cluster, "db", namespace="shop") == expected


async def test_a_service_that_is_not_there_is_an_error(server, cluster):
    with pytest.raises(errors.NotFound):
        await services.destinations(cluster, "db", namespace="shop")
