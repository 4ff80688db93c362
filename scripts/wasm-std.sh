#!/usr/bin/env bash
# Makes sure that some rustc on this machine can compile for wasm32-unknown-unknown, and prints the
# environment that selects it (to be eval'ed): nothing for rustup's own, RUSTC and CARGO_WASM for
# Debian's. rustup is tried first, with a time limit, because its server may be out of reach.
set -euo pipefail
target=wasm32-unknown-unknown
say() { echo "$@" >&2; }

has_std() { ls "$("$1" --print sysroot)/lib/rustlib/$target/lib/"libstd-*.rlib >/dev/null 2>&1; }

if has_std rustc; then
  echo "export CARGO_WASM=cargo"
  exit 0
fi
debian_std=/usr/lib/rustlib/$target/lib
if [ ! -f "$debian_std/.complete" ]; then
  say "wasm32: asking rustup for the standard library (60 s at most)"
  if command -v rustup >/dev/null && timeout 60 rustup target add $target >&2 2>&1 && has_std rustc; then
    echo "export CARGO_WASM=cargo"
    exit 0
  fi
  say "wasm32: rustup's server is out of reach; building std from Debian's packages"
  "$(dirname "$0")/apt-install.sh" rustc-web cargo-web rust-web-src
  lld="$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld"
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  mkdir -p "$scratch/src"
  printf '[package]\nname = "std-only"\nversion = "0.0.0"\nedition = "2021"\n[lib]\ncrate-type = ["rlib"]\n' >"$scratch/Cargo.toml"
  echo '' >"$scratch/src/lib.rs"
  (cd "$scratch" && env -u CARGO_TARGET_DIR RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$lld" \
    /usr/bin/cargo build --quiet --release --target $target -Zbuild-std=std,panic_abort >&2)
  mkdir -p "$debian_std"
  cp "$scratch/target/$target/release/deps/"*.rlib "$debian_std/"
  touch "$debian_std/.complete"
fi
lld="$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld"
echo "export CARGO_WASM=/usr/bin/cargo RUSTC=/usr/bin/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$lld"
