"""Pods of a run start often and must stay small: their entry points import little (design.md, section 8)."""

import json
import subprocess
import sys
from functools import cache
from importlib import metadata

import pytest

from litmus.experiments import catalogue
from litmus.faults import command as faults
from litmus.probes import kinds

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
def imported_by(module: str, *more: str, standard: bool = False) -> frozenset[str]:
    """The modules that a fresh process has after importing ``module``; the standard library's only if asked for."""
    script = SCRIPT.format(module=module, more=more)
    # -I: nothing of this machine's environment; -S would hide the virtual environment.
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return frozenset(name for name in found if standard or top(name) not in sys.stdlib_module_names)


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


EXPERIMENTS = tuple(
    module for one in catalogue.everything() if (module := type(one).__module__).startswith("litmus.experiments.")
)


@pytest.mark.parametrize(
    "modules",
    [("litmus.experiments.command", *EXPERIMENTS), ("litmus.runner.command",), ("litmus.logs",), ("litmus.__main__",)],
    ids=lambda modules: modules[0],
)
def test_a_pod_of_a_run_imports_the_kubernetes_client_and_nothing_else(modules):
    assert third_parties(*modules) <= ALLOWED


HELPER = {
    name: ("litmus.faults.command", "litmus.faults.session", f"litmus.faults.{module}")
    for name, (module, _) in faults.MECHANISMS.items()
}


@pytest.mark.parametrize("mechanism", HELPER)
def test_the_helper_on_a_node_imports_nothing_but_the_standard_library_and_our_faults(mechanism):
    assert third_parties(*HELPER[mechanism]) == set()
    ours = {name for name in imported_by(*HELPER[mechanism]) if top(name) == "litmus"}
    assert {".".join(name.split(".")[:2]) for name in ours} == {"litmus", "litmus.faults"}


@pytest.mark.parametrize("mechanism", HELPER)
def test_the_helper_on_a_node_starts_without_what_is_slow_to_import(mechanism):
    """Each of these costs a slow node 50 ms and more, and none is needed to hold a fault."""
    slow = {"asyncio", "email", "http", "multiprocessing", "ssl", "unittest", "urllib.request"}
    assert not slow & imported_by(*HELPER[mechanism], standard=True)


def test_a_helper_that_only_hits_does_not_import_what_holds_a_fault():
    assert "litmus.faults.session" not in imported_by("litmus.faults.command", "litmus.faults.kill")


def test_a_mechanism_does_not_import_another_family():
    families = {module.partition(".")[0] for module, _ in faults.MECHANISMS.values()}
    for module, _ in faults.MECHANISMS.values():
        found = {name.split(".")[2] for name in imported_by(f"litmus.faults.{module}") if name.count(".") > 1}
        assert not found & (families - {module.partition(".")[0]})


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


RUN = ("litmus.experiments.command", "litmus.experiments.lifecycle", "litmus.experiments.steady_form", *EXPERIMENTS)
MEASURED = ("litmus.experiments.steady_state", "litmus.probes.traffic_pod", "litmus.probes.command_pod")
PROBES = tuple(f"litmus.probes.{module}" for module in kinds.MODULES.values())


def test_a_run_without_probes_imports_neither_them_nor_the_analysis():
    found = {".".join(name.split(".")[:2]) for name in imported_by(*RUN)}
    assert "litmus.experiments" in found
    assert not found & {"litmus.probes", "litmus.impact"}


def test_a_run_with_every_probe_imports_the_kubernetes_client_and_nothing_else():
    assert third_parties(*RUN, *MEASURED, *PROBES) <= ALLOWED


def test_a_pod_that_makes_traffic_imports_no_experiment_and_no_analysis():
    assert third_parties("litmus.probes.traffic_role") <= ALLOWED
    found = {".".join(name.split(".")[:2]) for name in imported_by("litmus.probes.traffic_role")}
    assert not found & {"litmus.experiments", "litmus.impact", "litmus.hub"}


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_imports_no_probe_of_another_type(probe):
    assert imported_by("litmus.experiments.steady_state", probe) & set(PROBES) == {probe}


@pytest.mark.parametrize("module", EXPERIMENTS)
def test_an_experiment_imports_no_sibling_but_the_one_that_it_builds_on(module):
    assert len(set(EXPERIMENTS) & imported_by(module) - {module}) <= 1


def test_a_pod_of_a_run_does_not_import_an_experiment_before_it_knows_which():
    assert not set(EXPERIMENTS) & imported_by("litmus.experiments.command")
