// Refuses a package that grew past its budget: bytes as a browser downloads them, brotli where that is served.
import { readFileSync, statSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

const size = (file) => statSync(file).size;
const brotli = (file) => brotliCompressSync(readFileSync(file)).length;
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** A bundled script and what it imports at once. */
function withImports(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) withImports(`pkg/${name}`, seen);
  return seen;
}

const library = sum([...withImports('pkg/align-draw.js'), 'pkg/worker.js', 'pkg/engine-cpu.js'].map(brotli));
const cpu = size('pkg/cpu/aligndraw_bg.wasm.br');
const BUDGETS = [
  ['element, worker and the CPU engine’s JavaScript', library, 19_000],
  ['CPU engine', cpu, 335_000],
  ['flex engine and its JavaScript', size('pkg/flex/aligndraw_bg.wasm.br') + brotli('pkg/engine-flex.js'), 450_000],
  ['describe engine and its JavaScript', size('pkg/describe/aligndraw_bg.wasm.br') + brotli('pkg/engine-describe.js'), 450_000],
  ['WebGPU engine and its JavaScript', size('pkg/webgpu/aligndraw_bg.wasm.br') + brotli('pkg/engine-webgpu.js'), 1_950_000],
  ['weights of the digits', size('models/digits.safetensors'), 2_500_000],
  ['weights of the paper’s digits', size('models/aligndraw-digits.safetensors'), 2_500_000],
  ['weights of the scenes', size('models/scenes.safetensors'), 8_000_000],
  ['weights of the paper’s scenes', size('models/aligndraw-scenes.safetensors'), 8_000_000],
  ['whole first picture in a blog: element, CPU engine, digits', library + cpu + size('models/digits.safetensors') + brotli('models/digits.json'), 1_500_000],
];
let failed = false;
for (const [name, bytes, budget] of BUDGETS) {
  failed ||= bytes > budget;
  console.log(`${bytes > budget ? 'TOO LARGE' : 'ok'}  ${name}: ${bytes} bytes of ${budget}`);
}
process.exit(failed ? 1 : 0);
