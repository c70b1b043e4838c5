SHELL := /bin/bash
.DEFAULT_GOAL := help

# The newest Python from 3.11 up there is, unless one is given.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
# Of 19,000 modules the tests import a fifth; Python compiles those as they are, and has to keep
# them: the tests start some hundred processes, and containers often forbid it.
unexport PYTHONDONTWRITEBYTECODE
INSTALL := $(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt
SAMPLE := src/blurmapper/assets/samples/cat.jpg

.PHONY: help
help: ## List what there is to make
	@awk -F ': .*## ' '/^[a-z-]+: .*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.core ## Map a bundled photo, and print where the pictures are
	$(BIN)/blurmapper map $(SAMPLE) --overlay --output build/demo
	@echo && echo "Look at:" && ls -1 -d "$(CURDIR)"/build/demo/*

.PHONY: test
test: $(VENV)/.dev ## Check everything and run the tests, both at a time
	@$(MAKE) --no-print-directory --jobs=2 check run-tests

.PHONY: run-tests
run-tests: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses=auto --maxprocesses=4 --max-worker-restart=0 \
	    --dist=loadfile --no-loadscope-reorder

.PHONY: test-core
test-core: ## Run the tests that need no extra in an environment of their own (PYTHON= names another)
	.ci/test-core constraints.txt $(PYTHON)

.PHONY: test-minimum
test-minimum: ## The same with the lowest versions that pyproject.toml allows (Python 3.11 or 3.12)
	.ci/test-core constraints-minimum.txt $(or $(PYTHON),python3.12 python3.11 python3)

.PHONY: check
check: $(VENV)/.dev ## Check format, lint, types and imports, without running the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: docs
docs: $(VENV)/.dev ## Build the site of documents into build/site
	$(BIN)/mkdocs build --strict

.PHONY: release
release: $(VENV)/.dev ## Build sdist and wheel into dist/, check them, and map a photo with the wheel
	$(BIN)/python docs/inventory.py --check
	.ci/release $(BIN)/python

.PHONY: clean
clean: ## Delete environment, builds and caches; the checkpoints in runs/ stay
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: each step runs once, and again when what it installs has changed.
$(VENV)/.pip:
	@python=$$(.ci/find-python $(PYTHON)) && "$$python" -m venv $(VENV)
	$(INSTALL) 'pip>=25.1'
	@touch $@

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/.pip
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.pip
	$(INSTALL) --editable '.[baselines,distributed,hub,openvino,photo,remote,report,table,train,video,web]' --group dev --group docs
	@touch $@ $(VENV)/.core
