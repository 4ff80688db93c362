#!/usr/bin/env bash
# make bench: training against PyTorch, the browser against onnxruntime-web and TensorFlow.js.
# Environment: PYTHON, a Python that has benches/requirements.txt; without it one is made in the cache.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${ALIGNDRAW_CACHE:-$HOME/.cache/aligndraw}
python=${PYTHON:-$cache/python/bin/python}
if [ ! -x "$python" ]; then
  python3 -m venv "$cache/python" || { echo "python3-venv is needed: apt-get install python3-venv" >&2; exit 1; }
  "$cache/python/bin/pip" install --quiet -r benches/requirements.txt
fi
# The peers read f16: the same values, written without the bytes and steps.
peers=$(mktemp -d)
trap 'rm -rf "$peers"' EXIT
"$ALIGNDRAW_BINARY" export --from models/aligndraw-digits --models "$peers" >/dev/null
(cd benches/peers && "$python" export_onnx.py "$peers/aligndraw-digits.json" "$peers/aligndraw-digits.onnx" 2>/dev/null)
mkdir -p benches/results
node benches/browser.mjs "$peers" benches/results/browser.json
node benches/main-thread.mjs
benches/training.sh "$python" 3
cargo bench --quiet --locked --bench growth -- "$python" "$PWD/benches/results/growth.json" "$PWD/benches/results/growth.png"
