# make run | test | check | bench | soak | clean       (bare machine: python3 with venv, make)
# Beside them, with uv: `uv run python -m app`, `uv run --extra dev pytest --ignore=tests/browser`.
SHELL := /bin/bash
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 1
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# Tests start a hundred servers: each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check lint types audit openapi tests tools bench soak clean
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make run     the playground on http://HOST:PORT (default 127.0.0.1:8000), WORKERS=1
run: .venv/run.stamp
	PLAYGROUND_HOST=$(HOST) PLAYGROUND_PORT=$(PORT) PLAYGROUND_WORKERS=$(WORKERS) $(BIN)/python -m app

## make test    every test, with the browser and the redis-server they need
test: tools tests

## make check   lint, format, types, known vulnerabilities, the API's document, then every test
check: lint types audit openapi test

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.stamp
	$(BIN)/mypy --strict app engine backprop_playground

# Fails for a known vulnerability, not for want of network; it then says that it could not ask.
audit: .venv/dev.stamp
	@out=$$($(BIN)/pip-audit --local --skip-editable --progress-spinner off 2>&1); status=$$?; \
	unasked=$$(grep -c 'could not be audited' <<<"$$out" || true); \
	if grep -q '^Found [0-9]* known vulnerabilit' <<<"$$out"; then echo "$$out"; exit 1; fi; \
	if [ $$status -ne 0 ]; then echo "pip-audit: NOT AUDITED, it could not ask: $$(tail -n 1 <<<"$$out" | cut -c 1-200)"; \
	elif [ $$unasked -gt 0 ]; then echo "pip-audit: no known vulnerability, but NOT AUDITED: $$unasked packages the index would not tell of"; \
	else echo "pip-audit: no known vulnerability"; fi

# Fails for what the linter or the compiler finds, not for want of npm or network; it then says that it could not ask.
openapi: .venv/dev.stamp
	@$(BIN)/python tests/typescript/check.py

tools: .venv/dev.stamp
	@$(BIN)/python tests/machine.py

# Two calls: sync Playwright breaks any asyncio.run after it in the same process.
# Both run whatever the first says; then every skip of both is named. On CI what fails is tried twice more: a browser on a
# crowded machine may be late. What needed it is named (R).
RERUNS := $(if $(CI),--reruns 2 -rR)
# Tests wait for servers as often as they compute: two cores serve four of them, but no more than two browsers.
SIDE_BY_SIDE := --dist loadfile --no-loadscope-reorder
tests: .venv/dev.stamp
	@skips=$$(mktemp); status=0; export TESTS_SKIPS="$$skips"; \
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -n 4 $(RERUNS) --ignore=tests/browser || status=$$?; \
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -n 2 $(RERUNS) tests/browser || status=$$?; \
	if [ -s "$$skips" ]; then echo "Not tested here:"; cat "$$skips"; else echo "Nothing was skipped."; fi; \
	rm -f "$$skips"; exit $$status

## make bench   the benchmarks of tests/benchmarks, one after the other
bench: .venv/bench.stamp
	@set -e; for file in tests/benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

## make soak    a server under load for a long while (MINUTES=10)
MINUTES ?= 10
soak: .venv/dev.stamp
	$(BIN)/python tests/benchmarks/soak.py --minutes $(MINUTES)

## make clean   removes what make made
clean:
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results
	find app engine tests -name __pycache__ -type d -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .
	@touch $@

# uv installs a notebook server and all the rest in a tenth of pip's time; it does not read pip's settings, so pip has the last word.
.venv/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) uv
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python -c constraints.txt -e '.[dev]' || $(PIP) -e '.[dev]'
	@touch $@ .venv/run.stamp

.venv/bench.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[dev,bench]'
	@touch $@
