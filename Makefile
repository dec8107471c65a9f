# `make` lists the targets. Tools go into .tools, a folder of this checkout; nothing else on the machine is changed.

VENV := .tools/venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0

HOST_ARCH := $(patsubst aarch64,arm64,$(shell uname -m))
# What was deployed the last time; sam keeps its answers in samconfig.toml.
DEPLOYED_ARCH := $(shell sed -n 's/^parameter_overrides.*Architecture=[\\"]*\([a-z0-9_]*\).*/\1/p' samconfig.toml 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help run test check-template build deploy bench bench-peers clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .tools/run.stamp ## the function and a sandbox operator on this machine, at one URL (PORT=9900 SANDBOX_PORT=9901)
	@python3 tools/run.py

test: .tools/test.stamp check-template ## every check
	cargo fmt --all --check
	@echo 'Building and linting all code: some minutes the first time.'
	cargo clippy --workspace --all-targets -- -D warnings
	cargo test --workspace --no-fail-fast

check-template: .tools/test.stamp
	sam validate --lint
	cfn-lint template.yaml

build: ARCH ?= $(HOST_ARCH)
build: .tools/run.stamp ## the program that is deployed, target/lambda/number-verification/bootstrap (ARCH=arm64 or x86_64)
	@echo 'Optimized build for $(ARCH): about 4 minutes the first time.'
	cargo lambda build --release --$(subst _,-,$(ARCH)) --package number-verification

deploy: ARCH ?= $(or $(DEPLOYED_ARCH),arm64)
deploy: .tools/test.stamp ## build and deploy to AWS; asks for the settings the first time (ARCH=arm64 or x86_64)
	@echo 'Optimized build for $(ARCH): about 4 minutes the first time.'
	sam build --beta-features --parameter-overrides Architecture=$(ARCH)
# The processor is told to sam again where it would not remember the same, so that it is always the one built for.
	sam deploy $(if $(wildcard samconfig.toml),,--guided) \
		$(if $(filter $(ARCH),$(DEPLOYED_ARCH)),,--parameter-overrides Architecture=$(ARCH))

# One by one: for all together cargo would unify their features.
bench: ## every figure of docs/performance.md, with its target (some minutes; the 128 MB rows need root)
	cargo build --release --package floor
	cargo build --release --package number-verification
	cargo build --release --package driver
	@mkdir -p target/bench
	@cp target/release/number-verification target/bench/bootstrap
	@cd target/bench && rm -f bootstrap.zip && python3 -m zipfile -c bootstrap.zip bootstrap
	@target/release/driver target/bench/bootstrap target/release/floor target/bench/bootstrap.zip .tools/peers target/bench

bench-peers: ## what the seed's samples in Python and Node need to be compared with (Node itself: nodejs.org)
	python3 -m venv .tools/peers
	.tools/peers/bin/pip install --quiet --disable-pip-version-check -r benches/peers/requirements.txt
	@command -v npm >/dev/null || { echo 'npm is missing; without it there is no comparison with Node'; exit 1; }
	cp benches/peers/package.json .tools/peers
	npm install --silent --no-audit --no-fund --prefix .tools/peers

clean: ## remove what was built, and the tools
	rm -rf target .aws-sam .tools

.tools/venv.stamp:
	@missing() { echo "$$1" >&2; exit 1; }; \
	command -v cargo >/dev/null || missing 'Rust is missing; install it from https://rustup.rs'; \
	command -v $${CC:-cc} >/dev/null || missing 'A C compiler is missing; on Debian and Ubuntu: apt-get install gcc libc6-dev'; \
	command -v python3 >/dev/null || missing 'Python 3 is missing; on Debian and Ubuntu: apt-get install python3-venv'; \
	python3 -c 'import ensurepip, venv' 2>/dev/null || \
		missing 'Python cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv'; \
	test -x $(VENV)/bin/pip || python3 -m venv $(VENV)
	@touch $@

.tools/run.stamp: tools/requirements-run.txt .tools/venv.stamp
	@echo 'Installing cargo-lambda into .tools: 470 MB, about half a minute.'
	@python3 -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.tools/test.stamp: tools/requirements-test.txt .tools/run.stamp
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'sam, cfn-lint and moto in these versions need Python 3.11 or newer; this is' >&2; python3 --version >&2; exit 1; }
	@echo 'Installing sam, cfn-lint and moto into .tools: about two minutes.'
	@python3 -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
