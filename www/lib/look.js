// @ts-check
/** Pictures as a captioner looks at them, and where it looked. */

import { AlignDrawError } from './protocol.js';

/** @typedef {Blob | ImageBitmap | HTMLImageElement | HTMLCanvasElement | ImageData} Picture */

/** The middle square of a picture on a canvas, upright and on white. @param {Picture} picture @param {number} side pixels */
export async function squareCanvas(picture, side) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(picture);
  } catch {
    throw new AlignDrawError({ code: 'picture', message: 'this is no picture that this browser can read: a JPEG, PNG or WebP, say' });
  }
  const short = Math.min(bitmap.width, bitmap.height);
  let [source, left, top, from] = [/** @type {CanvasImageSource} */ (bitmap), (bitmap.width - short) / 2, (bitmap.height - short) / 2, short];
  const draw = (/** @type {number} */ to) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: to, height: to });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
    context.fillStyle = '#fff';
    context.fillRect(0, 0, to, to);
    context.imageSmoothingQuality = 'high';
    context.drawImage(source, left, top, from, from, 0, 0, to, to);
    [source, left, top, from] = [canvas, 0, 0, to];
    return canvas;
  };
  // By halves: browsers smooth over four pixels alone, whatever the scale.
  while (from > 2 * side) draw(Math.ceil(from / 2));
  const canvas = draw(side);
  bitmap.close();
  return canvas;
}

/** RGBA of the middle square, as the engine takes it. @param {Picture} picture @param {number} side */
export async function squarePixels(picture, side) {
  const canvas = await squareCanvas(picture, side);
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
