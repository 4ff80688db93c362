# demo · test · lint · web · package · site · browser-test · bundler-test · bundlers · fuzz · bench. Continuous integration calls nothing else.
# Everything that is built is kept in ALIGNDRAW_CACHE between runs and between clones.
SHELL := bash
ALIGNDRAW_CACHE ?= $(HOME)/.cache/aligndraw
CARGO_TARGET_DIR ?= $(ALIGNDRAW_CACHE)/native
export ALIGNDRAW_CACHE CARGO_TARGET_DIR
BINARY := $(CARGO_TARGET_DIR)/release/aligndraw
export ALIGNDRAW_BINARY := $(BINARY)
PORT ?= 8080

.PHONY: demo test lint web package site native rust-test chromium browser-test bundler-test bundlers sizes fuzz bench

## Builds what is missing and serves the page.
demo: native web
	$(BINARY) serve --port $(PORT)

## Installs what tests need and runs everything.
test: lint rust-test web package site sizes browser-test bundler-test

native:
	@command -v cargo >/dev/null || { echo "Rust is needed: https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null || scripts/apt-install.sh gcc libc6-dev
	cargo build --release --locked --bin aligndraw

## pkg/: the engines, bound, optimised, pre-compressed; models/index.json: the models that the page offers.
web: native
	scripts/build-web.sh
	$(BINARY) index

## pkg/ as the npm package `aligndraw`: bundled JavaScript, types, models, licences.
package: web
	node scripts/bundle.mjs package
	rm -rf pkg/types
	node_modules/.bin/tsc -p tsconfig.types.json
	cp www/lib/*.d.ts pkg/types/

## site/: the page for any static host, in any folder.
site: web
	node scripts/bundle.mjs site

lint:
	scripts/node-tools.sh
	cargo fmt --check
	cargo clippy --release --locked --all-targets -- -D warnings
	scripts/lint-web.sh
	node_modules/.bin/tsc -p .

rust-test: native
	cargo test --release --locked

## Made-up input for everything that is read from elsewhere, 100 000 cases of each kind; `make test` runs a few hundred.
fuzz: export ALIGNDRAW_FUZZ_CASES := 100000
fuzz: native
	cargo test --release --locked --test it fuzz::
	node --test --test-reporter=spec tests/browser/fuzz.test.mjs

## What a visitor downloads stays small.
sizes: package
	node scripts/sizes.mjs

chromium:
	@command -v chromium >/dev/null || [ -n "$$CHROMIUM" ] || scripts/apt-install.sh chromium

browser-test: native package site chromium
	@command -v firefox-esr >/dev/null || [ -n "$$FIREFOX" ] || scripts/apt-install.sh firefox-esr
	@{ command -v WebKitWebDriver && { [ -n "$$DISPLAY" ] || command -v Xvfb; }; } >/dev/null || scripts/apt-install.sh webkit2gtk-driver xvfb
	node --test --test-concurrency=1 --test-reporter=spec tests/browser/*.test.mjs

## The packed package in the projects of bundlers and frameworks, of pinned versions.
bundler-test: native package chromium
	node --test --test-concurrency=1 --test-reporter=spec tests/bundlers/*.test.mjs

## The same with what takes longer or differs little.
bundlers: export ALIGNDRAW_BUNDLERS := all
bundlers: bundler-test

## Against PyTorch, onnxruntime-web and TensorFlow.js, in one run; prints ratios and writes benches/results/.
bench: native site
	benches/run.sh
