// @ts-check
/**
 * Which of some pictures a sentence suits best, and where its words are:
 * `const found = await search(await load({ model: 'align-photos' }), 'a dog on the beach', pictures)`.
 */

import { squarePixels } from './look.js';
import { AlignDrawError } from './protocol.js';

/** @typedef {import('./aligndraw.js').AlignDraw} AlignDraw */
/** @typedef {import('./look.js').Picture} Picture */
/** @typedef {{x: number, y: number, width: number, height: number}} Region shares of the picture, from its top left corner */
/** @typedef {{pictures: {picture: Picture, score: number}[], words: string[], unknown: string[]}} Found the best picture first; the words as they were read, and those that the model does not know */
/** @typedef {{words: {text: string, region: Region}[], score: number}} Aligned */

/** What a model saw of pictures that do not change, and of images under an address. @type {WeakMap<AlignDraw, WeakMap<Picture, {address: string, vectors: Promise<Float32Array>}>>} */
const seen = new WeakMap();

/** @param {AlignDraw} model @param {string} what @param {unknown[]} given @param {AbortSignal} [signal] */
async function ask(model, what, given, signal) {
  if (!(/** @type {any} */ (model.info).ranks)) throw new AlignDrawError({ code: 'model', message: `${model.info.name} does not rank pictures: align-photos and embed-photos do` });
  return (await model.cpu().ask({ type: 'rank', what, given }, 'ranked', signal)).answer;
}

/**
 * What sentences are compared with, of a picture. A file, a bitmap or an image is looked at once, whoever asks and however
 * often; a canvas or pixels may have changed. No picture leaves this page.
 * @param {AlignDraw} model @param {Picture} picture @returns {Promise<Float32Array>} rejects when the picture cannot be read
 */
function see(model, picture) {
  const { width, whole } = /** @type {any} */ (model.info);
  const look = async () => ask(model, 'see', [await squarePixels(picture, width, whole ? 'squeezed' : 'middle')]);
  if (picture instanceof HTMLCanvasElement || picture instanceof ImageData) return look();
  const known = seen.get(model) ?? new WeakMap();
  seen.set(model, known);
  const address = picture instanceof HTMLImageElement ? picture.currentSrc : '';
  const before = known.get(picture);
  if (before?.address === address) return before.vectors;
  const vectors = look();
  known.set(picture, { address, vectors });
  vectors.catch(() => known.delete(picture));
  return vectors;
}

/**
 * Orders pictures by how well a sentence suits them.
 * @param {AlignDraw} model a ranker @param {string} sentence @param {Picture[]} pictures
 * @param {{signal?: AbortSignal, onLooked?: (pictures: number) => void}} [options] `onLooked` is told how many were looked at
 * @returns {Promise<Found>} rejects when the model does not rank, a picture cannot be read, or no word is known
 */
export async function search(model, sentence, pictures, { signal, onLooked } = {}) {
  /** @type {Float32Array[]} */
  const looked = [];
  for (const picture of pictures) {
    looked.push(await see(model, picture));
    signal?.throwIfAborted();
    onLooked?.(looked.length);
  }
  const each = looked[0]?.length ?? 0;
  const vectors = new Float32Array(each * looked.length);
  looked.forEach((one, at) => vectors.set(one, each * at));
  const { scores, words, unknown } = await ask(model, 'search', [vectors, looked.length, sentence], signal);
  const scored = pictures.map((picture, at) => ({ picture, score: scores[at] }));
  return { pictures: scored.sort((a, b) => b.score - a.score), words, unknown };
}

/**
 * Where the words of a sentence are in a picture. Neighbouring words share a region the more, the larger `beta`.
 * @param {AlignDraw} model a ranker with regions, `align-photos` @param {string} sentence @param {Picture} picture
 * @param {{beta?: number, signal?: AbortSignal}} [options]
 * @returns {Promise<Aligned>} rejects as {@link search}, and when the model's words have no regions
 */
export async function align(model, sentence, picture, { beta = 0, signal } = {}) {
  return ask(model, 'align', [await see(model, picture), sentence, beta], signal);
}
