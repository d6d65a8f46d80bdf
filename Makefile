# Everything is built and tested from here. `make` alone lists what can be made.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

NAME ?= default
SANDBOX := target/sandbox/bin/kubia-sandbox
PROGRAMS := cargo run --quiet --locked --example e2e --
# With the flags of tests/sandbox/build.sh, so that nothing is compiled twice.
GO_IN_SANDBOX := cd tests/sandbox && CGO_ENABLED=0 go
# The programs run the plugin as people install it.
export KUBIA_PLUGIN := $(abspath $(or $(CARGO_TARGET_DIR),target))/release/kubectl-kubia

# Cargo and Go keep their caches under HOME; without one, under target.
ifeq ($(HOME),)
export HOME := $(CURDIR)/target/home
endif

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile

.PHONY: check-tools
check-tools: ## Check that Rust, Go, Python and curl are there
	@tests/e2e/check-tools

.PHONY: build
build: check-tools ## Build the plugin (release): target/release/kubectl-kubia
	cargo build --release --locked

.PHONY: sandbox
sandbox: check-tools build-sandbox ## Start a sandbox cluster (NAME=default)
	$(SANDBOX) up --name $(NAME)

.PHONY: sandbox-down
sandbox-down: ## End it (NAME=default)
	@if [ -x $(SANDBOX) ]; then $(SANDBOX) down --name $(NAME); else echo "no sandbox was built here"; fi

.PHONY: sandbox-status
sandbox-status: ## Ask each of its parts how it is (NAME=default)
	@if [ -x $(SANDBOX) ]; then $(SANDBOX) status --name $(NAME); else echo "no sandbox was built here"; exit 3; fi

.PHONY: build-sandbox
build-sandbox: check-tools
	@tests/sandbox/build.sh

.PHONY: demo
# CONTEXT=name CONFIRM=name walks on the reader's own cluster, and then needs no sandbox.
ifdef CONTEXT
demo: build
	@$(PROGRAMS) demo --context '$(CONTEXT)' --confirm '$(CONFIRM)'
else
demo: build build-sandbox ## Walk the tutorial on a sandbox (KEEP=1), or on your cluster (CONTEXT=name CONFIRM=name)
	@cargo build --quiet --locked --example e2e
	@KEEP=$(KEEP) tests/e2e/with-sandbox demo $(PROGRAMS) demo
endif

.PHONY: check-test-tools
check-test-tools:
	@tests/e2e/check-tools test

.PHONY: test
# The same generated cases for everybody; `make properties` tries others.
test: export PROPTEST_RNG_SEED ?= 1
test: check-test-tools lint ## Lint, unit and in-process tests, beside kubectl, then on a sandbox
	cargo test --locked --lib --test it --test connection
	$(GO_IN_SANDBOX) test -vet=off -trimpath ./...
	@$(MAKE) test-krew
	@tests/owners/build.sh
	cargo test --locked --test e2e --no-run
	@tests/e2e/with-sandbox test-$$RANDOM cargo test --quiet --locked --test e2e

.PHONY: lint
lint: check-tools ## Check formatting, clippy, gofmt and go vet
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo metadata --quiet --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null
	cargo clippy --locked --all-targets -- -D warnings
	@unformatted=$$(gofmt -l tests/sandbox tests/krew); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted" >&2; exit 1; }
	@$(MAKE) build-sandbox
	$(GO_IN_SANDBOX) vet -trimpath ./...

.PHONY: package
package: build ## Pack the plugin for krew: target/package
	@packaging/package $(KUBIA_PLUGIN)

.PHONY: test-krew
test-krew: package build-sandbox ## Install, upgrade and uninstall the package with real krew, without a network
	@tests/krew/build.sh
	cargo test --locked --test krew --no-run
	tests/krew/offline cargo test --quiet --locked --offline --test krew

.PHONY: deny
deny: ## Check advisories, licences and sources of the dependencies (needs cargo-deny)
	cargo deny --locked check $(CHECKS)

.PHONY: bench
bench: build build-sandbox ## Time gateway-url beside one curl and the tutorial's three calls
	@cargo build --quiet --locked --example e2e
	@tests/e2e/with-sandbox bench-$$RANDOM $(PROGRAMS) bench

.PHONY: soak
soak: build build-sandbox ## What takes longer than a test may: load, races, proofs, rollouts, kills, generated cases, fuzzing (PARTS="races proofs")
	@cargo build --quiet --locked --example e2e
	@tests/e2e/with-sandbox soak-$$RANDOM $(PROGRAMS) soak $(PARTS)
	@[ -n "$(PARTS)" ] || $(MAKE) properties fuzz

.PHONY: properties
properties: check-tools ## Hold the laws of planning against generated cases that `make test` has not (SEEDS=20)
	cargo test --locked --test it --no-run
	@for seed in $$(seq 2 $$((1 + $(or $(SEEDS),20)))); do \
		echo "seed $$seed"; PROPTEST_RNG_SEED=$$seed cargo test --quiet --locked --test it planning; done

.PHONY: fuzz
fuzz: check-tools ## Fuzz what reads a stranger's bytes (FUZZ_SECONDS=600 for each target)
	@fuzz/run $(or $(FUZZ_SECONDS),600)

.PHONY: clean
clean: ## End every sandbox of this clone and remove all that was built
	@for state in target/sandbox/*/state.json; do \
		[ ! -e "$$state" ] || $(SANDBOX) down --name "$$(basename "$$(dirname "$$state")")"; done
	cargo clean
