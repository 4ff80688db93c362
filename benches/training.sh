#!/usr/bin/env bash
# Training throughput: the paper's sizes, batch 100, T = 32, Adam, against PyTorch on the same threads,
# in turn. Usage: training.sh <python with torch> <rounds>. Prints seconds an iteration and the ratio.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 rounds=${2:-3} threads=$(nproc)
binary=${ALIGNDRAW_BINARY:-target/release/aligndraw}
ours=() theirs=()
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for round in $(seq "$rounds"); do
  out=$scratch/$round
  "$binary" train --preset digits --steps 32 --epochs 1 --batches 20 --threads "$threads" --out "$out" >/dev/null 2>&1
  ours+=("$(node -e 'const l=JSON.parse(require("fs").readFileSync(process.argv[1]));console.log(100/l.images_per_second)' "$out/log.jsonl")")
  theirs+=("$(cd benches/peers && "$python" training.py 8 "$threads")")
done
node -e '
const [ours, theirs] = process.argv.slice(1).map((text) => text.split(" ").map(Number).sort((a, b) => a - b));
const median = (list) => list[Math.floor(list.length / 2)];
console.log(`a training iteration (batch 100, T = 32), median of ${ours.length}, in turn:`);
console.log(`  aligndraw  ${median(ours).toFixed(3)} s`);
console.log(`  PyTorch    ${median(theirs).toFixed(3)} s   ${(median(theirs) / median(ours)).toFixed(2)} ×`);
' "${ours[*]}" "${theirs[*]}"
