# `make run` and `make test` do all of their own set-up in .venv; nothing else on the machine changes.
# Needs make and a Python >= 3.12 (on PATH, or installed by pyenv). git is not needed.

SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
# The stamps carry the folder's name, so that a moved or copied tree installs itself anew.
HERE := $(shell pwd | cksum | cut -d' ' -f1)
CORE := $(VENV)/.installed-$(HERE)
DEV := $(VENV)/.installed-dev-$(HERE)
DOCS := $(VENV)/.installed-docs-$(HERE)
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip install -qq --no-input -c constraints.txt

# The main job in a form that ends within two minutes on two cores; override any of these three.
SCENARIO ?= liver_metastasis
# A finished run is not run again; to run another into the same file: make run SETTINGS="--until 5d --force".
SETTINGS ?=
OUT ?= runs/$(SCENARIO).h5

.DEFAULT_GOAL := help
.PHONY: help run test test-all check format bench docs clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

run: $(CORE) ## simulate the liver metastasis and draw the overview picture
	@mkdir -p $(dir $(OUT))
	$(BIN)/tme-sim run $(SCENARIO) $(SETTINGS) --out $(OUT)

test: $(DEV) ## run the fast tests
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: $(DEV) ## run every test, the slow ones too
	$(BIN)/python -m pytest

check: $(DEV) ## lint, format, types and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(DEV) ## let ruff rewrite the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV) ## measure speed and memory (minutes)
	$(BIN)/python -m benchmarks

docs: $(DOCS) ## build the documentation into build/docs
	$(BIN)/mkdocs build --quiet --strict --site-dir build/docs

clean: ## remove everything that make and the tests made, runs excepted
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written only after everything before it succeeded.
$(CORE): pyproject.toml constraints.txt
	@python=$$(sh .ci/find-python) || exit 2; \
	echo "Setting up $(VENV) with $$python (a minute or so)"; \
	"$$python" -m venv --clear $(VENV)
	@$(PIP) -e .
	@touch $@

$(DEV): $(CORE)
	@echo "Installing the development tools"
	@$(PIP) -e '.[dev]'
	@touch $@

$(DOCS): $(CORE)
	@$(PIP) -e '.[docs]'
	@touch $@
