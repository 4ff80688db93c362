// @ts-check
/** The small pictures of a caption's samples, of which one is shown large. */

import { paint } from './lib/picture.js';

export class SampleButtons {
  /** @param {HTMLElement} root @param {number} count @param {(sample: number) => void} onChoose */
  constructor(root, count, onChoose) {
    this.buttons = Array.from({ length: count }, (_, i) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(document.createElement('canvas'), document.createElement('span'));
      button.addEventListener('click', () => onChoose(i));
      return button;
    });
    root.replaceChildren(...this.buttons);
  }

  /** @param {(sample: number) => bigint} seedOf @param {number} chosen */
  label(seedOf, chosen) {
    this.buttons.forEach((button, i) => {
      button.setAttribute('aria-pressed', String(i === chosen));
      button.setAttribute('aria-label', `Seed ${seedOf(i)}`);
      /** @type {HTMLElement} */ (button.lastElementChild).textContent = `seed ${seedOf(i)}`;
    });
  }

  /** @param {(sample: number) => import('./lib/aligndraw.js').Frame | undefined} frameOf @param {import('./lib/picture.js').Size} size */
  show(frameOf, size) {
    this.buttons.forEach((button, i) => {
      const frame = frameOf(i);
      paint(/** @type {HTMLCanvasElement} */ (button.firstElementChild), frame?.pixels ?? frame?.image ?? null, size);
    });
  }
}
