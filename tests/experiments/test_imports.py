"""Pods of a run start often and must stay small: their entry points import little (design.md, section 8)."""

import json
import subprocess
import sys
from functools import cache
from importlib import metadata

import pytest

ALLOWED = {
    "msgspec",
    "lightkube",
    "lightkube-models",
    "httpx2",
    "httpcore2",
    "h11",
    "anyio",
    "idna",
    "sniffio",
    "truststore",
    "certifi",
    "typing-extensions",
    "pyyaml",
}
SCRIPT = """
import importlib, json, sys
before = set(sys.modules)
importlib.import_module({module!r})
for name in {more!r}:
    importlib.import_module(name)
# What Cython puts there beside real modules has no spec.
new = [name for name in set(sys.modules) - before if getattr(sys.modules[name], "__spec__", None)]
print(json.dumps(new))
"""


@cache
def imported_by(module: str, *more: str) -> frozenset[str]:
    """The modules that a fresh process has after importing ``module``, without the standard library."""
    script = SCRIPT.format(module=module, more=more)
    # -I: nothing of this machine's environment; -S would hide the virtual environment.
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    return frozenset(name for name in json.loads(done.stdout) if top(name) not in sys.stdlib_module_names)


def top(name: str) -> str:
    return name.partition(".")[0]


@cache
def distributions() -> dict[str, set[str]]:
    owners = metadata.packages_distributions().items()
    return {name: {owner.lower().replace("_", "-") for owner in found} for name, found in owners}


def third_parties(*modules: str) -> set[str]:
    known = distributions()
    found = {top(name) for name in imported_by(*modules)} - {"litmus"}
    return set().union(*(known.get(name, {name}) for name in found))


EXPERIMENTS = ("litmus.experiments.pod_delete", "litmus.experiments.container_kill")


@pytest.mark.parametrize(
    "modules",
    [("litmus.experiments.command", *EXPERIMENTS), ("litmus.runner.command",), ("litmus.logs",), ("litmus.__main__",)],
    ids=lambda modules: modules[0],
)
def test_a_pod_of_a_run_imports_the_kubernetes_client_and_nothing_else(modules):
    assert third_parties(*modules) <= ALLOWED


def test_the_helper_on_a_node_imports_nothing_but_the_standard_library_and_our_faults():
    assert third_parties("litmus.faults.command") == set()


def test_the_helper_on_a_node_knows_no_other_room_of_ours():
    ours = {name for name in imported_by("litmus.faults.command") if top(name) == "litmus"}
    assert {".".join(name.split(".")[:2]) for name in ours} == {"litmus", "litmus.faults"}


@pytest.mark.parametrize(
    "heavy",
    [
        "kopf",
        "aiohttp",
        "litestar",
        "uvicorn",
        "cyclopts",
        "rich",
        "structlog",
        "prometheus_client",
        "jinja2",
        "pydantic",
        "attr",
        "attrs",
    ],
)
def test_no_pod_of_a_run_pays_for_the_operator_the_servers_or_the_command_line(heavy):
    for modules in (("litmus.experiments.command", *EXPERIMENTS), ("litmus.runner.command",)):
        assert heavy not in {top(name) for name in imported_by(*modules)}


def test_an_experiment_does_not_import_its_siblings():
    assert "litmus.experiments.container_kill" not in imported_by("litmus.experiments.pod_delete")
    assert not set(EXPERIMENTS) & imported_by("litmus.experiments.command")
