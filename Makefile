# `make run` on a fresh Debian machine serves http://127.0.0.1:3000; `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

target := $(or $(CARGO_TARGET_DIR),target)
server := --features ssr --bin audit-log

.PHONY: help
help: ## what there is to make
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## sets up, builds quickly, serves the demo on http://127.0.0.1:3000
	@scripts/setup run
	@scripts/bundle quick
	@scripts/say "building the server (some five minutes the first time, on two cores)"
	@cargo build --quiet $(server)
	@exec $(target)/debug/audit-log serve --demo

.PHONY: build
build: ## target/release/audit-log: one file, the browser half inside
	@scripts/setup release
	@scripts/bundle release
	@scripts/say "building the server for release (some twenty minutes the first time, on two cores: it is optimized as a whole)"
	@cargo build --quiet --release $(server)
	@ls -l $(target)/release/audit-log

.PHONY: dev
dev: ## serves, and builds anew whenever a file is saved
	@scripts/setup run
	@scripts/dev

.PHONY: test
test: ## everything: format, lints, unit tests, both databases, the browser from end to end
	@scripts/setup test
	@scripts/test

.PHONY: bench
bench: ## the benchmarks: a table, and target/bench.json
	@scripts/setup bench
	@scripts/bundle release
	@scripts/say "building the server and the benchmarks for release"
	@cargo build --quiet --release $(server)
	@mkdir -p target
	@[ "$$BENCH_ONLY" = browser ] || cargo run --quiet --release --package bench -- $(target)/release/audit-log dist
	@scripts/bench-browser $(target)/release/audit-log

.PHONY: bench-large
bench-large: ## the benchmarks of 10,000,000 logs (says first what room it takes): tables in target/bench-large.md
	@scripts/setup bench
	@scripts/bundle release
	@scripts/say "building the server and the benchmarks for release"
	@cargo build --quiet --release $(server)
	@cargo build --quiet --release --package bench
	@scripts/bench-large $(target)/release/bench $(target)/release/audit-log dist

.PHONY: soak
soak: ## everything that can go wrong, many times, under load, on both databases
	@scripts/setup test
	@scripts/soak

.PHONY: setup
setup: ## installs what the build and the tests need
	@scripts/setup test

.PHONY: fmt
fmt: ## formats the code
	@cargo fmt --all

.PHONY: lint
lint: ## format and lints alone
	@scripts/test lint

.PHONY: clean
clean: ## throws away all that was built, but not ./data
	@rm -rf dist end2end/test-results end2end/playwright-report
	@cargo clean --quiet
