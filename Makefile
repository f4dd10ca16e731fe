# Earshot. `make help` lists what there is.
DATA ?= .local
PORT_BASE ?= 8400
DEMO ?= 1
WORKERS ?= 3
PYTHON ?= $(shell command -v python3.11 || command -v python3)
export DATA PORT_BASE DEMO
unexport PYTHONDONTWRITEBYTECODE  # each process would compile all modules again

BIN := .venv/bin
READY := .venv/.ready
SOURCES := shared services deploy tests bench

.DEFAULT_GOAL := help
.PHONY: help run verify test test-pythons lint format bench bench-sentiment mutants sizes docs api-check rules-check sbom lock images rehearse test-cluster clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18
	@echo; echo "  DATA=$(DATA) PORT_BASE=$(PORT_BASE) DEMO=$(DEMO)   (set others to run a second stack)"

run: $(READY)  ## everything on this machine: servers, services, a demo tenant; Ctrl-C stops all
	@exec $(BIN)/python -m deploy.local

verify: $(READY)  ## recompute every number of the running stack from the received deliveries; exit 1 at a difference
	@exec $(BIN)/python -m deploy.local.verify

test: $(READY)  ## all tests on real servers, on free ports and in temporary folders, in WORKERS=3 processes
	@$(BIN)/python -m deploy.local.kafka_aot
	@exec $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-pythons: $(READY)  ## the unit tests with each Python from 3.11 on that this machine has
	@exec $(BIN)/python -m deploy.pythons

lint: $(READY)  ## ruff, mypy strict, import-linter
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY)  ## fix and format the code by ruff
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(READY)  ## measure every figure that we claim, on a separate stack
	@exec $(BIN)/python -m bench

bench-sentiment: $(READY)  ## measure the sentiment models on labelled comments: make bench-sentiment LABELLED=folder
	@exec $(BIN)/python -m bench.sentiment --data $(LABELLED)

mutants: $(READY)  ## mutate the domains and count the mutants that the unit tests kill: make mutants MUTANTS="gateway --sample 50"
	@exec $(BIN)/python -m bench.mutants $(MUTANTS)

sizes: $(READY)  ## files, lines and docstrings of the product code, beside an earlier revision: make sizes SINCE=fdaba9a
	@$(BIN)/python -m bench.sizes $(addprefix --commit ,$(SINCE))

docs: $(READY)  ## generate what is derived from the code: settings, KPIs, tickets, AsyncAPI, topics, users, rules, dashboards, the Helm chart, contracts, licences
	for page in settings_page kpis_page presets_page tickets_page asyncapi k8s.topics k8s.users monitoring helm contracts third_party; do $(BIN)/python -m deploy.$$page || exit 1; done

api-check: $(READY)  ## lint the OpenAPI document by Redocly and compile its TypeScript types; downloads Node as a wheel
	@exec $(BIN)/python -m deploy.api_check

rules-check: $(READY)  ## run the cases of the Prometheus rules by promtool, which must be on the path
	$(BIN)/python -m deploy.monitoring
	cd deploy/monitoring && promtool check rules rules.yaml && promtool test rules rules_test.yaml

sbom: $(READY)  ## write a software bill of materials of each image to build/sbom, as CycloneDX JSON
	$(BIN)/python -m deploy.sbom build/sbom

lock: $(READY)  ## write the hashed lock files from pyproject.toml
	PATH="$(CURDIR)/$(BIN):$$PATH" sh deploy/lock.sh

images: $(READY) sbom  ## build the four images by docker, podman or buildah, and their bills of materials: make images IMAGES=registry.example.com/earshot PUSH=1
	@exec $(BIN)/python -m deploy.images --repository "$(IMAGES)" --tag "$(TAG)" --builder "$(BUILDER)" --push "$(PUSH)" --options "$(BUILD_OPTIONS)"

rehearse: $(READY)  ## an upgrade from an earlier release and a rollback of its code, under load: make rehearse FROM=<commit>
	@FROM="$(FROM)" exec $(BIN)/python -m pytest tests/upgrade -p no:cacheprovider -v

test-cluster: $(READY)  ## the manifests on a real cluster, in a namespace of its own: make test-cluster KUBECONFIG=… IMAGES=…
	@IMAGES="$(IMAGES)" TAG="$(TAG)" KUBECTL="$(KUBECTL)" KEEP="$(KEEP)" exec $(BIN)/python -m pytest tests/cluster -p no:cacheprovider -o timeout=1800 -v

clean:  ## delete the virtual environment and the data of the stack
	rm -rf .venv .venv-3.* .local

# The virtual environment, rebuilt whenever a lock file changes. It needs only Python and make.
$(READY): requirements/dev.txt requirements/uv.txt
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Earshot needs Python 3.11 or newer (PYTHON=$(PYTHON))" >&2; exit 1; }
	@$(PYTHON) deploy/venv.py
	@touch $@
