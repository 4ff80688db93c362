// @ts-check
/**
 * Messages between the page and a worker. One worker owns one engine (CPU or WebGPU).
 *
 * page → worker
 *   {type: 'load', id, files, gpu, kept}    files: as `assets.js` gives them; kept: Map of bytes by hash
 *   {type: 'draw', id, caption, seeds, keep}   seeds: bigint[]; kept, it can be branched from
 *   {type: 'branch', id, from, picture, step, caption, seed}   from: the id of a kept drawing
 *   {type: 'words', id, caption}
 *   {type: 'cancel', id}                    ends a load or a drawing; no answer
 *   {type: 'lose', id}                      destroys the GPU device, for tests
 *
 * worker → page
 *   {type: 'progress', id, loaded, total, from}   bytes; from: 'network' | 'cache'
 *   {type: 'keep', id, sha256, bytes}             storage is denied: the page keeps the file for the next load
 *   {type: 'loaded', id, info, memory}
 *   {type: 'frames', id, steps}                   Float32Array for each step, packed as in {@link unpack}
 *   {type: 'done', id, milliseconds, memory}
 *   {type: 'words', id, words, heldOut}
 *   {type: 'error', id, error}                    see {@link describe}
 *   {type: 'lost', message}                       the GPU device is gone
 *   {type: 'unloaded', directive}                 the worker's script did not come; directive: of the policy that forbids it
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
 * The frames of one step, a view for each seed: window (5), alignment (words), image.
 * @param {Float32Array} packed @param {number} seeds @param {number} step
 * @param {import('./aligndraw.js').ModelInfo} info
 * @returns {import('./aligndraw.js').Frame[]}
 */
export function unpack(packed, seeds, step, info) {
  const each = packed.length / seeds;
  const image = info.width * info.height * info.channels;
  return Array.from({ length: seeds }, (_, i) => {
    const frame = packed.subarray(i * each, (i + 1) * each);
    const [centerX, centerY, stride, std, intensity] = frame;
    return {
      step,
      numSteps: info.numSteps,
      window: { centerX, centerY, stride, std, intensity, size: info.writeSize },
      alignment: frame.subarray(5, each - image),
      image: frame.subarray(each - image),
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
