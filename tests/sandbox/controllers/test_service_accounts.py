import base64

import pytest

from litmus.sandbox.controllers.service_accounts import RootCa, ServiceAccounts, TokenSecrets
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.world import World


@pytest.fixture
def world() -> World:
    return World()


def issue(account: Obj, secret: Obj) -> str:
    return f"token of {objects.name(account)} in {objects.name(secret)}"


def secret(world: World, account: str, uid: str = "") -> Obj:
    known = {"kubernetes.io/service-account.name": account}
    if uid:
        known["kubernetes.io/service-account.uid"] = uid
    meta = {"name": "t", "namespace": "shop", "annotations": known}
    return world.make("secrets", {"metadata": meta, "type": "kubernetes.io/service-account-token"})


def decoded(found: Obj | None) -> dict[str, str]:
    return {key: base64.b64decode(text).decode() for key, text in (found or {}).get("data", {}).items()}


def test_every_namespace_has_an_account_and_the_certificate(world: World) -> None:
    both = (ServiceAccounts(world), RootCa(world, ca="PEM"))
    world.namespace("shop")
    world.settle(*both)
    assert world.there("serviceaccounts", "shop") == ["default"]
    config = world.get("configmaps", "kube-root-ca.crt", "shop")
    assert config is not None
    assert config["data"] == {"ca.crt": "PEM"}


def test_what_is_deleted_or_changed_is_put_back(world: World) -> None:
    both = (ServiceAccounts(world), RootCa(world, ca="PEM"))
    world.namespace("shop")
    world.settle(*both)
    world.delete("serviceaccounts", "default", "shop")
    config = world.get("configmaps", "kube-root-ca.crt", "shop")
    world.update("configmaps", {**(config or {}), "data": {"ca.crt": "forged"}})
    world.settle(*both)
    assert world.there("serviceaccounts", "shop") == ["default"]
    assert (world.get("configmaps", "kube-root-ca.crt", "shop") or {})["data"] == {"ca.crt": "PEM"}
    world.delete("configmaps", "kube-root-ca.crt", "shop")
    world.settle(*both)
    assert world.there("configmaps", "shop") == ["kube-root-ca.crt"]


def test_a_namespace_that_is_being_deleted_gets_nothing_new(world: World) -> None:
    world.namespace("shop")
    world.delete("namespaces", "shop")
    world.settle(ServiceAccounts(world), RootCa(world, ca="PEM"))
    assert world.there("serviceaccounts", "shop") == []
    assert world.there("configmaps", "shop") == []


def test_a_token_secret_is_filled(world: World) -> None:
    tokens = TokenSecrets(world, ca="PEM", issue=issue)
    account = world.make("serviceaccounts", {"metadata": {"name": "robot", "namespace": "shop"}})
    secret(world, "robot")
    world.settle(tokens)
    found = world.get("secrets", "t", "shop")
    assert decoded(found) == {"ca.crt": "PEM", "namespace": "shop", "token": "token of robot in t"}
    assert objects.annotations(found or {})["kubernetes.io/service-account.uid"] == objects.uid(account)


def test_a_token_secret_goes_with_its_account(world: World) -> None:
    tokens = TokenSecrets(world, ca="PEM", issue=issue)
    world.make("serviceaccounts", {"metadata": {"name": "robot", "namespace": "shop"}})
    secret(world, "robot")
    world.settle(tokens)
    assert world.there("secrets") == ["t"]
    world.delete("serviceaccounts", "robot", "shop")
    world.settle(tokens)
    assert world.there("secrets") == []


def test_a_token_secret_of_an_earlier_account_is_worth_nothing(world: World) -> None:
    world.make("serviceaccounts", {"metadata": {"name": "robot", "namespace": "shop"}})
    secret(world, "robot", uid="another")
    world.settle(TokenSecrets(world, ca="PEM", issue=issue))
    assert world.there("secrets") == []


def test_other_secrets_are_left_alone(world: World) -> None:
    world.make("secrets", {"metadata": {"name": "mine", "namespace": "shop"}, "type": "Opaque", "data": {}})
    world.settle(TokenSecrets(world, ca="PEM", issue=issue))
    assert decoded(world.get("secrets", "mine", "shop")) == {}
