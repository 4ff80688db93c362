// @ts-check
/**
 * Messages between the page and a worker. One worker owns one engine (CPU or WebGPU).
 *
 * page → worker
 *   {type: 'load', id, urls, gpu}           urls: {manifest, glue, wasm}, absolute
 *   {type: 'draw', id, caption, seeds}      seeds: bigint[]
 *   {type: 'words', id, caption}
 *   {type: 'cancel', id}                    ends a load or a drawing; no answer
 *   {type: 'lose', id}                      destroys the GPU device, for tests
 *
 * worker → page
 *   {type: 'progress', id, loaded, total, from}   bytes; from: 'network' | 'cache'
 *   {type: 'loaded', id, info, memory}
 *   {type: 'frames', id, frames}                  one for each seed; arrays are transferred
 *   {type: 'done', id, milliseconds, memory}
 *   {type: 'words', id, words}
 *   {type: 'error', id, error}                    see {@link describe}
 *   {type: 'lost', message}                       the GPU device is gone
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
