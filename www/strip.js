// @ts-check
/** All steps of a drawing side by side; press one to go there. */

import { paint } from './lib/picture.js';

/** @typedef {import('./lib/aligndraw.js').Frame} Frame */

export class Strip {
  /** @param {HTMLElement} list @param {(step: number) => void} onSeek */
  constructor(list, onSeek) {
    this.list = list;
    this.onSeek = onSeek;
    /** @type {{button: HTMLButtonElement, canvas: HTMLCanvasElement, frame: Frame | undefined}[]} */
    this.steps = [];
  }

  /** @param {number} total steps */
  begin(total) {
    this.steps = Array.from({ length: total }, (_, t) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.setAttribute('aria-label', `Step ${t + 1}`);
      button.disabled = true;
      const canvas = document.createElement('canvas');
      button.append(canvas);
      button.addEventListener('click', () => this.onSeek(t + 1));
      return { button, canvas, frame: undefined };
    });
    this.list.replaceChildren(...this.steps.map(({ button }) => button));
  }

  /**
   * @param {Frame[]} frames all that have arrived @param {number} shown the step shown now
   * @param {import('./lib/picture.js').Size} size
   */
  show(frames, shown, size) {
    this.steps.forEach((step, t) => {
      const frame = frames[t];
      if (step.frame !== frame && frame) paint(step.canvas, frame.pixels ?? frame.image, size);
      step.frame = frame;
      step.button.disabled = !frame;
      if (t + 1 === shown) step.button.setAttribute('aria-current', 'step');
      else step.button.removeAttribute('aria-current');
    });
  }

  /** Makes the next `show` paint all anew: the colours or the sizes changed. */
  invalidate() {
    for (const step of this.steps) step.frame = undefined;
  }
}
