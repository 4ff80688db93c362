// @ts-check
/**
 * Drawing from words: `const model = await load()`, then
 * `for await (const frame of model.draw('the digit 7 is at the top left of the image', {seed: 7}))`.
 *
 * A worker computes; this file only talks to it. Loading starts on the CPU engine. With
 * `device: 'auto'` the WebGPU engine is tried on the side, checked against the CPU's picture of the
 * same seed, and kept if it is faster; with `'webgpu'` it is used whenever it draws correctly. The
 * CPU engine stays ready: when the GPU is lost in the middle of a drawing, the drawing goes on there,
 * from the same seed.
 */

import * as assets from './assets.js';
import { explain } from './cause.js';
import { clearStored } from './download.js';
import { Engine } from './engine.js';
import { probeGpu } from './probe.js';
import { AlignDrawError, unpack } from './protocol.js';
import { toSeed } from './seed.js';
export { AlignDrawError } from './protocol.js';

/**
 * @typedef {'auto' | 'cpu' | 'webgpu'} DeviceChoice
 * @typedef {number | bigint | string} SeedLike a whole number from 0 to 2^64 − 1, or its decimal digits
 * @typedef {{device: 'cpu' | 'webgpu', reason: string, adapter: string}} DeviceState `adapter`: the GPU's name where the browser tells it
 * @typedef {{centerX: number, centerY: number, stride: number, std: number, intensity: number, x: number, y: number, width: number, height: number}} FrameWindow the last four: its rectangle on the canvas
 * @typedef {{x: number, y: number, width: number, height: number}} Rect pixels of the model's canvas
 * @typedef {{step: number, numSteps: number, image: Float32Array, pixels?: ImageData, alignment?: Float32Array, window?: FrameWindow, frame?: Rect}} Frame without `alignment`, `window` and `frame` (that of the word being drawn) where `info.shows` says so; `pixels` of colour pictures
 * @typedef {{x: number, y: number, size: number}} WordFrame where a word is drawn: centre and size in shares of the canvas
 * @typedef {Record<number, WordFrame | WordFrame[]>} WordFrames by the word's position in the caption; several where the word asks for several
 * @typedef {{temperature?: number, frames?: WordFrames}} DrawOptions temperature 0 to 2, else the model's own
 * @typedef {{name: string, system: string, sha256: string, width: number, height: number, channels: number, numSteps: number, shows: {attention: boolean, window: boolean, branch: boolean, frame: boolean}, sharpens: boolean, temperature: number, maxWords: number, words: string[], aliases: Record<string, string>, fullStop: string | null, example: string, alternatives: string[][]}} ModelInfo
 * @typedef {{text: string, logProb: number, attention?: number[]}} SaidWord its log-probability in nats, and how much each cell of the grid was attended to, row by row
 * @typedef {{text: string, words: SaidWord[], logProb: number, score: number}} Sentence
 * @typedef {{sentences: Sentence[], grid: [number, number] | null, milliseconds: number}} Described the best sentence first; rows and columns of the attention
 * @typedef {{loaded: number, total: number, from: 'network' | 'cache'}} Progress
 * @typedef {{milliseconds: number, device: 'cpu' | 'webgpu', drawing: Kept | null}} Done how long it took, and what can be branched from
 * @typedef {{engine: Engine, id: number}} Kept
 * @typedef {object} LoadOptions
 * @property {string} [model] name of the model, or URL of its manifest
 * @property {DeviceChoice} [device]
 * @property {AbortSignal} [signal]
 * @property {(progress: Progress) => void} [onProgress]
 * @property {(state: DeviceState) => void} [onDevice] called when the device changes
 * @property {string} [pkg] URL of the folder with the engines
 */

/** The largest difference of a pixel between the two engines' pictures of one seed. */
const SELF_TEST_TOLERANCE = 1e-2;
/** Longest that WebGPU may take to load and to draw its first picture, milliseconds. */
const TRIAL_LIMIT = 60_000;
const TRIAL_SEED = 1n;

/** Where storage is denied: the files that were downloaded, by their hashes. @type {Map<string, Uint8Array>} */
const memory = new Map();

/** Forgets every file that was kept, here and for the next visit. @returns {Promise<boolean>} whether any was stored */
export function clearCache() {
  memory.clear();
  return clearStored();
}

