# Every habit of this project is one target; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

BIN := .venv/bin
PYTEST := $(BIN)/pytest
# Nothing to build where the pages' sources are not part of the tree.
PAGES := $(if $(wildcard services/pages/package.json),services/pages/static/index.html)
PAGE_SOURCES := $(shell find services/pages -name node_modules -prune -o -path services/pages/static -prune \
	-o -type f ! -name '*.py' ! -name '*.pyc' -print 2>/dev/null)
# What tests start, as Debian packages.
SERVERS := mosquitto mosquitto-clients chromium openssl postgresql influxdb victoria-metrics systemd iproute2
BENCH ?= all
SECONDS ?=
DATA ?=
STORES ?= duckdb
# Processes that run tests side by side; tests that measure time wait until nothing else runs.
WORKERS ?= 3

.PHONY: help setup run quick test check bench fuzz docs acceptance fmt lock pages wheel clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1\t\2/' | expand -t 14

setup: .venv/.dev pages ## Everything a developer needs, into .venv, by hash

run: .venv/.run pages ## Set up what is needed and run the demo city; Ctrl-C stops it
	exec $(BIN)/madina up --demo

quick: .venv/.dev ## Tests that start no server: under a minute
	$(PYTEST) -q -m 'not live and not journey'

test: .venv/.dev pages ## All tests, on real servers, installing what they need
	scripts/debian-packages $(SERVERS)
	$(PYTEST) --hypothesis-profile=gate -n $(WORKERS) --dist loadfile

check: .venv/.dev pages ## Format, lint, types, import rules, spelling, locks; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(PYTEST) -q tests/repository/test_locks.py
	$(if $(PAGES),scripts/pages check)

bench: .venv/.dev ## Measure: all, or BENCH=name; SECONDS=n for a shorter run
	$(BIN)/python bench/run.py $(BENCH) $(if $(SECONDS),--seconds $(SECONDS))

fuzz: .venv/.dev ## Random and mutated bytes at everything that reads bytes; SECONDS=n each
	$(BIN)/python -m fuzz $(if $(SECONDS),--seconds $(SECONDS))

docs: .venv/.dev ## Fill the generated parts of the documentation
	$(BIN)/python scripts/fill_docs.py

acceptance: .venv/.dev pages ## Real data over real MQTT: DATA=folder, STORES=duckdb,influxdb
	@test -n '$(DATA)' || { echo 'say where the data are: make acceptance DATA=folder' >&2; exit 2; }
	$(PYTEST) tests/acceptance --data '$(DATA)' --stores '$(STORES)'

fmt: .venv/.dev ## Format, and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(if $(PAGES),scripts/pages fmt)

lock: .venv/.dev ## Make the locks again from pyproject.toml, newest versions
	scripts/lock --upgrade

pages: .venv/.run $(PAGES) ## Build the pages, where their sources are newer

wheel: .venv/.dev pages ## Build the wheel into dist/
	$(BIN)/pyproject-build --wheel --no-isolation --outdir dist .

clean: ## Remove what can be made again; data folders stay
	rm -rf .venv dist services/pages/static services/pages/node_modules

.venv/.run: requirements.lock pyproject.toml scripts/install
	scripts/install requirements.lock
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml scripts/install
	scripts/install requirements-dev.lock
	@touch $@ .venv/.run

services/pages/static/index.html: $(PAGE_SOURCES) scripts/pages
	scripts/pages build
	@touch $@
