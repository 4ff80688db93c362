// @ts-check
/** Pictures as a captioner looks at them, and where it looked. */

import { AlignDrawError } from './protocol.js';

/** @typedef {Blob | ImageBitmap | HTMLImageElement | HTMLCanvasElement | ImageData} Picture */

/**
 * What of a picture is taken: its middle square, the whole squeezed into a square, or the whole as it is.
 * @typedef {'middle' | 'squeezed' | 'whole'} Fit
 */

/**
 * A picture on a canvas, upright and on white. @param {Picture} picture
 * @param {number} side of the square, or the longer one, pixels @param {Fit} fit
 */
export async function scaledCanvas(picture, side, fit) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(picture);
  } catch {
    throw new AlignDrawError({ code: 'picture', message: 'this is no picture that this browser can read: a JPEG, PNG or WebP, say' });
  }
  const short = Math.min(bitmap.width, bitmap.height);
  const long = Math.max(bitmap.width, bitmap.height);
  let [wide, high] = fit === 'middle' ? [short, short] : [bitmap.width, bitmap.height];
  const share = (/** @type {number} */ length) => (fit === 'whole' ? Math.max(1, Math.round((side * length) / long)) : side);
  const [width, height] = [share(bitmap.width), share(bitmap.height)];
  let [source, left, top] = [/** @type {CanvasImageSource} */ (bitmap), (bitmap.width - wide) / 2, (bitmap.height - high) / 2];
  const draw = (/** @type {number} */ width, /** @type {number} */ height) => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(source, left, top, wide, high, 0, 0, width, height);
    [source, left, top, wide, high] = [canvas, 0, 0, width, height];
    return canvas;
  };
  // By halves: browsers smooth over four pixels alone, whatever the scale.
  const half = (/** @type {number} */ of) => (of > 2 * side ? Math.ceil(of / 2) : of);
  while (Math.max(wide, high) > 2 * side) draw(half(wide), half(high));
  const canvas = draw(width, height);
  bitmap.close();
  return canvas;
}

/** RGBA of a square, as the engine takes it. @param {Picture} picture @param {number} side @param {Fit} fit */
export async function squarePixels(picture, side, fit) {
  const canvas = await scaledCanvas(picture, side, fit);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  return new Uint8Array(context.getImageData(0, 0, side, side).data.buffer);
}

/**
 * Covers what was not attended to, smoothly between the cells; the most attended one stays clear.
 * @param {CanvasRenderingContext2D} context @param {number[]} attention row by row @param {[number, number]} grid rows and columns
 * @param {[number, number, number]} paper red, green and blue of the cover
 */
export function cover(context, attention, [rows, columns], paper) {
  const most = Math.max(...attention);
  const cells = new ImageData(columns, rows);
  attention.forEach((weight, at) => cells.data.set([...paper, 255 * 0.8 * (1 - weight / most)], 4 * at));
  const small = Object.assign(document.createElement('canvas'), { width: columns, height: rows });
  /** @type {CanvasRenderingContext2D} */ (small.getContext('2d')).putImageData(cells, 0, 0);
  context.imageSmoothingQuality = 'high';
  context.drawImage(small, 0, 0, context.canvas.width, context.canvas.height);
}
