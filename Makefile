# Every step is a target of its own; `make help` lists them. What needs more than two lines is a script in .ci/.
#
# Folders, each to be set from outside:
#   CARGO_TARGET_DIR  what the native build makes (target)
#   WASM_TARGET_DIR   what the WebAssembly build makes ($CARGO_TARGET_DIR-wasm, or target/wasm)
#   CACHE_DIR         tools that are fetched or built once (~/.cache/parterre)
#   DATA_DIR          what `make run` keeps: database, objects, the demo venue (data)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

CACHE_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/parterre
TARGET_DIR := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
WASM_TARGET_DIR ?= $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR)-wasm,$(CURDIR)/target/wasm)
DATA_DIR ?= $(CURDIR)/data
WEB_DIR ?= $(WASM_TARGET_DIR)/viewer-run
WEB_TEST_DIR ?= $(WASM_TARGET_DIR)/viewer-test
PARTERRE := $(TARGET_DIR)/release/parterre
export CACHE_DIR WASM_TARGET_DIR

.PHONY: help setup setup-server setup-viewer setup-tests setup-wasm setup-browser build web run viewer demo \
	test test-native test-scans test-server test-viewer test-web test-gltf test-clients test-copc setup-copc web-for-tests \
	lint lint-fmt lint-native lint-wasm lint-deny setup-deny setup-bench setup-bench-serve bench-import bench-tile bench-read bench-serve bench-broken \
	fuzz clean-bench clean-data

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS=$$'\t' read -r name what; do printf '  %-15s %s\n' "$$name" "$$what"; done

setup: setup-server setup-viewer setup-tests setup-wasm setup-browser ## everything that builds and tests need (packages by apt-get, WebAssembly target, wasm-bindgen)

setup-server: ## the C and C++ compiler and PostgreSQL's client library, for the service
	@.ci/setup-apt server

setup-viewer: ## window and Vulkan libraries, and a software GPU, for the desktop viewer
	@.ci/setup-apt server viewer

setup-tests: ## a PostgreSQL server for the tests to start
	@.ci/setup-apt tests

setup-wasm: ## WebAssembly library (rustup, or else Debian's rustc-web) and wasm-bindgen at Cargo.lock's version
	@.ci/setup-apt server web
	@.ci/setup-wasm

setup-browser: ## node, npm and Chromium, for the browser tests
	@.ci/setup-apt browser

build: setup-server ## the service and command line: target/release/parterre
	@echo "== compiling the service (the first time takes some minutes)"
	@. .ci/lib.sh; beat "compiling the service" cargo build --release --workspace --bin parterre

web: setup-wasm ## the web viewer, small and compressed, as `make run` serves it
	@.ci/web-build "$(WEB_DIR)" --small

run: build ## a running service with a demo venue, on 127.0.0.1:8080 or the next free port (PORT=n)
	@.ci/setup-apt server web
	@.ci/run-service "$(DATA_DIR)" "$(WEB_DIR)"

viewer: setup-viewer demo ## the desktop viewer on the demo venue (SOURCE=tiles.3tz or a service's scan address)
	@echo "== compiling the desktop viewer (the first time takes about twenty minutes)"
	@. .ci/lib.sh; beat "compiling the desktop viewer" cargo build --release --workspace --bins
	@if [ -z "$(SOURCE)" ] && [ ! -s "$(DATA_DIR)/demo/tiles.3tz" ]; then \
		echo "== tiling the demo venue"; "$(PARTERRE)" tile "$(DATA_DIR)/demo/scan.laz" -o "$(DATA_DIR)/demo"; fi
	@"$(TARGET_DIR)/release/parterre-viewer" "$(or $(SOURCE),$(DATA_DIR)/demo/tiles.3tz)"

demo: build ## the demo venue's files: data/demo/scan.laz and truth.json
	@[ -s "$(DATA_DIR)/demo/scan.laz" ] || { echo "== scanning the demo venue"; mkdir -p "$(DATA_DIR)/demo"; "$(PARTERRE)" demo -o "$(DATA_DIR)/demo"; }

test: test-native test-web test-gltf test-clients test-copc ## all tests: native, in a browser, the tiles with glTF's validator and in other viewers, and COPC with its readers

test-native: setup-viewer setup-tests ## all native tests (unit, property, API, end to end, pictures)
	@echo "== native tests (the first time compiles for about twenty-five minutes)"
	@. .ci/lib.sh; beat "native tests" cargo test --release --workspace --no-fail-fast

test-scans: setup-viewer ## the native tests of scans only
	@.ci/test-package parterre-scans

