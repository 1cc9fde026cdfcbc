# Two commands matter: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
FILE ?= static/samples/retail.json
PYTEST_ARGS ?=
export PYTHONPATH :=

.PHONY: help bench-advisor demo run test check fix app_start worker_start new_rq poll_status getresult migrate lock clean undo dbuild dcup hooks guard-%

help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z_-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Start here
demo: $(VENV)/.run ## Sample lakehouse, server, one task, what it saves (under 4 minutes)
	@$(BIN)/heavy-stack dev demo

run: $(VENV)/.run ## Serve the API and the pages at http://127.0.0.1:8000
	@$(BIN)/heavy-stack serve

test: $(VENV)/.test ## All tests that this machine can run
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

check: $(VENV)/.test ## Lint, format, types, import contracts, locks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture

fix: $(VENV)/.test ## Format and repair what ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

##@ The task API from a terminal
app_start: run ## Same as run

worker_start: $(VENV)/.run ## One more worker process
	@$(BIN)/heavy-stack worker

new_rq: $(VENV)/.run ## Submit FILE=workload.json, print {"taskid": …}
	@$(BIN)/heavy-stack submit $(FILE)

poll_status: $(VENV)/.run guard-TASK_ID ## TASK_ID=…: print the status until the task ends
	@$(BIN)/heavy-stack poll-status $(TASK_ID)

getresult: $(VENV)/.run guard-TASK_ID ## TASK_ID=…: print the answer as JSON
	@$(BIN)/heavy-stack getresult --json $(TASK_ID)

##@ Measure
bench-advisor: $(VENV)/.test guard-WORKLOAD ## WORKLOAD=sample|vault|dashboards|tpch|tpcds|FILE [ROWS=…] [LAKE=…] [ARGS=…]: the advisor from outside
	@$(BIN)/python -m dev_scripts.bench $(WORKLOAD) $(if $(ROWS),--rows $(ROWS)) $(if $(LAKE),--lake $(LAKE)) $(ARGS)

mutants: $(VENV)/.test ## [WORKLOADS="a.json b.json=jdbc:duckdb:/lake"] [ARGS="--most 600 --minutes 30"]: are wrong rewrites caught?
	@$(BIN)/python -m dev_scripts.mutants $(or $(WORKLOADS),static/samples/retail.json) $(ARGS)

mutants-guards: $(VENV)/.test ## [WORKLOADS=…] [ARGS=…]: each guard of the rules switched off in turn
	@$(BIN)/python -m dev_scripts.mutants.guard_runs $(or $(WORKLOADS),static/samples/retail.json) $(ARGS)

##@ Upkeep
migrate: $(VENV)/.run ## Bring the database to the newest revision
	$(BIN)/heavy-stack db upgrade

lock: ## Resolve the lock files again (needs uv)
	uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header -p 3.11 -q -o requirements.lock
	uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-emit-index-url --no-header -p 3.11 -q -o requirements-dev.lock

dbuild: ## Build the container image
	docker build -f dockerfiles/Dockerfile -t heavy-stack .

dcup: ## PostgreSQL, the web server and a worker in containers
	docker compose up --build

hooks: $(VENV)/.test ## Install the pre-commit hooks
	$(BIN)/python -m pip install -q pre-commit && $(BIN)/pre-commit install

undo: clean ## Remove everything that the commands above made: environment, data, caches
	rm -rf var

clean: ## Remove environment and caches, keep the data
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dist build *.egg-info test-results

guard-%:
	@[ -n "$($*)" ] || { echo "$* is missing: make $(firstword $(MAKECMDGOALS)) $*=…"; exit 2; }

$(VENV)/.python:
	@[ -n "$(PYTHON)" ] && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which: make … PYTHON=/path/to/python3"; exit 2; }
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.python requirements.lock pyproject.toml
	@echo "installing from requirements.lock …"
	@[ -f $(VENV)/.test ] || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.test: $(VENV)/.python requirements-dev.lock pyproject.toml
	@echo "installing from requirements-dev.lock …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@ $(VENV)/.run
