// @ts-check
/**
 * Messages between the page and a worker. One worker owns one engine (CPU or WebGPU).
 *
 * page → worker
 *   {type: 'load', id, files, gpu, kept}    files: as `assets.js` gives them; kept: Map of bytes by hash
 *   {type: 'draw', id, caption, seeds, options, keep}   seeds: bigint[]; options: temperature, frames; kept, it can be branched from
 *   {type: 'branch', id, from, picture, step, caption, seed}   from: the id of a kept drawing
 *   {type: 'words', id, caption}
 *   {type: 'describe', id, rgba, beam}      of a captioner's own size
 *   {type: 'rank', id, what, given}         what: 'see' rgba, 'search' vectors of pictures, their number, a sentence, 'align' vectors of one, a sentence, beta
 *   {type: 'sharpen', id, caption, picture} numbers of a finished picture
 *   {type: 'cancel', id}                    ends a load or a drawing; no answer
 *   {type: 'lose', id, how}                 makes the GPU device fail, for tests; how: 'loss' | 'shader'
 *
 * worker → page
 *   {type: 'progress', id, loaded, total, from}   bytes; from: 'network' | 'cache'
 *   {type: 'keep', id, sha256, bytes}             storage is denied: the page keeps the file for the next load
 *   {type: 'loaded', id, info, adapter, memory}   adapter: the GPU's name, '' where there is none
 *   {type: 'frames', id, steps}                   a {@link Step} for each step
 *   {type: 'done', id, milliseconds, memory}
 *   {type: 'words', id, words, spans, heldOut}
 *   {type: 'described', id, sentences, milliseconds}
 *   {type: 'ranked', id, answer}                  of a picture what was seen, scores, or regions
 *   {type: 'sharpened', id, image}                its numbers
 *   {type: 'error', id, error}                    see {@link describe}
 *   {type: 'lost', message}                       the GPU device is gone or refused work
 *   {type: 'unloaded', directive}                 the worker's script did not come; directive: of the policy that forbids it
 */

/**
 * What is loaded, as it crosses to the worker: {@link import('./assets.js').EngineFiles} and
 * {@link import('./assets.js').ModelFiles}, with the text of manifests in the place of functions.
 * @typedef {{manifest: string, text?: string, weights?: string}} ModelText
 * @typedef {import('./assets.js').EngineFiles & ModelText & {eyes?: ModelText}} LoadFiles
 */

/**
 * An error as it crosses to the page.
 * @typedef {{message: string, code: string, words?: {word: string, suggestions: string[]}[]}} Described
 */

/**
 * Turns anything thrown into something that can be posted.
 * @param {unknown} thrown
 * @returns {Described}
 */
export function describe(thrown) {
  const error = /** @type {any} */ (thrown);
  return {
    message: String(error?.message ?? error),
    code: error?.code && typeof error.code === 'string' ? error.code : error?.name === 'AbortError' ? 'aborted' : 'failed',
    ...(error?.words ? { words: error.words } : {}),
  };
}

/**
 * One step as the engine packs it: for each seed the sections that `info.shows` names, then the image; colour pictures
 * also as a canvas takes them.
 * @typedef {{numbers: Float32Array, images: ImageData[]}} Step
 */

/**
 * The frames of one step, a view for each seed.
 * @param {Step} packed @param {number} seeds @param {number} step
 * @param {import('./aligndraw.js').ModelInfo} info
 * @returns {import('./aligndraw.js').Frame[]} throws when the numbers are not those of such frames
 */
export function unpack({ numbers, images }, seeds, step, info) {
  const each = numbers.length / seeds;
  const image = info.width * info.height * info.channels;
  const ownFrame = info.shows.window ? 9 : 0;
  const before = ownFrame + (info.shows.frame ? 4 : 0);
  const rest = each - image - before;
  // A worker of another version, from a cache say.
  if (!Number.isInteger(each) || rest < 0 || (rest > 0 && !info.shows.attention)) throw new AlignDrawError({ code: 'failed', message: `${numbers.length} numbers are not ${seeds} frames of this model: reload the page` });
  return Array.from({ length: seeds }, (_, i) => {
    const frame = numbers.subarray(i * each, (i + 1) * each);
    const [centerX, centerY, stride, std, intensity, x, y, width, height] = frame;
    const [left, top, frameWidth, frameHeight] = frame.subarray(ownFrame);
    return {
      step,
      numSteps: info.numSteps,
      ...(info.shows.window && { window: { centerX, centerY, stride, std, intensity, x, y, width, height } }),
      ...(info.shows.frame && { frame: { x: left, y: top, width: frameWidth, height: frameHeight } }),
      ...(info.shows.attention && { alignment: frame.subarray(before, each - image) }),
      image: frame.subarray(each - image),
      ...(images[i] && { pixels: images[i] }),
    };
  });
}

/** An error of this library; `code` names its kind. */
export class AlignDrawError extends Error {
  /** @param {Described} described */
  constructor({ message, code, words }) {
    super(message);
    this.name = 'AlignDrawError';
    this.code = code;
    if (words) this.words = words;
  }
}
