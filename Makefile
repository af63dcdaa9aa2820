# Every step is a separate target; `make help` lists them. Longer steps are scripts in .ci/.
#
# Folders, each can be set as a variable:
#   CARGO_TARGET_DIR  output of the native build (target)
#   WASM_TARGET_DIR   output of the WebAssembly build ($CARGO_TARGET_DIR-wasm, or target/wasm)
#   CACHE_DIR         tools that are downloaded or built once (~/.cache/parterre)
#   DATA_DIR          what `make run` keeps: database, objects, the demo venue (data)
#   LOG_DIR           what the programs that a step runs have printed, one file a step (target/logs)

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

.PHONY: help setup setup-server setup-viewer setup-tests setup-wasm setup-browser setup-optimize build web run viewer demo fresh \
	test test-native test-scans test-server test-viewer test-web test-running test-gltf test-clients test-copc setup-copc web-for-tests \
	lint lint-fmt lint-cycles crates lint-native lint-wasm lint-deny setup-deny setup-bench setup-bench-serve bench-import bench-tile bench-read bench-serve bench-broken bench-memory bench-select bench-viewer setup-bench-picture bench-picture \
	fuzz clean-bench clean-data

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS=$$'\t' read -r name what; do printf '  %-15s %s\n' "$$name" "$$what"; done

setup: setup-server setup-viewer setup-tests setup-wasm setup-optimize setup-browser ## everything that builds and tests need (packages by apt-get, WebAssembly target, wasm-bindgen)

setup-server: ## the C and C++ compiler and PostgreSQL's client library, for the service
	@.ci/setup-apt server

setup-viewer: ## window and Vulkan libraries, and a software GPU, for the desktop viewer
	@.ci/setup-apt server viewer

setup-tests: ## a PostgreSQL server for the tests to start
	@.ci/setup-apt tests

setup-wasm: ## WebAssembly library (rustup, or else Debian's rustc-web) and wasm-bindgen at Cargo.lock's version
	@.ci/setup-apt server
	@.ci/setup-wasm

setup-optimize: ## binaryen and brotli, to make the web viewer small
	@.ci/setup-apt optimize

setup-browser: ## node, npm and Chromium, for the browser tests
	@.ci/setup-apt browser

build: setup-server ## the service and command line: target/release/parterre
	@. .ci/lib.sh; step "compiling the service" cargo build --release --workspace --bin parterre

web: ## the web viewer, small and compressed, as `make run` serves it
	@.ci/web-viewer "$(WEB_DIR)"

run: build ## a running service with a demo venue, on 127.0.0.1:8080 or the next free port (PORT=n); RUN_ONCE=1 ends when all is built
	@.ci/run-service "$(DATA_DIR)" "$(WEB_DIR)"

viewer: setup-viewer demo ## the desktop viewer on the demo venue (SOURCE=tiles.3tz or a service's scan address)
	@. .ci/lib.sh; step "compiling the desktop viewer" cargo build --release --workspace --bins
	@if [ -z "$(SOURCE)" ] && [ ! -s "$(DATA_DIR)/demo/tiles.3tz" ]; then \
		. .ci/lib.sh; step "tiling the demo venue" "$(PARTERRE)" tile "$(DATA_DIR)/demo/scan.laz" -o "$(DATA_DIR)/demo"; fi
	@"$(TARGET_DIR)/release/parterre-viewer" "$(or $(SOURCE),$(DATA_DIR)/demo/tiles.3tz)"

demo: build ## the demo venue's files: data/demo/scan.laz and truth.json
	@[ -s "$(DATA_DIR)/demo/scan.laz" ] || { mkdir -p "$(DATA_DIR)/demo"; . .ci/lib.sh; step "scanning the demo venue" "$(PARTERRE)" demo -o "$(DATA_DIR)/demo"; }

test: test-native test-web test-gltf test-clients test-copc ## all tests: native, in a browser, tiles with the glTF validator and in other viewers, COPC with other readers

test-native: setup-viewer setup-tests ## all native tests (unit, property, API, end to end, pictures)
	@. .ci/lib.sh; step "compiling the native tests" cargo test --release --workspace --no-run
	@. .ci/lib.sh; showing '^test result:|^ +Running |^ +Doc-tests |^test .* FAILED$$|^error' "native tests" cargo test --release --workspace --no-fail-fast

test-scans: setup-viewer ## native tests of the crates in scans/ only (one crate: .ci/test-package scans/read)
	@.ci/test-package scans

test-server: setup-viewer setup-tests ## native tests of the server only
	@.ci/test-package server

test-viewer: setup-viewer ## native tests of the viewer only
	@.ci/test-package viewer

web-for-tests: setup-wasm
	@.ci/web-build "$(WEB_TEST_DIR)"

test-web: build setup-browser web-for-tests ## pages and web viewer in headless Chromium
	@.ci/test-web "$(WEB_TEST_DIR)" decoders.test.mjs graphics.test.mjs pages.test.mjs viewer.test.mjs

test-running: setup-browser ## checks in headless Chromium that the service at PARTERRE_ORIGIN offers the viewer and that it draws
	@.ci/test-web "$(WEB_DIR)" running.test.mjs

test-gltf: build setup-browser ## checks all tiles of the demo venue and some of other scans with the glTF validator
	@.ci/test-web "$(WEB_TEST_DIR)" gltf.test.mjs