/** A loaded model. Made by {@link load}. */
export class AlignDraw {
  /** @param {LoadOptions} options */
  constructor(options) {
    this.options = options;
    const model = options.model ?? 'digits';
    /** @type {assets.ModelFiles} */
    const files = /[/.]/.test(model) ? { manifest: new URL(model, document.baseURI).href } : assets.model(model);
    /** @param {'cpu' | 'webgpu'} device */
    this.files = async (device) => {
      const { eyes } = files;
      const [text, eyesText, engine] = await Promise.all([files.text?.(), eyes?.text?.(), assets.engine(device, options.pkg)]).catch(explain);
      return { ...files, ...engine, text, eyes: eyes && { ...eyes, text: eyesText } };
    };
    /** @type {{cpu: Engine | undefined, webgpu: Engine | undefined}} */
    this.engines = { cpu: undefined, webgpu: undefined };
    /** @type {DeviceState} */
    this.state = { device: 'cpu', reason: '', adapter: '' };
    this.disposed = false;
  }

  /** @param {AbortSignal | undefined} signal */
  async start(signal) {
    await this.startEngine('cpu', signal);
    const choice = this.options.device ?? 'auto';
    if (!this.draws) return this.setDevice('cpu', 'what looks at pictures runs there');
    if (choice === 'cpu') this.setDevice('cpu', 'chosen');
    else this.setDevice('cpu', 'WebGPU is being tried');
    if (choice === 'webgpu') await this.tryGpu(choice, signal);
  }

  /** @param {'cpu' | 'webgpu'} device @param {AbortSignal | undefined} signal */
  async startEngine(device, signal) {
    const files = await this.files(device);
    const engine = new Engine(() => this.engineLost(device));
    this.engines[device] = engine;
    const gpu = device === 'webgpu';
    try {
      const request = { type: 'load', files, gpu, kept: memory };
      const loaded = await engine.ask(request, 'loaded', signal, (message) => {
        if (message.type === 'keep') memory.set(message.sha256, message.bytes);
        else if (device === 'cpu') this.options.onProgress?.({ loaded: message.loaded, total: message.total, from: message.from });
      });
      engine.info = loaded.info;
      engine.adapter = loaded.adapter;
    } catch (error) {
      engine.fail('loading failed');
      this.engines[device] = undefined;
      if (/** @type {any} */ (error)?.code === 'failed') await explain(error);
      throw error;
    }
    return engine;
  }

  /** @param {'cpu' | 'webgpu'} device @param {string} reason */
  setDevice(device, reason) {
    this.state = { device, reason, adapter: this.engines[device]?.adapter ?? '' };
    if (!this.disposed) this.options.onDevice?.(this.state);
  }

  /** @param {'cpu' | 'webgpu'} device */
  engineLost(device) {
    this.engines[device] = undefined;
    if (device === 'webgpu' && this.state.device === 'webgpu') this.setDevice('cpu', 'the GPU device was lost');
  }

  /**
   * Tries WebGPU: loads it, compares its picture with the CPU's, measures both.
   * @param {DeviceChoice} choice @param {AbortSignal} [signal]
   */
  async tryGpu(choice = 'auto', signal) {
    const { obstacle, name } = await probeGpu(choice).catch((error) => ({ obstacle: String(error), name: '' }));
    if (obstacle) return this.setDevice('cpu', obstacle);
    const limit = AbortSignal.timeout(TRIAL_LIMIT);
    const both = signal ? AbortSignal.any([signal, limit]) : limit;
    try {
      const gpu = await this.startEngine('webgpu', both);
      gpu.adapter ||= name;
      const cpu = this.cpu();
      const example = this.info.example;
      const once = (/** @type {Engine} */ engine) => this.picture(engine, example, TRIAL_SEED, both);
      const [expected, found] = [await once(cpu), await once(gpu)];
      const worst = expected.image.reduce((most, x, i) => Math.max(most, Math.abs(x - found.image[i])), 0);
      if (!(worst <= SELF_TEST_TOLERANCE)) {
        this.dropGpu();
        return this.setDevice('cpu', `WebGPU failed its self-test (a pixel is off by ${worst.toFixed(3)})`);
      }
      // Once more: the first pictures include warming up.
      const [cpuTime, gpuTime] = [(await once(cpu)).milliseconds, (await once(gpu)).milliseconds];
      const times = `WebGPU ${gpuTime.toFixed(0)} ms, CPU ${cpuTime.toFixed(0)} ms`;
      if (choice === 'auto' && gpuTime >= cpuTime) {
        this.dropGpu();
        return this.setDevice('cpu', `faster here: ${times}`);
      }
      this.setDevice('webgpu', choice === 'auto' ? `faster here: ${times}` : 'chosen');
    } catch (error) {
      signal?.throwIfAborted();
      this.dropGpu();
      const message = limit.aborted ? `WebGPU took more than ${TRIAL_LIMIT / 1000} s` : /** @type {Error} */ (error).message;
      this.setDevice('cpu', `WebGPU failed: ${message}`);
    }
  }

