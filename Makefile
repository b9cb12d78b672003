# Everything that is done with this project by command. `make run` and `make test` need Python 3.11 or later and nothing else.
#   make run [PORT=8501] [DATA=folder] [HOST=0.0.0.0]
#   make test [BROWSER=no]      what each change has to pass
#   make test-all [BROWSER=no]  every test there is, on both versions of PostgreSQL

PYTHON ?= python3
PORT ?= 8501
UV_VERSION = 0.13.9
BIN = .venv/bin
PYTEST = $(BIN)/python -m pytest
# One more than processors, because tests wait for servers and browsers; at most four, because each has a PostgreSQL.
WORKERS = $(shell workers=$$(( $$(getconf _NPROCESSORS_ONLN) + 1 )); echo $$(( workers < 4 ? workers : 4 )))
AT_ONCE = -n $(WORKERS) --dist worksteal
LEFT_OUT = $(if $(filter no,$(BROWSER)),and not browser)
SQL = tests/db tests/core/rows tests/core/history tests/core/edits/test_write.py
SHELL = /bin/bash

.PHONY: run test test-all test-rest lint audit bench bench-live faults lock frontend doctor

# HOST= serves colleagues on the network: that it was typed is what says that it is meant.
run: .venv/run.stamp
	@$(if $(DATA),export CONTRIVANCE_DATA='$(DATA)';) \
	$(if $(HOST),export CONTRIVANCE_HOST='$(HOST)' CONTRIVANCE_SHARE_ON_NETWORK=yes;) \
	export CONTRIVANCE_PORT='$(PORT)'; echo 'Starting Contrivance …'; exec $(BIN)/python serve.py

test: .venv/test.stamp lint
	@$(BIN)/python tests/support/chromium.py '$(BROWSER)'
	$(PYTEST) $(AT_ONCE) -m 'not serial and not exhaustive $(LEFT_OUT)'
	@echo "One at a time, what measures seconds …"
	$(PYTEST) -m 'serial $(LEFT_OUT)'
	@echo "Once more on the system's PostgreSQL, where there is one: what its version may change …"
	$(PYTEST) $(AT_ONCE) --server system -m 'not slow' $(SQL)

# Everything there is. What `make test` has run is not run again, but for generated tests, which try more.
test-all: test test-rest

test-rest: .venv/test.stamp
	EXAMPLES=many $(PYTEST) $(AT_ONCE) -m '(exhaustive or hypothesis) $(LEFT_OUT)'
	@echo "The rest on the system's PostgreSQL, where there is one …"
	$(PYTEST) $(AT_ONCE) --server system -m 'not slow' $(addprefix --ignore=,$(SQL)) tests/core tests/api

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Asks an advisory service about every requirement; where none answers it says that nothing was checked, and fails.
audit: .venv/test.stamp
	@$(BIN)/python tests/support/advisories.py

bench: .venv/test.stamp
	$(BIN)/python -m tests.bench

# Ends with an error when an edit was lost, doubled or written silently over somebody's.
bench-live: .venv/test.stamp
	$(BIN)/python -m tests.bench.bench_live
	$(BIN)/python -m tests.bench.bench_idle

# PostgreSQL and the server are killed, restarted and held while people work; ends with an error when anything was lost.
faults: .venv/test.stamp
	$(BIN)/python -m tests.faults

doctor: .venv/run.stamp
	@$(if $(DATA),export CONTRIVANCE_DATA='$(DATA)';) $(BIN)/python manage.py doctor

# The stamps make a later start skip the installation until a pinned requirement changes.
.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Contrivance needs Python 3.11 or later as $(PYTHON); name another: make run PYTHON=python3.12"; exit 1; }
	@echo "Making the virtual environment …"
	@$(PYTHON) -m venv .venv || { \
	  echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || \
	  echo "Going on with pip, which takes a little longer."
	@touch $@

.venv/run.stamp: requirements.txt | .venv/made.stamp
	@echo "Installing what it runs on …"
	@$(call install,requirements.txt) && touch $@

.venv/test.stamp: requirements-dev.txt .venv/run.stamp
	@echo "Installing what the tests need …"
	@$(call install,requirements-dev.txt) && touch $@

# uv is quick; where it cannot be had, pip does the same.
define install
{ if test -x $(BIN)/uv; then $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r $(1); \
else $(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(1); fi; }
endef

# For developers.
lock: .venv/made.stamp
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header requirements-dev.in -o requirements-dev.txt

frontend:
	cd frontend && npm ci && npm run build
