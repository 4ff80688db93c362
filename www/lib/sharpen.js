// @ts-check
/**
 * A finished picture of any painter, made sharper by the last level of a LAPGAN:
 * `const sharper = await sharpen(await load({ model: 'lapgan-photos' }), caption, frame)`.
 */

import { AlignDrawError } from './protocol.js';

/** @typedef {import('./aligndraw.js').AlignDraw} AlignDraw */
/** @typedef {import('./aligndraw.js').Frame} Frame */

/**
 * Adds what a picture lacks of sharpness.
 * @param {AlignDraw} model one that sharpens pictures of this size, `lapgan-photos` say @param {string} caption of the picture
 * @param {Frame} frame the last of a drawing @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<Frame>} the same with another picture; rejects when the model does not sharpen, or not pictures of this size
 */
export async function sharpen(model, caption, frame, { signal } = {}) {
  const { name, sharpens } = model.info;
  if (!sharpens) throw new AlignDrawError({ code: 'model', message: `${name} does not sharpen pictures: lapgan-photos does` });
  const { image } = await model.cpu().ask({ type: 'sharpen', caption, picture: frame.image }, 'sharpened', signal);
  return { ...frame, image, pixels: undefined };
}