  dropGpu() {
    this.engines.webgpu?.fail('not used');
    this.engines.webgpu = undefined;
  }

  cpu() {
    const engine = this.engines.cpu;
    if (!engine || !engine.info) throw new AlignDrawError({ code: 'lost', message: 'the engine stopped: load the model again' });
    return engine;
  }

  /** Sizes and vocabulary. @returns {ModelInfo} */
  get info() {
    return /** @type {ModelInfo} */ (this.cpu().info);
  }

  /** Whether it describes pictures; else it draws captions. */
  get describes() {
    return /** @type {any} */ (this.info).describes === true;
  }

  /** Whether it draws captions: neither describes pictures nor ranks them. */
  get draws() {
    return !this.describes && !(/** @type {any} */ (this.info).ranks);
  }

  /** Refuses what only painters can do. */
  mustDraw() {
    if (!this.draws) throw new AlignDrawError({ code: 'model', message: `${this.info.name} looks at pictures, it does not draw` });
  }

  /** Bytes of wasm memory of the CPU engine. */
  get memory() {
    return this.engines.cpu?.memory ?? 0;
  }

  /**
   * The last frame of a drawing and its time.
   * @param {Engine} engine @param {string} caption @param {bigint} seed @param {AbortSignal} signal
   */
  async picture(engine, caption, seed, signal) {
    /** @type {import('./protocol.js').Step} */
    let last = { numbers: new Float32Array(), images: [] };
    const done = await engine.ask({ type: 'draw', caption, seeds: [seed] }, 'done', signal, ({ steps }) => {
      last = steps.at(-1);
    });
    return { image: unpack(last, 1, this.info.numSteps, this.info)[0].image, milliseconds: done.milliseconds };
  }

  /**
   * Says what a picture shows. Models of photos look at the whole, others at the middle square; it never leaves this page.
   * @param {import('./look.js').Picture} picture
   * @param {{beam?: number, signal?: AbortSignal}} [options] so many sentences are kept while searching, and returned
   * @returns {Promise<Described>} rejects when the model draws, or the picture cannot be read
   */
  async describe(picture, { beam = 5, signal } = {}) {
    const { info } = this;
    if (!this.describes) throw new AlignDrawError({ code: 'model', message: `${info.name} does not describe pictures` });
    const { squarePixels } = await import('./look.js');
    const rgba = await squarePixels(picture, info.width, /** @type {any} */ (info).whole ? 'squeezed' : 'middle');
    signal?.throwIfAborted();
    const { sentences, milliseconds } = await this.cpu().ask({ type: 'describe', rgba, beam }, 'described', signal);
    const text = (/** @type {Sentence} */ { words }) => words.map((word) => word.text).join(' ');
    return { sentences: sentences.map((/** @type {Sentence} */ found) => ({ ...found, text: text(found) })), grid: /** @type {any} */ (info).grid, milliseconds };
  }

  /**
   * The words of a caption as a frame's alignment counts them.
   * @param {string} caption @returns {Promise<string[]>} rejects with what is wrong with it
   */
  async words(caption) {
    return (await this.tokens(caption)).words;
  }

  /**
   * The words of a caption, and where each stands in it (UTF-16 units; a full stop that was added is empty, at the end).
   * @param {string} caption @returns {Promise<{words: string[], spans: [number, number][], heldOut: boolean}>} rejects with what is wrong with it
   */
  async tokens(caption) {
    this.mustDraw();
    return this.cpu().ask({ type: 'words', caption }, 'words', undefined);
  }

  /**
   * Whether a caption names a combination that was never trained on.
   * @param {string} caption @returns {Promise<boolean>} rejects with what is wrong with the caption
   */
  async isHeldOut(caption) {
    return (await this.tokens(caption)).heldOut;
  }

  /**
   * Draws a caption: a frame for each step. The same seed gives the same picture everywhere.
   * @param {string} caption
   * @param {{seed?: SeedLike, signal?: AbortSignal, onDone?: (done: Done) => void} & DrawOptions} [options]
   * @returns {AsyncGenerator<Frame, void, void>}
   */
  async *draw(caption, { seed = 0, ...options } = {}) {
    for await (const [frame] of this.drawMany(caption, { ...options, seeds: [seed] })) yield frame;
  }

