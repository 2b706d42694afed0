# Two commands on a new machine with Python 3.11 or later and make: `make run` and `make test`.

.DEFAULT_GOAL := help
.PHONY: help run test check soak bench lint types migrate demo lock clean setup setup-test
MAKEFLAGS += --no-print-directory
# Several processes start from the same files; compiled once, they start sooner.
unexport PYTHONDONTWRITEBYTECODE

PYTHON := .venv/bin/python
PORTAL := $(PYTHON) -m returns_portal

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: setup ## Serve the portal on http://127.0.0.1:8000, with the demo shop; Ctrl-C stops it
	@exec $(PORTAL) serve

test: setup-test ## Run all tests
	@exec $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup-test lint types ## Run everything that must pass before a change is merged
	@$(PORTAL) check-migrations
	@$(MAKE) test

soak: setup-test ## Play random schedules of faults for SOAK_MINUTES (10)
	@exec $(PYTHON) -m pytest -s -q tests/faults/soak.py

bench: setup ## Measure, each as a ratio to the floor of the stack
	@exec $(PYTHON) -m tests.bench

lint: setup ## Check style, format and the layers of imports
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@.venv/bin/lint-imports

types: setup ## Check types
	@$(PYTHON) -m mypy

migrate: setup ## Bring the database to the newest schema
	@$(PORTAL) migrate

demo: setup ## Load the demo shop, once
	@$(PORTAL) demo

lock: setup ## Lock the newest versions that pyproject.toml allows
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check uv
	@$(PYTHON) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev \
		--generate-hashes --no-emit-index-url --no-header --output-file requirements.lock pyproject.toml

clean: ## Remove what was installed and cached; the database stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@sh .tools/setup.sh

setup-test:
	@sh .tools/setup.sh --browser
