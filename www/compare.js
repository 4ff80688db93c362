// @ts-check
/** Two drawings side by side: what differs between them at each step, and how the attention changed. */

import { paint } from './lib/picture.js';

/** @typedef {import('./lib/aligndraw.js').Frame} Frame */
/** @typedef {{caption: string, seed: bigint, words: string[], frames: Frame[]}} Side */

/** A difference of a pixel that is shown as strongly as any larger one. */
const STRONG = 0.5;

export class Compare {
  /**
   * @param {{section: HTMLElement, title: HTMLElement, left: HTMLElement, right: HTMLElement, difference: HTMLCanvasElement, amount: HTMLElement, moved: HTMLElement}} parts
   */
  constructor(parts) {
    this.parts = parts;
    /** @type {{left: Side, right: Side} | undefined} */
    this.sides = undefined;
  }

  get open() {
    return this.sides !== undefined;
  }

  /** @param {string} title @param {Side} left @param {Side} right its frames may still arrive */
  begin(title, left, right) {
    this.sides = { left, right };
    this.parts.section.hidden = false;
    this.parts.title.textContent = title;
    for (const name of /** @type {const} */ (['left', 'right'])) {
      const side = this.sides[name];
      const other = this.sides[name === 'left' ? 'right' : 'left'];
      const words = side.words.flatMap((word, at) => {
        const part = document.createElement(word === other.words[at] ? 'span' : 'em');
        part.textContent = word;
        return [part, ' '];
      });
      const seed = left.seed === right.seed ? [] : [Object.assign(document.createElement('small'), { textContent: `seed ${side.seed}` })];
      /** @type {HTMLElement} */ (this.parts[name].querySelector('figcaption')).replaceChildren(...words, ...seed);
    }
  }

  close() {
    this.sides = undefined;
    this.parts.section.hidden = true;
  }

  /** @param {number} step @param {import('./lib/picture.js').Size} size */
  show(step, size) {
    if (!this.sides) return;
    const { left, right } = this.sides;
    const [a, b] = [left.frames[step - 1], right.frames[step - 1]];
    paint(/** @type {HTMLCanvasElement} */ (this.parts.left.querySelector('canvas')), a?.pixels ?? a?.image ?? null, size);
    paint(/** @type {HTMLCanvasElement} */ (this.parts.right.querySelector('canvas')), b?.pixels ?? b?.image ?? null, size);
    if (!a || !b) return;
    const { shares, mean } = differences(a.image, b.image, size);
    paint(this.parts.difference, shares, { ...size, channels: 1 });
    this.parts.amount.textContent = `${(100 * mean).toFixed(1)} % of full scale differs at step ${step}`;
    this.showAttentionChange(step);
  }

  /** The words whose share of the attention, averaged over the steps so far, differs most. @param {number} step */
  showAttentionChange(step) {
    if (!this.sides) return;
    const { left, right } = this.sides;
    const mean = (/** @type {Side} */ side, /** @type {number} */ j) =>
      side.frames.slice(0, step).reduce((sum, frame) => sum + (frame.alignment?.[j] ?? 0), 0) / step;
    const share = (/** @type {number} */ x) => `${(100 * x).toFixed(0)} %`;
    const count = Math.max(left.words.length, right.words.length);
    const rows = Array.from({ length: count }, (_, j) => ({
      word: left.words[j] === right.words[j] ? left.words[j] : [left.words[j], right.words[j]].filter(Boolean).join(' → '),
      from: mean(left, j),
      to: mean(right, j),
    }));
    const changes = rows.filter(({ from, to }) => share(from) !== share(to));
    changes.sort((x, y) => Math.abs(y.to - y.from) - Math.abs(x.to - x.from));
    const unchanged = Object.assign(document.createElement('li'), { textContent: 'The attention is unchanged.' });
    if (!changes.length) return this.parts.moved.replaceChildren(unchanged);
    this.parts.moved.replaceChildren(
      ...changes.slice(0, 3).map(({ word, from, to }) => {
        const item = document.createElement('li');
        item.append(Object.assign(document.createElement('b'), { textContent: word }), ` ${share(from)} → ${share(to)}`);
        return item;
      }),
    );
  }
}

/**
 * How much each pixel differs (1: as much as is shown), and the mean over all channels.
 * @param {Float32Array} a @param {Float32Array} b @param {import('./lib/picture.js').Size} size
 */
export function differences(a, b, { width, height, channels }) {
  const plane = width * height;
  const shares = new Float32Array(plane);
  let sum = 0;
  for (let i = 0; i < plane; i += 1) {
    let most = 0;
    for (let c = 0; c < channels; c += 1) {
      const difference = Math.abs(a[c * plane + i] - b[c * plane + i]);
      sum += difference;
      most = Math.max(most, difference);
    }
    shares[i] = Math.min(1, most / STRONG);
  }
  return { shares, mean: sum / (plane * channels) };
}