test-server: setup-viewer setup-tests ## the native tests of the server only
	@.ci/test-package parterre-server

test-viewer: setup-viewer ## the native tests of the viewer only
	@.ci/test-package parterre-viewer

web-for-tests: setup-wasm
	@.ci/web-build "$(WEB_TEST_DIR)"

test-web: build setup-browser web-for-tests ## pages and web viewer in headless Chromium
	@.ci/test-web "$(WEB_TEST_DIR)" pages.test.mjs viewer.test.mjs

test-gltf: build setup-browser ## every tile of the demo venue, and some of other scans, through glTF's validator
	@.ci/test-web "$(WEB_TEST_DIR)" gltf.test.mjs

test-clients: build setup-browser ## tiles in CesiumJS and 3d-tiles-renderer, in headless Chromium
	@clients="$$(.ci/setup-clients)"; PARTERRE_CLIENTS_DIR="$$clients" .ci/test-web "$(WEB_TEST_DIR)" clients.test.mjs

setup-copc: ## laspy and copclib, which read COPC back
	@.ci/setup-apt python
	@.ci/setup-copc

test-copc: build setup-copc ## COPC of the test data (or the demo venue), point by point against its sources, by laspy and copclib
	@.ci/test-copc

lint: lint-fmt lint-native lint-wasm lint-deny ## formatting, clippy (native and WebAssembly), licences and sources of dependencies

lint-fmt: ## formatting
	@echo "== cargo fmt"
	@cargo fmt --all --check

lint-native: setup-viewer ## clippy on everything native
	@echo "== clippy, native"
	@. .ci/lib.sh; beat "clippy" cargo clippy --release --workspace --all-targets -- -D warnings

lint-wasm: setup-wasm ## clippy on the web viewer
	@echo "== clippy, WebAssembly"
	@. .ci/lib.sh; beat "clippy for WebAssembly" .ci/wasm-cargo clippy --profile web -p parterre-viewer --lib -- -D warnings

lint-deny: setup-deny ## licences, sources and bans of dependencies; advisories where their database can be reached
	@.ci/lint-deny

setup-deny: setup-server
	@. .ci/lib.sh; have cargo-deny || { say "building cargo-deny (some minutes)"; export CARGO_TARGET_DIR="$(CACHE_DIR)/tools-target"; \
		beat "building cargo-deny" cargo install --root "$$TOOLS_DIR" --locked cargo-deny --version '^0.20'; }

fuzz: setup-server ## hostile bytes for every reader and decoder (TARGETS="las glb", FUZZ_SECONDS=60 each)
	@.ci/fuzz $(TARGETS)

setup-bench: build
	@.ci/setup-apt bench
	@. .ci/lib.sh; beat "compiling what measures" cargo build --release -p parterre-scans --example wire_bytes --example read_points

bench-tile: setup-bench ## tiling beside its peers on a seeded stadium, with the targets (POINTS, RUNS, PEERS, SIZES; WRITE=1 into docs/benchmarks.md)
	@.ci/bench-tile

bench-read: setup-bench ## reading LAS, LAZ, E57 and PLY beside Python's readers (POINTS, RUNS; WRITE=1)
	@.ci/bench-read

setup-bench-serve: build
	@.ci/setup-apt bench-serve

bench-serve: setup-bench-serve ## the service beside nginx, sending a tile of 175 kB over loopback (RUNS, CONNECTIONS, REQUESTS; WRITE=1)
	@.ci/bench-serve

bench-broken: setup-bench ## seconds and memory for each broken file of ../shared/data
	@.ci/bench-broken

clean-bench: ## removes the stadiums and results of benchmarks, and what fuzzing learned
	@echo "== removing $(CACHE_DIR)/bench and $(CACHE_DIR)/fuzz"; rm -rf -- "$(CACHE_DIR)/bench" "$(CACHE_DIR)/fuzz"

bench-import: build ## time and memory of tiling FILE=scan.laz beside its peers (PEERS="copc_converter py3dtiles", RUNS=3)
	@.ci/setup-apt bench
	@.ci/bench-import "$(or $(FILE),$(error say which file: make bench-import FILE=scan.laz))" $(or $(PEERS),copc_converter)

clean-data: ## removes what `make run` keeps: database, objects, the demo venue
	@if [ -d "$(DATA_DIR)/objects" ] || [ -d "$(DATA_DIR)/demo" ]; then echo "== removing $(DATA_DIR)"; rm -rf -- "$(DATA_DIR)"; else echo "== $(DATA_DIR) holds no data of Parterre"; fi
