#!/usr/bin/env bash
# Builds pkg/: four engines from the one crate, bound, optimised, pre-compressed: cpu has the fused passes
# alone, flex runs painters in plain burn tensors on the CPU, describe runs what looks at pictures, webgpu painters on
# the GPU. Each stage says its time.
# Nothing is built again that did not change; engines named as arguments are built alone. Environment:
# ALIGNDRAW_CACHE, where tools and target folders are kept (default ~/.cache/aligndraw).
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${ALIGNDRAW_CACHE:-$HOME/.cache/aligndraw}
mkdir -p "$cache" pkg
bindgen_version=$(sed -n 's/^wasm-bindgen = "=\(.*\)"/\1/p' Cargo.toml)
bindgen=$cache/tools/bin/wasm-bindgen

# stage <name> <command…>: runs it and says how long it took.
stage() {
  local name=$1 began=$SECONDS
  shift
  echo "… $name" >&2
  "$@"
  echo "  $name: $((SECONDS - began)) s" >&2
}

install_bindgen() {
  cargo install --quiet wasm-bindgen-cli --version "$bindgen_version" --root "$cache/tools" \
    --target-dir "$cache/tools-target"
  rm -rf "$cache/tools-target"
}

stage "npm packages" scripts/node-tools.sh
if [ "$("$bindgen" --version 2>/dev/null)" != "wasm-bindgen $bindgen_version" ]; then
  stage "wasm-bindgen $bindgen_version, from source, once" install_bindgen
fi
environment=$(scripts/wasm-std.sh)

# The features are named: wasm-opt's --all-features writes what browsers refuse.
features=(--enable-bulk-memory --enable-nontrapping-float-to-int --enable-simd --enable-sign-ext
  --enable-mutable-globals --enable-reference-types --enable-multivalue)

# build <name> <cargo feature or ''> <wasm-opt options>
build() {
  local name=$1 feature=$2 options
  read -ra options <<<"$3"
  # One folder for all: what they share is compiled once.
  local target=$cache/wasm
  # The hand-written kernels are the cpu engine's; the others run burn's, which are for size throughout.
  local size=()
  [ -z "$feature" ] || size=(--config 'profile.web.package.aligndraw.opt-level="s"')
  (
    eval "$environment"
    export CARGO_TARGET_DIR=$target RUSTFLAGS="-C target-feature=+simd128"
    "$CARGO_WASM" build --quiet --locked --lib --profile web --target wasm32-unknown-unknown \
      ${feature:+--features "$feature"} "${size[@]}"
  )
  local wasm=$target/wasm32-unknown-unknown/web/aligndraw.wasm
  if [ -f "pkg/$name/aligndraw_bg.wasm.br" ] && [ "$(cat "pkg/$name/.of" 2>/dev/null)" = "$(sha256sum <"$wasm")" ]; then
    return
  fi
  rm -rf "pkg/$name"
  "$bindgen" --target web --out-dir "pkg/$name" --out-name aligndraw "$wasm"
  rm -f "pkg/$name/.gitignore"
  node_modules/.bin/wasm-opt "${options[@]}" "${features[@]}" "pkg/$name/aligndraw_bg.wasm" -o "pkg/$name/small.wasm"
  mv "pkg/$name/small.wasm" "pkg/$name/aligndraw_bg.wasm"
  node scripts/compress.mjs "pkg/$name/aligndraw_bg.wasm" "pkg/$name/aligndraw.js"
  sha256sum <"$wasm" >"pkg/$name/.of"
}

engines=("$@")
[ $# -gt 0 ] || engines=(cpu flex describe webgpu)
for name in "${engines[@]}"; do
  case $name in
    cpu) stage "the cpu engine" build cpu "" -O3 ;;
    # Until nothing gets smaller: 1 % of them, in seconds; on the webgpu engine it takes minutes.
    flex | describe) stage "the $name engine" build "$name" "$name" "-O3 --converge" ;;
    webgpu) stage "the webgpu engine" build webgpu webgpu -Oz ;;
    *) echo "there is no engine $name, expected cpu, flex, describe or webgpu" >&2; exit 2 ;;
  esac
done
cp node_modules/gifenc/dist/gifenc.esm.js pkg/gifenc.js
node scripts/engines.mjs