  /**
   * Draws variations of a caption together: at each step a frame for each seed.
   * @param {string} caption
   * With `keep` the drawing can be branched from ({@link branch}) until another one is to be kept.
   * @param {{seeds: SeedLike[], signal?: AbortSignal, keep?: boolean, onDone?: (done: Done) => void} & DrawOptions} options
   * @returns {AsyncGenerator<Frame[], void, void>}
   */
  async *drawMany(caption, { seeds, signal, keep = false, onDone, temperature, frames = {} }) {
    this.mustDraw();
    const list = Object.entries(frames).flatMap(([word, of]) => [of].flat().map((frame, instance) => ({ word: Number(word), instance, ...frame })));
    const big = seeds.map(toSeed);
    let shown = 0;
    while (true) {
      const device = this.state.device === 'webgpu' && this.engines.webgpu ? 'webgpu' : 'cpu';
      const engine = device === 'webgpu' ? /** @type {Engine} */ (this.engines.webgpu) : this.cpu();
      try {
        const request = { type: 'draw', caption, seeds: big, options: { temperature, frames: list }, keep };
        const finished = (/** @type {number} */ milliseconds, /** @type {number} */ id) =>
          onDone?.({ milliseconds, device, drawing: keep ? { engine, id } : null });
        for await (const frames of this.frames(engine, request, big.length, 0, signal, finished)) {
          // After a lost GPU the CPU draws the same picture again: skip what was shown.
          if (frames[0].step <= shown) continue;
          shown = frames[0].step;
          yield frames;
        }
        return;
      } catch (error) {
        const code = /** @type {any} */ (error)?.code;
        if (device === 'cpu' || (code !== 'lost' && code !== 'device') || signal?.aborted) throw error;
        this.dropGpu();
        this.setDevice('cpu', 'the GPU device was lost');
      }
    }
  }

  /**
   * Goes on from a kept drawing as its picture stood after `step` steps, with another caption, the noise
   * of another seed, or both: the frames that follow. What came before is not drawn again.
   * @param {Kept} drawing
   * @param {{picture?: number, step: number, caption: string, seed: SeedLike, signal?: AbortSignal}} options
   * @returns {AsyncGenerator<Frame, void, void>}
   */
  async *branch({ engine, id: from }, { picture = 0, step, caption, seed, signal }) {
    const request = { type: 'branch', from, picture, step, caption, seed: toSeed(seed) };
    for await (const [frame] of this.frames(engine, request, 1, step, signal, () => {})) yield frame;
  }

  /**
   * Sends a request to draw and yields the frames that answer it.
   * @param {Engine} engine @param {any} request @param {number} pictures @param {number} first steps drawn before
   * @param {AbortSignal | undefined} signal @param {(milliseconds: number, id: number) => void} onDone
   * @returns {AsyncGenerator<Frame[], void, void>}
   */
  async *frames(engine, request, pictures, first, signal, onDone) {
    const stop = new AbortController();
    const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    /** @type {Frame[][]} */
    const queue = [];
    const { info } = this;
    let arrived = first;
    let finished = false;
    /** @type {unknown} */
    let failure;
    let wake = () => {};
    engine
      .ask(request, 'done', both, ({ steps }) => {
        try {
          for (const packed of steps) queue.push(unpack(packed, pictures, (arrived += 1), info));
        } catch (error) {
          failure = error;
          stop.abort();
        }
        wake();
      })
      .then(({ milliseconds, id }) => onDone(milliseconds, id))
      .catch((error) => {
        failure ??= error ?? new Error('stopped');
      })
      .finally(() => {
        finished = true;
        wake();
      });
    try {
      for (;;) {
        // Frames may have arrived that the caller, having cancelled, no longer wants.
        signal?.throwIfAborted();
        const frames = queue.shift();
        if (frames) yield frames;
        else if (failure) throw failure;
        else if (finished) return;
        else await new Promise((/** @type {(value?: any) => void} */ resolve) => (wake = resolve));
      }
    } finally {
      stop.abort();
    }
  }

  /** For tests: destroys the GPU device, as a driver reset would, or has it compile an invalid shader. @param {'loss' | 'shader'} [how] */
  loseGpu(how = 'loss') {
    this.engines.webgpu?.worker.postMessage({ type: 'lose', id: 0, how });
  }

  /** Ends the workers and frees their memory. */
  dispose() {
    this.disposed = true;
    this.engines.cpu?.fail('disposed');
    this.dropGpu();
    this.engines.cpu = undefined;
  }
}

/**
 * Loads a model.
 * @param {LoadOptions} [options]
 * @returns {Promise<AlignDraw>} rejects with an {@link AlignDrawError}
 */
export async function load(options = {}) {
  const model = new AlignDraw(options);
  try {
    await model.start(options.signal);
  } catch (error) {
    model.dispose();
    throw error;
  }
  if ((options.device ?? 'auto') === 'auto' && model.draws) {
    // Not before the page has drawn: the trial competes for the processor.
    setTimeout(() => !model.disposed && model.tryGpu('auto', options.signal).catch(() => {}), 1500);
  }
  return model;
}
