// Refuses a package that grew past its budget: bytes as a browser downloads them, brotli.
import { readFileSync, statSync } from 'node:fs';

const BUDGETS = [
  ['CPU engine and its JavaScript', ['pkg/cpu/aligndraw_bg.wasm.br', 'pkg/cpu/aligndraw.js.br'], 350_000],
  ['WebGPU engine and its JavaScript', ['pkg/webgpu/aligndraw_bg.wasm.br', 'pkg/webgpu/aligndraw.js.br'], 1_800_000],
  ['weights of the digits', ['models/digits.safetensors'], 4_800_000],
  ['weights of the scenes', ['models/scenes.safetensors'], 8_000_000],
];
let failed = false;
for (const [name, files, budget] of BUDGETS) {
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  failed ||= bytes > budget;
  console.log(`${bytes > budget ? 'TOO LARGE' : 'ok'}  ${name}: ${bytes} bytes of ${budget}`);
}
const manifest = JSON.parse(readFileSync('models/digits.json', 'utf8'));
if (manifest.weights.bytes !== statSync('models/digits.safetensors').size) failed = true;
process.exit(failed ? 1 : 0);
