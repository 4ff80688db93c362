// @ts-check
/** A drawing as a file to take away: PNG of one step, GIF and WebM of all, each saying what it was drawn from. */

import { gifEncoder } from './assets.js';
import { intoGif, intoPng, webmTag } from './metadata.js';
import { INK, bitmap } from './picture.js';

/**
 * @typedef {import('./metadata.js').Drawn} Drawn
 * @typedef {import('./picture.js').Size} Size
 * @typedef {import('./picture.js').Inks} Inks
 * @typedef {{frames: {image: Float32Array}[], size: Size, drawn: Drawn, inks?: Inks}} Drawing frames of the steps from the first
 */

/** Pixels of a file's picture for each of the model's. */
const SCALE = 8;
/** Of a GIF, which is large enough at half of it. */
const GIF_SCALE = 4;
/** Milliseconds of a step, and of the finished picture. */
const STEP_TIME = 80;
const LAST_TIME = 2000;
/** Kinds of WebM, the best first. */
const KINDS = ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm'];

/** A canvas with one step, enlarged. @param {Drawing} drawing @param {number} at @param {number} scale @param {HTMLCanvasElement} [canvas] */
function enlarged({ frames, size, inks = INK.light }, at, scale, canvas = document.createElement('canvas')) {
  const [width, height] = [size.width * scale, size.height * scale];
  if (canvas.width !== width) [canvas.width, canvas.height] = [width, height];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap(frames[at].image, size, inks), 0, 0, width, height);
  return { canvas, context };
}

/** Lets the page handle events between two steps. */
const pause = (milliseconds = 0) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The last of the frames.
 * @param {Drawing} drawing @returns {Promise<Blob>}
 */
export async function toPng(drawing) {
  const { canvas } = enlarged(drawing, drawing.frames.length - 1, SCALE);
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('this browser cannot write a PNG');
  return new Blob([intoPng(new Uint8Array(await blob.arrayBuffer()), drawing.drawn)], { type: 'image/png' });
}

/** @param {Drawing} drawing @returns {Promise<Blob>} */
export async function toGif(drawing) {
  const { GIFEncoder, quantize, applyPalette } = await gifEncoder();
  const gif = GIFEncoder();
  for (let at = 0; at < drawing.frames.length; at += 1) {
    const { canvas, context } = enlarged(drawing, at, GIF_SCALE);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    await pause();
    const palette = quantize(data, 256);
    await pause();
    const last = at === drawing.frames.length - 1;
    gif.writeFrame(applyPalette(data, palette), canvas.width, canvas.height, { palette, delay: last ? LAST_TIME : STEP_TIME });
    await pause();
  }
  gif.finish();
  return new Blob([intoGif(gif.bytes(), drawing.drawn)], { type: 'image/gif' });
}

/** Whether this browser can write WebM. */
export const canRecord = () => KINDS.some((kind) => globalThis.MediaRecorder?.isTypeSupported(kind)) && 'captureStream' in HTMLCanvasElement.prototype;

/** Takes as long as the drawing plays. @param {Drawing} drawing @returns {Promise<Blob>} */
export async function toWebm(drawing) {
  const kind = KINDS.find((kind) => globalThis.MediaRecorder?.isTypeSupported(kind));
  if (!kind || !canRecord()) throw new Error('this browser cannot write WebM: take the GIF');
  const { canvas } = enlarged(drawing, 0, SCALE);
  const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: kind, videoBitsPerSecond: 4_000_000 });
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve, reject) => {
    recorder.onstop = resolve;
    recorder.onerror = () => reject(new Error('recording failed'));
  });
  recorder.start();
  for (let at = 0; at < drawing.frames.length; at += 1) {
    enlarged(drawing, at, SCALE, canvas);
    await pause(at === drawing.frames.length - 1 ? LAST_TIME : STEP_TIME);
  }
  // A frame more, or the last picture would be cut off.
  enlarged(drawing, drawing.frames.length - 1, SCALE, canvas);
  await pause(STEP_TIME);
  recorder.stop();
  await stopped;
  return new Blob([...parts, webmTag(drawing.drawn)], { type: 'video/webm' });
}

/** A file of one of the types that a drawing can be taken away as. @param {Drawing} drawing @param {string} type */
export function toFile(drawing, type) {
  if (type === 'image/gif') return toGif(drawing);
  if (type.startsWith('video/webm')) return toWebm(drawing);
  if (type === 'image/png') return toPng(drawing);
  return Promise.reject(new Error(`"${type}" is not a type of picture, expected image/png, image/gif or video/webm`));
}
