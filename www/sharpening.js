// @ts-check
/** Sharper pictures, where the visitor wants them: by a LAPGAN that learned from the same pictures. */

import { sharedModel } from './lib/shared.js';
import { sharpen } from './lib/sharpen.js';
import { MODELS } from './models.js';

/** @typedef {import('./lib/aligndraw.js').Frame} Frame */
/** @typedef {import('./models.js').Entry} Entry */

/**
 * The model that sharpens what a painter draws.
 * @param {Entry} painter @returns {Entry | undefined} none for most, and none for itself
 */
export const sharpenerOf = (painter) =>
  MODELS.find(({ name, system, data, width, height }) => system === 'lapgan' && name !== painter.name && data === painter.data && width === painter.width && height === painter.height);

/**
 * A painter's finished picture, sharper.
 * @param {Entry} painter @param {string} caption @param {Frame} frame @param {AbortSignal} [signal]
 * @returns {Promise<Frame>} the same where nothing sharpens it
 */
export async function sharper(painter, caption, frame, signal) {
  const found = sharpenerOf(painter);
  return found ? sharpen(await sharedModel({ model: found.name, device: 'cpu' }), caption, frame, { signal }) : frame;
}

/** A switch between finished pictures as they were drawn and sharper ones. */
export class SharpeningSwitch {
  /** @param {HTMLElement} root holds a checkbox @param {() => void} onChange */
  constructor(root, onChange) {
    this.root = root;
    this.input = /** @type {HTMLInputElement} */ (root.querySelector('input'));
    this.input.addEventListener('change', onChange);
    /** @type {Entry | undefined} */
    this.painter = undefined;
    /** Both ways between a picture and its sharper one. */
    this.sharp = /** @type {WeakMap<Frame, Frame>} */ (new WeakMap());
    this.plain = /** @type {WeakMap<Frame, Frame>} */ (new WeakMap());
  }

  /** A painter is loaded. @param {Entry} painter @param {boolean} [asked] whether the link asks for sharper pictures */
  begin(painter, asked = this.input.checked) {
    this.painter = painter;
    this.root.hidden = !sharpenerOf(painter);
    this.input.checked = asked;
  }

  get on() {
    return this.input.checked && !this.root.hidden;
  }

  /**
   * Puts the pictures that are asked for at the end of some drawings, and finds the others again.
   * @param {Frame[][]} drawings of one caption @param {string} caption @param {AbortSignal} [signal]
   */
  async finish(drawings, caption, signal) {
    for (const frames of drawings) {
      const last = /** @type {Frame} */ (frames.at(-1));
      const plain = this.plain.get(last) ?? last;
      const sharp = this.on && this.painter && (this.sharp.get(plain) ?? (await sharper(this.painter, caption, plain, signal)));
      signal?.throwIfAborted();
      frames[frames.length - 1] = sharp || plain;
      if (!sharp) continue;
      this.sharp.set(plain, sharp);
      this.plain.set(sharp, plain);
    }
  }
}
