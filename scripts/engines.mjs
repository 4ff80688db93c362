// Writes pkg/engines.js: the hashes by which a browser keeps and checks the engines, and which engine a model's
// system takes on the CPU.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const engines = {};
for (const name of ['cpu', 'flex', 'describe', 'webgpu']) {
  const bytes = readFileSync(`pkg/${name}/aligndraw_bg.wasm`);
  engines[name] = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}
const glue = await import(pathToFileURL('pkg/cpu/aligndraw.js').href);
glue.initSync({ module: readFileSync('pkg/cpu/aligndraw_bg.wasm') });
const constants = { engines, engineOf: glue.engineOf() };
const lines = Object.entries(constants).map(([name, value]) => `export const ${name} = ${JSON.stringify(value, null, 2)};`);
writeFileSync('pkg/engines.js', `${lines.join('\n')}\n`);