test-clients: build setup-browser ## tiles in CesiumJS and 3d-tiles-renderer, in headless Chromium
	@clients="$$(.ci/setup-clients)"; PARTERRE_CLIENTS_DIR="$$clients" .ci/test-web "$(WEB_TEST_DIR)" clients.test.mjs

setup-copc: ## laspy and copclib, to read COPC in tests
	@.ci/setup-apt python
	@.ci/setup-copc

test-copc: build setup-copc ## compares COPC of the test data (or the demo venue) with its sources point by point, by laspy and copclib
	@.ci/test-copc

lint: lint-fmt lint-cycles lint-native lint-wasm lint-deny ## formatting, import cycles, clippy (native and WebAssembly), licences and sources of dependencies

lint-fmt: ## formatting
	@. .ci/lib.sh; step "formatting" cargo fmt --all --check

lint-cycles: ## import cycles between the files of one crate
	@.ci/setup-apt python
	@python3 .ci/lint-cycles

crates: ## files, lines and dependencies of each crate, for docs/architecture.md
	@python3 .ci/lint-cycles --table

lint-native: setup-viewer ## clippy on everything native
	@. .ci/lib.sh; step "clippy, native" cargo clippy --release --workspace --all-targets -- -D warnings

lint-wasm: setup-wasm ## clippy on the web viewer
	@. .ci/lib.sh; step "clippy, WebAssembly" .ci/wasm-cargo clippy --profile web -p parterre-viewer --lib -- -D warnings

lint-deny: setup-deny ## licences, sources and bans of dependencies; advisories where their database can be reached
	@.ci/lint-deny

setup-deny: setup-server
	@. .ci/lib.sh; have cargo-deny || { export CARGO_TARGET_DIR="$(CACHE_DIR)/tools-target"; \
		step "building cargo-deny" cargo install --root "$$TOOLS_DIR" --locked cargo-deny --version '^0.20'; }

fuzz: setup-server ## fuzzes every reader and decoder (TARGETS="las glb", FUZZ_SECONDS=60 each)
	@.ci/fuzz $(TARGETS)

setup-bench: build
	@.ci/setup-apt bench
	@. .ci/lib.sh; step "compiling what measures" cargo build --release -p parterre-tile --example wire_bytes -p parterre-read --example read_points

bench-tile: setup-bench ## compares tiling with other programs on a synthetic stadium (POINTS, RUNS, PEERS, SIZES; WRITE=1 updates docs/benchmarks.md)
	@.ci/bench-tile

bench-read: setup-bench ## compares reading LAS, LAZ, E57 and PLY with Python libraries (POINTS, RUNS; WRITE=1)
	@.ci/bench-read

setup-bench-serve: build
	@.ci/setup-apt bench-serve

bench-serve: setup-bench-serve ## the service beside nginx, sending a tile of 175 kB over loopback (RUNS, CONNECTIONS, REQUESTS; WRITE=1)
	@.ci/bench-serve

setup-bench-picture: build setup-viewer
	@.ci/setup-apt bench browser
	@. .ci/lib.sh; step "compiling the desktop viewer" cargo build --release --workspace --bins
	@. .ci/lib.sh; step "compiling what measures pictures" cargo build --release -p parterre-picture --examples

bench-picture: setup-bench-picture ## pictures of the desktop viewer and of 3d-tiles-renderer against exact ones (BUDGETS, PEERS, KEEP; WRITE=1)
	@.ci/bench-picture

bench-select: build ## the selection of tiles in a tree of 20,000, by criterion (FILTER=walk; WRITE=1)
	@.ci/setup-apt bench
	@.ci/bench-select

bench-viewer: build setup-browser web ## the web viewer beside 3d-tiles-renderer in headless Chromium: frames, bytes, memory (RUNS, POINTS, PICTURES=DIR, ONLY=still; WRITE=1)
	@.ci/bench-viewer "$(WEB_DIR)"

bench-broken: setup-bench ## time and memory for each broken file of ../shared/data
	@.ci/bench-broken

bench-memory: build ## memory of the service after 60 uploads of a scan of 1 M points, one after the other (FILE, UPLOADS, LIMIT_MB=80)
	@.ci/setup-apt bench
	@.ci/bench-memory

clean-bench: ## removes benchmark inputs and results, and the fuzzing corpus
	@echo "== removing $(CACHE_DIR)/bench and $(CACHE_DIR)/fuzz"; rm -rf -- "$(CACHE_DIR)/bench" "$(CACHE_DIR)/fuzz"

bench-import: build ## time and memory of tiling FILE=scan.laz, compared with other programs (PEERS="copc_converter py3dtiles", RUNS=3)
	@.ci/setup-apt bench
	@.ci/bench-import "$(or $(FILE),$(error no file given. Run: make bench-import FILE=scan.laz))" $(or $(PEERS),copc_converter)

fresh: ## the README's two commands in a bare Debian with nothing in any cache, timed (as root; one to three hours)
	@.ci/fresh

clean-data: ## removes the data of `make run`: database, objects, the demo venue
	@if [ -d "$(DATA_DIR)/objects" ] || [ -d "$(DATA_DIR)/demo" ]; then echo "== removing $(DATA_DIR)"; rm -rf -- "$(DATA_DIR)"; else echo "== no Parterre data in $(DATA_DIR)"; fi
