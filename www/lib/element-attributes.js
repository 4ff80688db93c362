// @ts-check
/** The attributes of `<align-draw>` as properties. */

import { parseSeed, plainSeed } from './seed.js';

/** What can be set on the element, also before it is one. */
export const PROPERTIES = /** @type {const} */ (['caption', 'seed', 'model', 'device', 'autoplay', 'loop', 'controls', 'editable', 'words', 'poster', 'temperature', 'layout']);

/** On a server there are no elements: the import must work all the same. */
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

export class AttributesElement extends Base {
  /** @protected Properties that were set before the script was there hide the class's own: they are set once more. */
  upgradeProperties() {
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = /** @type {any} */ (this)[name];
      delete (/** @type {any} */ (this)[name]);
      /** @type {any} */ (this)[name] = value;
    }
  }

  /** @returns {string} */
  get caption() {
    return this.getAttribute('caption') ?? '';
  }

  set caption(/** @type {string | null | undefined} */ value) {
    this.reflect('caption', value);
  }

  /** @returns {string} */
  get model() {
    return this.getAttribute('model') ?? '';
  }

  set model(/** @type {string | null | undefined} */ value) {
    this.reflect('model', value);
  }

  /** @returns {string} */
  get poster() {
    return this.getAttribute('poster') ?? '';
  }

  set poster(/** @type {string | null | undefined} */ value) {
    this.reflect('poster', value);
  }

  /** The model's own where the attribute is none. @returns {number | undefined} */
  get temperature() {
    const value = Number.parseFloat(this.getAttribute('temperature') ?? '');
    return Number.isNaN(value) ? undefined : value;
  }

  set temperature(/** @type {number | string | null | undefined} */ value) {
    this.reflect('temperature', value);
  }

  /** Where words are drawn, as `frames.js` writes it: `2:0.3,0.7,0.4`. @returns {string} */
  get layout() {
    return this.getAttribute('layout') ?? '';
  }

  set layout(/** @type {string | null | undefined} */ value) {
    this.reflect('layout', value);
  }

  /** @returns {boolean} */
  get loop() {
    return this.hasAttribute('loop');
  }

  set loop(/** @type {boolean | null | undefined} */ value) {
    this.toggleAttribute('loop', Boolean(value));
  }

  /** @returns {boolean} */
  get controls() {
    return this.hasAttribute('controls');
  }

  set controls(/** @type {boolean | null | undefined} */ value) {
    this.toggleAttribute('controls', Boolean(value));
  }

  /** @returns {boolean} */
  get editable() {
    return this.hasAttribute('editable');
  }

  set editable(/** @type {boolean | null | undefined} */ value) {
    this.toggleAttribute('editable', Boolean(value));
  }

  /** @returns {boolean} */
  get words() {
    return this.hasAttribute('words');
  }

  set words(/** @type {boolean | null | undefined} */ value) {
    this.toggleAttribute('words', Boolean(value));
  }

  /** A bigint above 2^53 − 1; 0 when the attribute is none, which drawing then says. @returns {import('./seed.js').Seed} */
  get seed() {
    return plainSeed(parseSeed(this.getAttribute('seed') ?? 0) ?? 0n);
  }

  set seed(/** @type {import('./aligndraw.js').SeedLike | null | undefined} */ value) {
    this.reflect('seed', value);
  }

  /** @returns {import('./aligndraw.js').DeviceChoice} */
  get device() {
    const device = this.getAttribute('device') ?? '';
    return /** @type {import('./aligndraw.js').DeviceChoice} */ (['cpu', 'webgpu'].includes(device) ? device : 'auto');
  }

  set device(/** @type {string | null | undefined} */ value) {
    this.reflect('device', value);
  }

  /** @returns {string} */
  get autoplay() {
    const when = this.getAttribute('autoplay') ?? '';
    return ['load', 'none'].includes(when) ? when : 'visible';
  }

  set autoplay(/** @type {string | null | undefined} */ value) {
    this.reflect('autoplay', value);
  }

  /** @protected Sets an attribute, or removes it: frameworks say so with null or undefined. @param {string} name @param {unknown} value */
  reflect(name, value) {
    if (value === null || value === undefined) this.removeAttribute(name);
    else this.setAttribute(name, String(value));
  }
}
