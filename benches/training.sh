#!/usr/bin/env bash
# Training throughput: the paper's model, batch 100, T = 32, Adam, against PyTorch on the same threads,
# in turn. Usage: training.sh <python with torch> <rounds>. Prints seconds an iteration and the ratio.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 rounds=${2:-3} threads=$(nproc)
binary=${ALIGNDRAW_BINARY:-target/release/aligndraw}
ours=() theirs=()
# Runs a command in silence and prints its peak resident set, MiB.
measure='import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024))'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for round in $(seq "$rounds"); do
  out=$scratch/$round
  peak=$("$python" -c "$measure" "$binary" train --preset paper --optimizer adam --epochs 1 --batches 20 \
    --threads "$threads" --out "$out")
  ours+=("$(node -e 'const l=JSON.parse(require("fs").readFileSync(process.argv[1]));console.log(100/l.images_per_second)' "$out/log.jsonl")")
  theirs+=("$(cd benches/peers && "$python" training.py 8 "$threads" 32 100 60)")
done
node -e '
const [peak] = process.argv.slice(-1);
const [ours, theirs] = process.argv.slice(1, 3).map((text) => text.split(" ").map(Number).sort((a, b) => a - b));
const median = (list) => list[Math.floor(list.length / 2)];
console.log(`a training iteration (batch 100, T = 32), median of ${ours.length}, in turn:`);
console.log(`  aligndraw  ${median(ours).toFixed(3)} s`);
console.log(`  PyTorch    ${median(theirs).toFixed(3)} s   ${(median(theirs) / median(ours)).toFixed(2)} ×`);
console.log(`  peak resident set of training: ${peak} MiB`);
' "${ours[*]}" "${theirs[*]}" "$peak"
