// Writes pkg/engines.js: the hashes by which a browser keeps and checks the engines.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const engines = {};
for (const device of ['cpu', 'webgpu']) {
  const bytes = readFileSync(`pkg/${device}/aligndraw_bg.wasm`);
  engines[device] = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}
writeFileSync('pkg/engines.js', `export const engines = ${JSON.stringify(engines, null, 2)};\n`);
