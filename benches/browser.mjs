// Milliseconds of a picture (32 steps, batch 1) in one Chromium: this project's CPU engine,
// onnxruntime-web (wasm, one thread) and TensorFlow.js (wasm backend), the same weights and noise,
// in turn. Usage: node benches/browser.mjs <folder of aligndraw-digits in f16 and as ONNX> <results.json>
import { createReadStream, existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { startBrowser } from '../tests/browser/harness.mjs';

const [peers, results] = process.argv.slice(2);
const ROUNDS = 30;
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };

const server = createServer((request, response) => {
  const path = normalize(new URL(request.url, 'http://x').pathname);
  const file = path.startsWith('/peers/') ? join(peers, path.slice('/peers/'.length)) : join('.', path);
  if (path.includes('..') || !existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await startBrowser();
const page = await browser.newPage();
page.on('pageerror', (error) => console.error(String(error)));
await page.goto(`http://127.0.0.1:${server.address().port}/benches/peers/peers.html`);

const measured = await page.evaluate(async (rounds) => {
  const CAPTION = 'the digit seven is on the left of the digit two';
  const [STEPS, Z] = [32, 150];
  const { load } = await import('/www/lib/aligndraw.js');
  const { TfAlignDraw, readSafetensors } = await import('/benches/peers/tfjs.js');
  const ours = await load({ device: 'cpu', pkg: '/pkg/', model: '/models/aligndraw-digits.json' });
  const info = ours.info;
  const ids = (await ours.words(CAPTION)).map((word) => info.words.indexOf(info.aliases[word] ?? word));
  const noise = Float32Array.from({ length: STEPS * Z }, (_, i) => Math.sin(12.9898 * (i + 1)));

  const manifest = await (await fetch('/peers/aligndraw-digits.json')).json();
  const weights = await (await fetch(`/peers/${manifest.weights.file}`)).arrayBuffer();
  tf.wasm.setWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
  tf.wasm.setThreadsCount(1);
  await tf.setBackend('wasm');
  const tfModel = new TfAlignDraw(tf, readSafetensors(weights), STEPS);

  ort.env.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create('/peers/aligndraw-digits.onnx', { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
  const feeds = {
    ids: new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
    noise: new ort.Tensor('float32', noise, [STEPS, 1, Z]),
  };

  const contenders = {
    aligndraw: async (seed) => {
      let frames = 0;
      for await (const _ of ours.draw(CAPTION, { seed })) frames += 1;
      if (frames !== STEPS) throw new Error(`${frames} frames`);
    },
    'onnxruntime-web': async () => (await session.run(feeds)).images.data,
    'tfjs-wasm': () => tfModel.draw(ids, noise),
  };
  // The peers draw the same picture from the same noise: else their time means nothing.
  const [a, b] = [await contenders['onnxruntime-web'](), await contenders['tfjs-wasm']()];
  const worst = a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
  if (!(worst < 1e-3)) throw new Error(`the peers' pictures differ by ${worst}`);

  const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(contenders)) {
      const begun = performance.now();
      await run(round);
      times[name].push(performance.now() - begun);
    }
  }
  return { config: manifest.config, times, memory: ours.memory, ort: ort.env.versions?.common ?? '', tf: tf.version_core ?? tf.version?.tfjs };
}, ROUNDS);
await browser.close();
server.close();

/** What no implementation can avoid: the products of the decoder's state and the latent, each weight read once a step. */
function floor({ decoder_size: D, latent_size: Z, align_size, write_size, num_steps }) {
  const weights = D * (align_size + 4 * D + 2 * Z + 5 + write_size ** 2) + Z * 4 * D;
  const of = (scale) => `${((scale * weights) / 1e6).toFixed(2)}`;
  return `${of(1)} MMAC and ${of(4)} MB of weights a step: ${of(2 * num_steps)} MFLOP and ${of(4 * num_steps)} MB for ${num_steps} steps`;
}

const median = (list) => list.toSorted((x, y) => x - y)[Math.floor(list.length / 2)];
const first = measured.times.aligndraw[0];
const medians = Object.fromEntries(Object.entries(measured.times).map(([name, list]) => [name, median(list)]));
const summary = {
  milliseconds: medians,
  ratio_to_onnxruntime_web: medians['onnxruntime-web'] / medians.aligndraw,
  ratio_to_tfjs_wasm: medians['tfjs-wasm'] / medians.aligndraw,
  first_picture_over_median: first / medians.aligndraw,
  wasm_memory_mib: measured.memory / 2 ** 20,
  floor: floor(measured.config),
};
console.log(`a picture of 32 steps in Chromium, median of ${ROUNDS}, in turn:`);
for (const [name, ms] of Object.entries(medians)) console.log(`  ${name.padEnd(18)}${ms.toFixed(1).padStart(8)} ms  ${(ms / medians.aligndraw).toFixed(2)} ×`);
console.log(`  first picture ${first.toFixed(1)} ms (${summary.first_picture_over_median.toFixed(1)} × the median); wasm memory ${summary.wasm_memory_mib.toFixed(0)} MiB`);
console.log(`  floor: ${summary.floor}`);
writeFileSync(results, JSON.stringify(summary, null, 2) + '\n');
