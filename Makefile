# Every target works on a fresh Debian machine that has python3 and make; see `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
# Where it is set, every process that a stack or a test starts compiles all that it imports once more.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
READY := .venv/.ready
PACKAGES := pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml installer/pyproject.toml tools/*/pyproject.toml)
IMAGES := $(patsubst services/%/Dockerfile,%,$(wildcard services/*/Dockerfile))

# One process of tests a core; what is narrowed by ARGS runs in one, which starts sooner.
PARALLEL := --numprocesses auto --maxprocesses 4

# A setting counts only when the command line makes it: an environment may hold KUBECONFIG, or KUBERNETES_PORT in a pod.
said = $(filter command,$(origin $(1)))
PORTS := GATEWAY GATEWAY_TLS GATEWAY_OPS CONSOLE ACCOUNT APISERVER CONTROLLER_MANAGER REDIS OPENLDAP MARIADB PROMETHEUS NODE_EXPORTER KUBERNETES
UP := $(foreach port,$(PORTS),$(if $(call said,$(port)_PORT),--port $(port)=$($(port)_PORT)))
UP += $(if $(call said,KUBECONFIG),--kubeconfig '$(KUBECONFIG)')
UP += $(if $(call said,MARIADB),$(if $(filter 0 no,$(MARIADB)),--no-mariadb,--mariadb))
UP += $(if $(call said,NODE),$(if $(filter 0 no,$(NODE)),--control-plane-only,--node))
DEVSTACK = $(BIN)/devstack $(if $(call said,STATE),--state '$(STATE)')

.PHONY: provisions help up down status logs test lint format bench images clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make up GATEWAY_PORT=8080 MARIADB=1 NODE=0 STATE=DIR    another port, back end, no pods, another folder"
	@echo "  make up KUBECONFIG=FILE                                 on a cluster that is there"
	@echo "  make test ARGS='tests/contract/account -k login'        some tests; KUBE_VERSION=1.34 the older Kubernetes"

up: $(READY) ## start the platform with everything it needs, and wait until it serves
	@$(DEVSTACK) up $(UP)

down: $(READY) ## stop all of it and leave nothing behind (KEEP_DATA=1 keeps users and objects)
	@$(DEVSTACK) down $(if $(call said,KEEP_DATA),--keep-data)

status: $(READY) ## what runs, where, since when, and what is unhealthy
	@$(DEVSTACK) status

logs: $(READY) ## follow the logs
	@$(DEVSTACK) logs --follow

test: $(READY) provisions ## install what the tests need, and run them
	@$(BIN)/pytest $(or $(ARGS),$(PARALLEL))

lint: $(READY) ## ruff, pyright, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(READY) ## what ruff can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) provisions ## the benchmarks, each beside a baseline measured in the same run
	@$(BIN)/devstack packages --benchmarks
	@$(BIN)/pytest tests/bench -s -q $(ARGS)

images: ## an image of each service that has a Dockerfile; needs a Docker engine
	@docker info >/dev/null 2>&1 || { echo "make images: no Docker engine answers: start one, or name it in DOCKER_HOST"; exit 1; }
	@test -n "$(IMAGES)" || { echo "make images: no service has a Dockerfile"; exit 1; }
	@set -e; for service in $(IMAGES); do docker build --tag ks-$$service --file services/$$service/Dockerfile .; done

clean: ## remove caches and build outputs; .venv and the stack's state stay
	@rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# Kubernetes may have to be built from source, which no test should have to wait for.
provisions: $(READY)
	@$(BIN)/devstack packages --tests
	@test -n "$$KS_TEST_KUBECONFIG" || $(BIN)/localkube build >/dev/null

$(READY): uv.lock $(PACKAGES) tools/bootstrap
	@tools/bootstrap
	@touch $@
