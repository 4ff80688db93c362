// @ts-check
/** The worker that owns the wasm. Its messages are listed in `protocol.js`. */

import { freshFile, hashedFile } from './download.js';
import { AlignDrawError, describe } from './protocol.js';

/** Milliseconds of drawing after which frames are sent and other messages are let in. */
const MESSAGE_TIME = 8;

/** @type {any} the wasm-bindgen module */
let engine;
/** @type {any} the loaded model */
let model;
/** Whether the engine answers later, as the GPU does. */
let waits = false;
/** Loads and drawings that may still be cancelled. @type {Map<number, AbortController>} */
const running = new Map();

/** @param {any} message @param {Transferable[]} [transfer] */
const post = (message, transfer = []) => self.postMessage(message, { transfer });

/** Lets messages (a cancel) in between two steps, without the 4 ms that nested timers wait. */
const channel = new MessageChannel();
/** @type {(() => void)[]} */
const waiting = [];
channel.port1.onmessage = () => waiting.shift()?.();
const yieldToMessages = () =>
  new Promise((/** @type {(value?: any) => void} */ resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(0);
  });

/** A model's manifest as far as loading needs it, or undefined when these bytes are none. @param {Uint8Array} text */
function manifestOf(text) {
  try {
    const manifest = JSON.parse(new TextDecoder().decode(text));
    const { file, sha256, bytes } = manifest.weights;
    const whole = typeof manifest.name === 'string' && typeof file === 'string' && /^[0-9a-f]{64}$/.test(sha256) && Number.isSafeInteger(bytes) && bytes > 0;
    return whole ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** An engine's JavaScript: a module, or in the package a script that leaves it behind. @param {string} url */
async function script(url) {
  const module = await import(url);
  return module.memoryBytes ? module : /** @type {any} */ (globalThis).alignDrawEngine;
}

/**
 * A manifest, from the network or as it came with the code.
 * @param {{manifest: string, text?: string}} files @param {AbortSignal} signal @param {string} what
 */
async function manifestFile({ manifest, text }, signal, what) {
  if (text === undefined) return freshFile(manifest, signal, (bytes) => manifestOf(bytes) !== undefined, what);
  return { bytes: new TextEncoder().encode(text), settle: async () => {} };
}

/** @param {{id: number, files: import('./protocol.js').LoadFiles, gpu: boolean, kept: Map<string, Uint8Array>}} request */
async function load({ id, files, gpu, kept }, /** @type {AbortSignal} */ signal) {
  const file = await manifestFile(files, signal, 'a model’s manifest');
  const manifestBytes = file.bytes;
  const manifest = manifestOf(manifestBytes);
  if (manifest.data?.name === 'snippets') {
    throw new AlignDrawError({ code: 'model', message: `${manifest.name} describes regions of photos: aligndraw describe PICTURE --map does` });
  }
  /** @type {Map<string, {loaded: number, total: number, from: string}>} */
  const parts = new Map();
  const report = (/** @type {string} */ name) => (/** @type {number} */ loaded, /** @type {number} */ total, /** @type {string} */ from) => {
    parts.set(name, { loaded, total, from });
    const all = [...parts.values()];
    const sum = (/** @type {'loaded' | 'total'} */ key) => all.reduce((n, part) => n + part[key], 0);
    const network = all.some((part) => part.from === 'network');
    post({ type: 'progress', id, loaded: sum('loaded'), total: sum('total'), from: network ? 'network' : 'cache' });
  };
  // A system that no engine knows is refused by the one that reads manifests best.
  const name = gpu ? 'webgpu' : files.engineOf?.[manifest.system] ?? 'flex';
  const { glue: glueUrl, wasm: wasmFile } = files.others?.[name] ?? files;
  waits = name !== 'cpu';
  const { sha256, bytes } = manifest.weights;
  const url = files.weights ?? new URL(manifest.weights.file, files.manifest).href;
  const memory = { kept, keep: (/** @type {string} */ sha256, /** @type {Uint8Array} */ bytes) => post({ type: 'keep', id, sha256, bytes }) };
  const [{ bytes: weights, settle }, wasm, glue, eyes] = await Promise.all([
    hashedFile({ name: `weights/${manifest.name}`, url, sha256, bytes }, signal, report('weights'), memory),
    hashedFile(wasmFile, signal, report('engine'), memory),
    script(glueUrl),
    manifest.data?.name?.startsWith('photo') ? eyesOf(files, signal, report('eyes'), memory) : undefined,
  ]);
  signal.throwIfAborted();
  try {
    await glue.default({ module_or_path: await WebAssembly.compile(/** @type {BufferSource} */ (wasm.bytes)) });
  } catch (error) {
    const message = /** @type {Error} */ (error).message;
    throw new AlignDrawError({ code: 'wasm-blocked', message: `WebAssembly does not run here: ${message}` });
  }
  engine = glue;
  const adapter = gpu ? await glue.initGpu((/** @type {string} */ message) => post({ type: 'lost', message })) : '';
  const looks = glue.isRanker && (glue.isRanker(manifest.system) ? glue.Ranker : glue.Captioner);
  model = looks ? new looks(manifestBytes, weights) : new glue.Model(manifestBytes, weights, name);
  if (eyes) model.openEyes(eyes.manifest, eyes.weights);
  // The engine has read them: they may take the place of what was kept before.
  await Promise.all([file.settle(), settle(), wasm.settle(), eyes?.settle()]);
  if (!waits) await warmUp();
  post({ type: 'loaded', id, info: { ...model.info(), sha256 }, adapter, memory: glue.memoryBytes() });
}

/**
 * What models of photos look with: the `eyes.json` that comes with the code or lies beside their manifest, and the
 * weights that it names.
 * @param {{manifest: string, eyes?: {manifest: string, text?: string, weights?: string}}} files @param {AbortSignal} signal
 * @param {Parameters<typeof hashedFile>[2]} report @param {Parameters<typeof hashedFile>[3]} memory
 */
async function eyesOf(files, signal, report, memory) {
  const { manifest, text, weights: given } = files.eyes ?? { manifest: new URL('eyes.json', files.manifest).href };
  const file = await manifestFile({ manifest, text }, signal, 'the manifest of the eyes');
  const { file: name, sha256, bytes } = manifestOf(file.bytes).weights;
  const url = given ?? new URL(name, manifest).href;
  const weights = await hashedFile({ name: 'weights/eyes', url, sha256, bytes }, signal, report, memory);
  return { manifest: file.bytes, weights: weights.bytes, settle: () => Promise.all([file.settle(), weights.settle()]) };
}

/** Draws without showing: for the first pictures a browser runs code that its baseline compiler made. */
async function warmUp() {
  for (const seed of [0n, 1n, 2n]) {
    const session = model.begin(model.info().example, BigUint64Array.of(seed));
    while (session.stepNow());
    session.free();
    await yieldToMessages();
  }
}

/** Settled when the last drawing that was asked for has ended. */
let turn = Promise.resolve();

/**
 * Draws when the drawings before have ended: together they would all end late, and need memory for all.
 * @param {any} request @param {AbortSignal} signal
 */
async function draw(request, signal) {
  const before = turn;
  let end = () => {};
  turn = new Promise((resolve) => (end = resolve));
  try {
    await before;
    signal.throwIfAborted();
    if (!model) throw new AlignDrawError({ code: 'failed', message: 'no model is loaded' });
    await run(begin(request), request, signal);
  } finally {
    end();
  }
}

/** The finished drawing that can be branched from, by the request that drew it. @type {{id: number, session: any} | null} */
let kept = null;

/** Frees the kept drawing: two at once would double the memory. */
function release() {
  kept?.session.free();
  kept = null;
}

/** @param {any} request a drawing or a branch @returns {any} the session */
function begin({ type, caption, seeds, options, keep, from, picture, step, seed }) {
  if (keep) release();
  if (type === 'draw') return model.begin(caption, BigUint64Array.from(seeds), options);
  if (!kept || kept.id !== from) throw new AlignDrawError({ code: 'gone', message: 'that drawing is no longer kept: draw it again' });
  return kept.session.branch(picture, step, caption, seed);
}

/** @param {any} session @param {{id: number, keep?: boolean}} request @param {AbortSignal} signal */
async function run(session, { id, keep }, signal) {
  let whole = false;
  const begun = performance.now();
  let lastSent = begun;
  let paused = 0;
  /** The steps since the last message. @type {import('./protocol.js').Step[]} */
  let steps = [];
  const sendFrames = () => {
    if (steps.length) post({ type: 'frames', id, steps }, steps.map(({ numbers }) => numbers.buffer));
    steps = [];
  };
  try {
    for (;;) {
      const packed = waits ? await session.step() : session.stepNow();
      signal.throwIfAborted();
      if (!packed) {
        whole = true;
        break;
      }
      steps.push(packed);
      const now = performance.now();
      if (now - lastSent < MESSAGE_TIME) continue;
      sendFrames();
      await yieldToMessages();
      signal.throwIfAborted();
      lastSent = performance.now();
      paused += lastSent - now;
    }
  } finally {
    if (whole && keep) kept = { id, session };
    else session.free();
  }
  sendFrames();
  const milliseconds = performance.now() - begun - paused;
  post({ type: 'done', id, milliseconds, memory: engine.memoryBytes() });
}

/** Describes a picture. @param {any} request @param {AbortSignal} signal */
async function say({ id, rgba, beam }, signal) {
  if (!model?.describe) throw new AlignDrawError({ code: 'model', message: 'this model draws, it does not describe pictures' });
  const begun = performance.now();
  const sentences = await model.describe(rgba, beam);
  signal.throwIfAborted();
  post({ type: 'described', id, sentences, milliseconds: performance.now() - begun, memory: engine.memoryBytes() });
}

/** What is asked of a ranker: see, search or align. @param {any} request @param {AbortSignal} signal */
async function rank({ id, what, given }, signal) {
  if (!model?.see) throw new AlignDrawError({ code: 'model', message: 'this model does not rank pictures' });
  const answer = await model[what](...given);
  signal.throwIfAborted();
  post({ type: 'ranked', id, answer });
}

/** Sharpens a picture of another painter. @param {any} request */
const sharpen = ({ id, caption, picture }) => post({ type: 'sharpened', id, image: model.sharpen(caption, picture) });

/** @type {Record<string, (request: any, signal: AbortSignal) => unknown>} */
const handlers = {
  load,
  draw,
  branch: draw,
  describe: say,
  rank,
  sharpen,
  words: ({ id, caption }) => post({ type: 'words', id, ...model.tokens(caption) }),
  lose: ({ how }) => engine.failGpu(how),
};

self.onmessage = async ({ data }) => {
  if (data.type === 'cancel') {
    running.get(data.id)?.abort();
    return;
  }
  const controller = new AbortController();
  running.set(data.id, controller);
  try {
    await handlers[data.type](data, controller.signal);
  } catch (error) {
    // A trap leaves the instance in an unknown state: only a new worker may go on.
    if (error instanceof WebAssembly.RuntimeError) post({ type: 'lost', message: `the engine stopped: ${error.message}` });
    else if (!controller.signal.aborted) post({ type: 'error', id: data.id, error: describe(error) });
  } finally {
    running.delete(data.id);
  }
};
