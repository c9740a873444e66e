# Every verb of this project. A machine needs python3 (3.11 or later) and make, nothing else.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
UV_VERSION := 0.13.9
WORKERS ?= 4
ARGS ?=
ENGINE ?= $(if $(shell command -v podman),podman,docker)
IMAGE ?= leadline:dev
BASE_IMAGE ?= docker.io/library/python:3.13-slim
BUILD_FLAGS ?=

VENV := .venv
BIN := $(VENV)/bin
UV := UV_PROJECT_ENVIRONMENT=$(VENV) UV_PYTHON_DOWNLOADS=never $(BIN)/uv
SYNCED := $(VENV)/.synced
CODE := src services migrations tests deploy/dashboards deploy/image $(patsubst %/,%,$(sort $(dir $(wildcard benchmarks/*.py))))

.PHONY: help setup up demo bench-lateness bench-leases bench-intake bench-backfill bench-cpu bench-footprint test chart check lint format-check fmt types imports generated verify-generated lock wheel image sbom image-test clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SYNCED) ## make .venv with everything that uv.lock names (does nothing if it is there)

$(SYNCED): pyproject.toml uv.lock Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Leadline needs Python 3.11 or later; say make PYTHON=python3.11")'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/uv --version 2>/dev/null | grep -qF 'uv $(UV_VERSION)' || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'
	$(UV) sync --frozen --quiet
	@touch $@

up: setup ## start everything on this machine and watch it work (ARGS="--demo 500" ...)
	@$(BIN)/leadline up $(ARGS)

demo: setup ## watch a business day in five minutes: 500 invented leads, a simulated carrier, a scoreboard at the end
	@$(BIN)/leadline up --data-dir "$$(mktemp -d)/leadline" --demo 500 --start-at 2026-01-05T10:55-05:00 --speed 120 --until 2026-01-05T20:05-05:00

test: setup ## run all tests but the chart's (ARGS="tests/domain -k cadence", WORKERS=4)
	@$(BIN)/python -m tests.observability.tools
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --ignore tests/deploy $(ARGS)

chart: setup ## prove the Helm chart: lint, render by Helm 3 and 4, schemas, policies, values at random, checkov
	@$(BIN)/python -m tests.deploy.tools
	$(BIN)/pytest -n $(WORKERS) --dist worksteal tests/deploy $(ARGS)

check: lint format-check types imports verify-generated chart test ## everything that CI runs

lint: setup ## look for mistakes with ruff
	$(BIN)/ruff check $(CODE)

format-check: setup ## fail if a file is not formatted
	$(BIN)/ruff format --check $(CODE)

fmt: setup ## format, and mend what ruff can mend
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

types: setup ## check types, strictly
	$(BIN)/mypy $(CODE)

imports: setup ## check who imports whom
	$(BIN)/lint-imports

generated: setup ## write every generated file anew
	$(BIN)/python -m tests.house.generated --write

verify-generated: setup ## fail if a generated file differs from what would be generated
	$(BIN)/python -m tests.house.generated --check

bench-lateness: setup ## how late calls are: from due to the provider's receipt
	$(BIN)/python -m benchmarks.lateness

bench-leases: setup ## leads leased, marked and placed per second
	$(BIN)/python -m benchmarks.lease_throughput

bench-intake: setup ## leads accepted by the gateway per second
	$(BIN)/python -m benchmarks.intake

bench-backfill: setup ## calls of history read, recorded and decided per second, and the memory it takes
	$(BIN)/python -m benchmarks.backfill

bench-cpu: setup ## CPU time of each process for one call, and its memory
	$(BIN)/python -m benchmarks.cpu_per_call

bench-footprint: setup ## bytes that leads and attempts take in the database, and in its log
	$(BIN)/python -m benchmarks.footprint

lock: setup ## resolve dependencies anew, as pyproject.toml allows
	$(UV) lock --upgrade

wheel: setup ## build the wheel and the source distribution into dist/
	$(UV) build --quiet

image: ## build the image and say how large it is (IMAGE=leadline:dev, BASE_IMAGE=name@sha256:..., ENGINE=docker)
	$(ENGINE) build --tag $(IMAGE) --build-arg BASE_IMAGE=$(BASE_IMAGE) --build-arg UV_VERSION=$(UV_VERSION) \
		--build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" \
		--build-arg REVISION="$$(git describe --always --dirty --abbrev=40 --exclude '*' || echo unknown)" \
		--build-arg CREATED="$$(git show --no-patch --format=%cI || echo 1970-01-01T00:00:00Z)" $(BUILD_FLAGS) .
	@$(ENGINE) images $(IMAGE)

sbom: setup ## write dist/leadline.cdx.json: what is in the image (CycloneDX), Debian's packages too
	@$(BIN)/python deploy/image/sbom.py dist/leadline.cdx.json --uv $(BIN)/uv --engine $(ENGINE) --image $(IMAGE)

image-test: setup image ## run the image by podman as the chart says: every process, one call, SIGTERM, what it may not do
	LEADLINE_TEST_IMAGE=$(IMAGE) $(BIN)/pytest tests/image $(ARGS)

clean: ## remove what the tools made; data of `leadline up` stay
	rm -rf $(VENV) .tools dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
