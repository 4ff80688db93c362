// @ts-check
/** Plain DRAW's samples on the gallery, as its paper shows them: many digits at once, and how some of them come about. */

import { bitmap } from './lib/picture.js';
import { choice, MODELS } from './models.js';

/** @typedef {import('./lib/aligndraw.js').Frame} Frame */

/** The model. */
export const NAME = 'plain-mnist';
/** Digits along each side. */
const SIDE = 8;
/** Digits that are shown as they come about. */
const FOLLOWED = 4;
/** After which share of the steps. */
const SHARES = [1 / 64, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 1];

/** What is said beside them; the bound is in docs/results.md. */
export const NOTE =
  'DRAW before it could read, trained on handwritten digits without captions. Nearly all can be read. Its bound, −85.8 nats on test digits, is not yet the −80.97 of its paper.';

/** Whether the site has the model. */
export const hasSamples = MODELS.some(({ name }) => name === NAME);

/** @param {string} label @param {string} caption @param {number} rows */
function sheet(label, caption, rows) {
  const figure = document.createElement('figure');
  const canvas = document.createElement('canvas');
  canvas.width = SIDE * choice(NAME).width;
  canvas.height = rows * choice(NAME).height;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  figure.append(canvas, Object.assign(document.createElement('figcaption'), { textContent: caption }));
  return { figure, context: /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')) };
}

const many = sheet(`${SIDE * SIDE} digits drawn by plain DRAW`, 'Nobody said which: each is drawn from another seed.', SIDE);
const followed = sheet(`${FOLLOWED} digits after some of their steps`, 'The first four after 1, 8, 16, 24, 32, 40, 48 and 64 steps.', FOLLOWED);

/** The figures, empty. */
export const figures = [many.figure, followed.figure];

/**
 * Draws them, digit after digit.
 * @param {import('./lib/aligndraw.js').AlignDraw} model @param {number} seed the first @param {AbortSignal} signal
 */
export async function drawSamples(model, seed, signal) {
  const { width, height, numSteps } = model.info;
  for (const { context } of [many, followed]) context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  for (let at = 0; at < SIDE * SIDE; at += 1) {
    /** @type {Frame | undefined} */
    let last;
    for await (const step of model.draw('', { seed: seed + at, signal })) {
      last = step;
      const column = SHARES.findIndex((share) => Math.round(share * numSteps) === step.step);
      if (at < FOLLOWED && column >= 0) followed.context.drawImage(bitmap(step.image, model.info), column * width, at * height);
    }
    if (last) many.context.drawImage(bitmap(last.image, model.info), (at % SIDE) * width, Math.floor(at / SIDE) * height);
    signal.throwIfAborted();
  }
}
