# Every target sets up what it needs. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/
READY := $(VENV)/.ready
LOCK_COMMAND = uv pip compile pyproject.toml --extra fast --extra embeddings --group dev --universal \
  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements.lock

.PHONY: help setup report test lint lab bench study data notebooks lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: $(READY) ## create .venv and install the locked packages (uv when present, pip otherwise)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "followkit needs Python 3.11 or newer; say which with: make PYTHON=python3.12 …"; exit 2; }
	@if command -v uv >/dev/null; then \
	  uv venv --quiet --clear --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv --clear $(VENV) && \
	  $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

report: $(READY) ## render the reports on the bundled data into reports/
	$(RUN)followkit report --data data/nostr --out reports/nostr --title "Nostr: who answers a follow?"
	$(RUN)followkit report --data data/town --out reports/town --title "A simulated town: truth beside estimate"
	$(RUN)followkit report --export data/my_export --out reports/my_follows
	@echo "Open reports/index.html"

test: $(READY) ## lint, types, all tests and doctests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(RUN)python -m followkit.notebooks check
	$(RUN)python -m pytest -m "not study" --numprocesses auto --dist loadfile \
	  --no-loadscope-reorder

lab: $(READY) ## open JupyterLab
	$(BIN)/followkit lab

study: $(READY) ## slow statistical studies; figures go to reports/studies/
	$(RUN)python -m pytest -m study

bench: $(READY) ## benchmarks beside their peers; figures go to reports/studies/
	@for script in bench/bench_*.py; do echo "== $$script"; $(RUN)python $$script || exit 1; done

data: $(READY) ## rebuild data/nostr from its two packages (needs node), the simulated ones from their seeds
	$(RUN)python data/build_nostr.py
	$(RUN)followkit simulate data/town
	$(RUN)followkit simulate data/my_export --export instagram --accounts 400 --seed 1

notebooks: $(READY) ## regenerate every .ipynb from its text twin
	$(RUN)python -m followkit.notebooks sync

lock: ## resolve requirements.lock again (needs uv)
	$(LOCK_COMMAND)

clean: ## remove .venv, caches and rendered reports
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -prune -exec rm -rf {} +
	find reports -mindepth 1 -maxdepth 1 ! -name README.md ! -name studies -exec rm -rf {} +
