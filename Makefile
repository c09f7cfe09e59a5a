# Everything a person or CI does with this repository. `make` alone lists the targets.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Another Python gets an environment of its own: make test PYTHON=python3.13
VENV := .venv$(if $(PYTHON),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Folders whose Python is typed and linted; those that exist.
CODE := $(wildcard src tests bench scripts docs/conf.py)
TYPED := $(wildcard src tests bench)

.PHONY: help setup run test image soak fuzz check bench docs dist deb release lock format clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: $(STAMP) ## make the virtual environment and install what is locked

$(STAMP): requirements.lock pyproject.toml scripts/setup
	@scripts/setup $(VENV)
	@touch $@

run: $(STAMP) ## start a server, replay the bundled traffic through it and show its usage, until Ctrl-C
	@scripts/run-demo

test: $(STAMP) ## run the tests; what a plain user cannot run is named
	@scripts/system-tools test
	@scripts/build-bpf $(if $(CI),--required)
	@scripts/openstack-tools test
	@scripts/earlier-versions
	@pytest $(ARGS)

image: $(STAMP) ## try the container image, and the packages on a booted machine, as root
	@scripts/system-tools image
	@scripts/build-bpf
	@pytest -n0 -m image $(ARGS)

soak: $(STAMP) ## break agent, server and database for long, as root (ARGS="--minutes 15 --seed N")
	@scripts/system-tools test
	@scripts/build-bpf
	@python -m tests.fault.soak $(ARGS)

fuzz: $(STAMP) ## draw new examples for decoders and arithmetic for ten minutes (ARGS="--minutes N --seed S")
	@python -m tests.fuzz $(ARGS)

check: $(STAMP) ## run every gate: format, lint, types, layers, dependencies, dead code, spelling, docs
	ruff format --check $(CODE)
	ruff check $(CODE)
	mypy $(TYPED)
	lint-imports
	deptry src
	vulture
	codespell $$(git ls-files --cached --others --exclude-standard)
	@$(MAKE) docs

bench: $(STAMP) ## measure venturi and its peers on the same input
	@scripts/system-tools bench
	@scripts/build-bpf
	@python -m bench $(ARGS)

docs: $(STAMP) ## build the documentation, warnings as errors
	sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

dist: $(STAMP) ## build the wheel and the source archive
	@scripts/build-bpf --required
	@scripts/build-kernels --required
	python -m build --no-isolation --outdir dist
	@ls -1 dist

deb: $(STAMP) ## build the Debian packages venturi and venturi-agent
	@scripts/make-deb dist $(REVISION)
	@ls -1 dist/*.deb

release: $(STAMP) ## check version, changelog and artefacts, and build what a release consists of
	@scripts/release

lock: ## pin the dependencies anew
	@scripts/lock

format: $(STAMP) ## format the code and sort its imports
	ruff check --fix-only --select I $(CODE)
	ruff format $(CODE)

clean: ## remove everything that can be made again
	rm -rf .venv .venv-* build dist out docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(wildcard src tests bench scripts docs) -name __pycache__ -type d -prune -exec rm -rf {} +
