#!/usr/bin/env bash
# clippy for the browser's target, once for each engine's features. It shares the target folder of build-web.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${ALIGNDRAW_CACHE:-$HOME/.cache/aligndraw}
eval "$(scripts/wasm-std.sh)"
clippy=("$CARGO_WASM" clippy)
if [ "$CARGO_WASM" != cargo ]; then
  # Debian's own, since clippy must be as old as the compiler; cargo would find rustup's first.
  scripts/apt-install.sh rust-web-clippy
  export CARGO=$CARGO_WASM
  clippy=(/usr/bin/cargo-clippy clippy)
fi
export CARGO_TARGET_DIR=$cache/wasm RUSTFLAGS="-C target-feature=+simd128"
for feature in "" flex describe webgpu; do
  "${clippy[@]}" --quiet --locked --lib --profile web --target wasm32-unknown-unknown \
    ${feature:+--features "$feature"} -- -D warnings
done
