# Every target works on a fresh Debian machine that has python3 and make; see `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
# Where it is set, every process that a stack or a test starts compiles all that it imports once more.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
READY := .venv/.ready
PACKAGES := pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml installer/pyproject.toml tools/*/pyproject.toml)

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
# In containers where an engine answers, unless something is said that only local processes can be.
LOCAL := $(strip $(foreach each,NODE MARIADB STATE $(addsuffix _PORT,$(filter-out GATEWAY CONSOLE,$(PORTS))),$(call said,$(each))))
MAY_CONTAIN = $(if $(LOCAL)$(and $(call said,CONTAINERS),$(filter 0 no,$(CONTAINERS))),false,true)
OF_CONTAINERS := KUBECONFIG='$(if $(call said,KUBECONFIG),$(abspath $(KUBECONFIG)))'
OF_CONTAINERS += $(foreach port,GATEWAY CONSOLE,$(if $(call said,$(port)_PORT),$(port)_PORT=$($(port)_PORT)))
RUN_CONTAINERS = $(OF_CONTAINERS) tools/containers

.PHONY: provisions help up down status logs test lint format bench screenshots images clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make up GATEWAY_PORT=8080 MARIADB=1 NODE=0 STATE=DIR    another port, back end, no pods, another folder"
	@echo "  make up KUBECONFIG=FILE                                 on a cluster that is there"
	@echo "  make up CONTAINERS=0                                    local processes although a Docker engine answers"
	@echo "  make test ARGS='tests/contract/account -k login'        some tests; KUBE_VERSION=1.34 the older Kubernetes"

up: $(READY) ## start the platform with everything it needs, and wait until it serves
	@if $(MAY_CONTAIN) && $(RUN_CONTAINERS) possible; then $(RUN_CONTAINERS) up; else $(DEVSTACK) up $(UP); fi

down: $(READY) ## stop all of it and leave nothing behind (KEEP_DATA=1 keeps users and objects)
	@if $(RUN_CONTAINERS) running; then $(RUN_CONTAINERS) down $(if $(call said,KEEP_DATA),--keep-data); fi
	@$(DEVSTACK) down $(if $(call said,KEEP_DATA),--keep-data)

status: $(READY) ## what runs, where, since when, and what is unhealthy
	@if $(RUN_CONTAINERS) running; then $(RUN_CONTAINERS) status; else $(DEVSTACK) status; fi

logs: $(READY) ## follow the logs
	@if $(RUN_CONTAINERS) running; then $(RUN_CONTAINERS) logs; else $(DEVSTACK) logs --follow; fi

test: $(READY) provisions ## install what the tests need, and run them
	@$(BIN)/pytest $(or $(ARGS),$(PARALLEL))

lint: $(READY) ## ruff, pyright, import contracts, types and style of the console
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python services/console/web/build.py check
	$(BIN)/python services/console/web/schemas.py --check

format: $(READY) ## what ruff can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) provisions ## the benchmarks, each beside a baseline measured in the same run
	@$(BIN)/devstack packages --benchmarks
	@$(BIN)/pytest tests/bench -s -q $(ARGS)

screenshots: $(READY) ## docs/screenshots, from the local processes that `make up` started
	@PYTHONPATH=tests $(BIN)/python tests/browser/screenshots.py $(or $(STATE),.dev)

images: $(READY) ## an image of each service: by the Docker engine that answers, else as archives
	@$(BIN)/imagebuilder $(ARGS)

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
