"""``litmus hub install`` on a cluster with its own RBAC: from a fresh namespace to a Pass, and who may not."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import stage as stages


@pytest.fixture
def fresh(operator: None) -> Iterator[stages.Stage]:
    """A namespace in which nothing of litmus is."""
    made = stages.Stage(f"e2e-{secrets.token_hex(3)}")
    stages.kubectl("create", "namespace", made.name)
    yield made
    stages.kubectl("delete", "namespace", made.name, "--wait=false")


def install(stage: stages.Stage, *names: str, kubeconfig: Path | None = None) -> stages.Finished:
    image = ["--image", stages.IMAGE] if stages.IMAGE else []
    login = ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
    return stages.litmus("hub", "install", *names, "-n", stage.name, *image, *login)


def test_what_the_hub_installs_and_hands_out_runs_to_a_pass(fresh: stages.Stage, tmp_path: Path):
    fresh.deploy(replicas=2, name="nginx")
    done = install(fresh, "pod-delete")
    assert done.status == 0, str(done)
    engine = tmp_path / "engine.yaml"
    engine.write_text(stages.litmus("hub", "get", "pod-delete", "--engine", "-n", fresh.name, check=True).out)
    ran = stages.litmus("run", str(engine), deadline_s=180)
    assert ran.status == 0, str(ran)
    assert fresh.verdict(name="nginx-chaos") == ("Pass", "N/A")


@pytest.fixture
def admin(fresh: stages.Stage, tmp_path: Path) -> Path:
    """The kubeconfig of somebody who may do in the namespace what its administrator may, but knows no chaos."""
    fresh.kubectl("create", "serviceaccount", "dev")
    fresh.kubectl("create", "rolebinding", "dev", "--clusterrole=admin", f"--serviceaccount={fresh.name}:dev")
    config = json.loads(stages.kubectl("config", "view", "--minify", "--flatten", "--raw", "-o", "json"))
    config["users"] = [{"name": "dev", "user": {"token": fresh.kubectl("create", "token", "dev")}}]
    config["contexts"][0]["context"]["user"] = "dev"
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(config))
    return file


def test_who_lacks_a_right_is_told_which_and_nothing_is_installed(fresh: stages.Stage, admin: Path):
    said = install(fresh, "pod-delete", kubeconfig=admin)
    assert said.status == 2
    assert 'cannot patch resource "chaosexperiments"' in said.err

    chaos = "chaosengines,chaosexperiments,chaosresults"
    fresh.kubectl("create", "role", "chaos", "--verb=*", f"--resource={chaos}")
    fresh.kubectl("create", "rolebinding", "chaos", "--role=chaos", f"--serviceaccount={fresh.name}:dev")
    said = stages.until(lambda: _of_role(install(fresh, "pod-delete", kubeconfig=admin)), "the role to be known")
    assert said.status == 2
    assert "only who has all the rights of a role can give it" in said.err
    assert said.err.count("\n") == 1

    assert fresh.get("chaosexperiments") == []
    assert fresh.get("serviceaccounts", "pod-delete-sa") is None


def _of_role(said: stages.Finished) -> stages.Finished | None:
    """A real API server learns of a new role a moment later."""
    return said if "chaosexperiment.litmus" not in said.err else None


def test_who_may_give_the_role_and_is_no_administrator_of_the_cluster_can_install(fresh: stages.Stage, admin: Path):
    """The binding can't be rehearsed before its role is there."""
    stages.grant(fresh)
    fresh.kubectl("create", "rolebinding", "chaos", "--role=chaos-sa", f"--serviceaccount={fresh.name}:dev")
    stages.until(lambda: install(fresh, "pod-delete", kubeconfig=admin).status == 0, "the installation")
    assert fresh.get("rolebinding", "pod-delete-sa")["subjects"][0]["namespace"] == fresh.name
