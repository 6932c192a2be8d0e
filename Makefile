# Les Caves d'Albert. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
AUDIT := .venv-audit
# auto: uv where present, else uv from pip, else pip. `make install INSTALLER=pip` forces plain pip.
INSTALLER ?= auto
ARGS ?=
# A file is run by one process. Tests wait for other processes as well, so there are twice as many as cores.
# `make test WORKERS=0` runs them one after the other.
WORKERS ?= $(shell echo $$((2 * $$(nproc 2>/dev/null || echo 1))))
EVENTS ?= 100000
ROUNDS ?= 10

.DEFAULT_GOAL := help
.PHONY: help install install-locked lock demo test test-kafka test-live crash-points hostile faults check audit licences sbom format bench clean

help: ## list these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with the pinned versions (the other targets do it when needed)

$(STAMP): pyproject.toml constraints.txt
	@bash .ci/install $(VENV) $(INSTALLER) $(PYTHON)
	@touch $@

install-locked: ## as install, from constraints-hashed.txt: every file of every package has the hash it had
	@bash .ci/install-locked $(VENV) $(PYTHON)
	@touch $(STAMP)

lock: ## write constraints-hashed.txt anew, after a change of constraints.txt or of a dependency
	@uv pip compile --quiet --generate-hashes --no-header --no-annotate --group dev -c constraints.txt pyproject.toml \
		--output-file constraints-hashed.txt

demo: $(STAMP) ## run the whole pipeline on this machine and check it (ARGS="--events 5000")
	@$(BIN)/caves demo $(ARGS)

test: $(STAMP) ## run every test but those that need Apache Kafka (ARGS="tests/unit -k orders")
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-kafka: $(STAMP) ## run the tests that need Apache Kafka; skipped where Java or Maven is missing
	@$(BIN)/pytest -m kafka -n $(WORKERS) --dist loadfile $(ARGS)

test-live: $(STAMP) ## try the pipeline on an account, in a database of its own (CONNECTION=name)
	@test -n "$(CONNECTION)" || { echo "Say which: make test-live CONNECTION=name (snow connection list)" >&2; exit 2; }
	@CAVES_LIVE_CONNECTION=$(CONNECTION) $(BIN)/pytest -m live tests/live $(ARGS)

crash-points: $(STAMP) ## what takes too long for every day: each crash point, kills, random SQL, the fault runner
	@$(BIN)/pytest -m exhaustive tests/faults tests/engines tests/warehouse $(ARGS)

hostile: $(STAMP) ## send a flood of messages, a fifth of them hostile (EVENTS=1000000 SEED=1)
	@$(BIN)/python -m tests.hostile --events $(EVENTS) --seed $(or $(SEED),1) $(ARGS)

faults: $(STAMP) ## break the pipeline at random and check it (ROUNDS=20 SEED=1 ONLY=zombie NODES=3)
	@$(BIN)/python -m tests.faults --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) \
		$(if $(BROKER),--broker $(BROKER)) $(if $(NODES),--nodes $(NODES)) $(if $(REPORT),--report $(REPORT))

check: $(STAMP) ## lint, type check and SQL lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar deploy analytics src/caves_snowpark/invariants

audit: $(STAMP) $(AUDIT)/.installed ## look the pinned versions up in the database of known vulnerabilities
	@$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip --progress-spinner off -r constraints.txt

licences: $(STAMP) ## print every dependency's licence; fails at one that we may not use
	@$(BIN)/python -m tests.supply_chain.licences

sbom: $(STAMP) $(AUDIT)/.installed ## write dist/sbom.json, what is installed, in CycloneDX
	@mkdir -p dist
	@$(AUDIT)/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible -o dist/sbom.json
	@echo "dist/sbom.json"

$(AUDIT)/.installed: .ci/audit-tools.txt
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check -r .ci/audit-tools.txt
	@touch $@

format: $(STAMP) ## rewrite the Python files as ruff likes them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## measure what we claim about speed, write docs/performance.md: an hour or more (ARGS="small_queries --runs 5")
	@$(BIN)/python -m bench $(ARGS)

clean: ## remove what was built or cached (not .venv, not .caves)
	rm -rf output dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print | xargs rm -rf
