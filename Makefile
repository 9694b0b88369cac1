# The commands of the project. CI and people use the same ones.
.DEFAULT_GOAL := help
.PHONY: help demo test test-compose test-faults fuzz bench bench-quick up down status logs clean build image fmt lint cql

# Recipes change files and servers that other recipes use: one after the other, also under `make -j`.
.NOTPARALLEL:

help: ## list the commands
	@echo 'usage: make COMMAND'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' '$(firstword $(MAKEFILE_LIST))'
	@echo
	@echo 'STREAMFLOW_STACK=NAME works on another stack than `local`; see local/stack --help.'

demo: up ## everything at once: build, start, run both DAGs, show the result (API=public asks randomuser.me)
	@API='$(API)' local/demo

test: ## every test, the live ones on servers of their own
	@local/test

test-compose: ## docker-compose.yml up, used, disturbed and down, on a Docker engine (V=kraft, V=zookeeper: one variant)
	@local/test-compose $(V)

test-faults: cargo ## break servers and jobs on the way, and compare what is there afterwards (ONLY=NAME,…  SEED=N  SIZE=short)
	@ONLY='$(ONLY)' SEED='$(SEED)' SIZE='$(SIZE)' local/test-faults

fuzz: cargo ## inputs that libFuzzer thinks up, against what reads and what settles (T=record  RUNS=1000000)
	@T='$(T)' RUNS='$(RUNS)' local/fuzz

bench: cargo ## speed and memory beside PySpark, Python and the driver alone; writes docs/performance.md (ONLY=drain,…)
	@ONLY='$(ONLY)' local/bench

bench-quick: cargo ## the same with fewer users and rounds, under 8 minutes; writes nothing
	@ONLY='$(ONLY)' local/bench --quick

up: cargo ## build, start the servers, make topics and tables
	@local/build-and-install
	@local/stack up
	@eval "$$(local/stack env)" && "$$STREAMFLOW_BIN_DIR/streamflow" init

down: ## stop the servers; the data stays
	@local/stack down

status: ## one line a server
	@local/stack status

logs: ## follow the log of one server: make logs S=kafka
	@local/stack logs $(S)

cql: ## a CQL prompt on the stack's Cassandra
	@local/stack cql

clean: ## down, and remove the data and what was downloaded (the user's cache stays)
	@local/stack clean

build: cargo ## compile the programs into target/release
	@cargo build --release --locked

image: build ## compile, and make the Docker image of the programs that DockerOperator starts
	@local/docker-image

fmt: cargo ## format the code
	@cargo fmt
	@cargo fmt --manifest-path fuzz/Cargo.toml

lint: cargo ## formatting and clippy, warnings as errors
	@cargo fmt --check
	@cargo fmt --manifest-path fuzz/Cargo.toml --check
	@cargo clippy --release --all-targets --locked -- -D warnings

.PHONY: cargo
cargo:
	@command -v cargo >/dev/null || { \
	    echo 'cargo is missing: this project is compiled with Rust. Install it with rustup (see https://rustup.rs),' >&2; \
	    echo 'on Debian 13 and later with: sudo apt-get install -y rustup; then start a new shell and try again.' >&2; exit 69; }
