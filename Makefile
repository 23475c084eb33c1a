# Every target does its own set-up: the first one makes .venv from the lock, later runs find it ready.
# The targets that need a cluster use the one of KUBECONFIG and skip with a reason where that is not set.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BIN := .venv/bin
READY := .venv/.ready
E2E_NAME := e2e-$(shell echo $$PPID)
NO_CLUSTER = [ -n "$${KUBECONFIG:-}" ] || { echo "make $@: skipped, it needs a cluster: set KUBECONFIG"; exit 0; }

# A busy machine can spoil a measurement: what fails is tried once more, and fails if it fails again.
define ALL_OF_THEM
once() { $(BIN)/python -m pytest -o timeout=900 --durations=20 --durations-min=20 "$$@" tests/cluster; }
twice() { once --cache-clear "$$@" || { echo "--- what failed is tried once more"; once --last-failed --last-failed-no-failures=none "$$@"; }; }
failed=0
twice -n 4 -m 'not alone' || failed=1
twice -m alone || failed=1
exit $$failed
endef

# uv trusts what the machine trusts, as pip and apt do
export UV_SYSTEM_CERTS := 1

.PHONY: help demo test lint e2e e2e-sandbox e2e-crash bench image charts lock clean

help: ## show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

demo: $(READY) ## a chaos experiment on this machine, from nothing
	@$(BIN)/litmus demo

test: $(READY) ## the tests that need no cluster
	@tools/chromium >/dev/null || echo "make $@: the tests in a browser are skipped"
	$(BIN)/python -m pytest -n 3 --dist loadfile --ignore=tests/cluster

lint: $(READY) ## style, types and layers
	@$(BIN)/ruff check --output-format=concise .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

e2e: $(READY) ## the tests against the cluster of KUBECONFIG
	@$(NO_CLUSTER)
	LITMUS_IMAGE=$$(deploy/image/load) || exit 1
	export LITMUS_IMAGE
	$(ALL_OF_THEM)

e2e-sandbox: $(READY) ## the same tests against a sandbox of their own
	@trap '$(BIN)/litmus sandbox down --name $(E2E_NAME)' EXIT
	setting=$$($(BIN)/litmus sandbox up --name $(E2E_NAME)) || exit 1
	eval "$$setting"
	unset LITMUS_IMAGE
	export PATH=$$PWD/$(BIN):$$PATH
	$(ALL_OF_THEM)

e2e-crash: $(READY) ## every fault, while the processes behind it are killed at every moment: a table
	@$(NO_CLUSTER)
	LITMUS_IMAGE=$$(deploy/image/load) || exit 1
	export LITMUS_IMAGE
	$(BIN)/python -m tests.cluster.crash

bench: $(READY) ## what sandbox, hub and exporter cost, how right impact is, and the budgets of design.md §7 in the cluster of KUBECONFIG
	@$(BIN)/python benchmarks/sandbox.py
	$(BIN)/python benchmarks/hub.py
	$(BIN)/python benchmarks/exporter.py
	$(BIN)/python benchmarks/calibration.py
	$(BIN)/python benchmarks/packets.py || echo "make $@: the packet rate was not measured"
	$(NO_CLUSTER)
	LITMUS_IMAGE=$$(deploy/image/load) || exit 1
	export LITMUS_IMAGE
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/stop_all.py || echo "make $@: the stop of everything was not measured"

image: $(READY) ## build/litmus-image.tar, with neither Docker nor root
	@$(BIN)/python deploy/image/build.py

charts: $(READY) ## write deploy/*.yaml and the hub's charts from the experiments
	@$(BIN)/python -m litmus.cli.generate

lock: ## refresh requirements/ from pyproject.toml (UPGRADE=1 takes the newest of everything)
	@tools/lock $(if $(UPGRADE),--upgrade)

clean: ## remove what make made
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml requirements/dev.txt requirements/bootstrap.txt tools/venv
	@tools/venv
	touch $@
