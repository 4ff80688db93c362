// @ts-check
/**
 * The custom element `<align-describe src="photo.jpg">`: a picture, what it shows in words, and where each word was
 * looked for. The picture itself stands there at once; the model comes when it scrolls into view.
 *
 * Attributes, each mirrored by a property: `src` (its host must allow this page to read it), `alt`, `model`
 * (`describe-photos`, the default, `describe-scenes`, or the URL of a manifest), `autoplay` (`visible`, the default;
 * `none`: a button asks).
 * Events: `described` (detail: the sentences, the best first), `error` (detail: the error).
 * Parts: `figure`, `picture`, `image`, `map`, `sentence`, `word`, `button`, `message`. Custom properties:
 * `--align-describe-size`, `--align-describe-accent`.
 */

import { applyStyle } from './element-style.js';
import { cover } from './look.js';
import { dropShared, sharedModel } from './shared.js';

/** @typedef {import('./aligndraw.js').AlignDraw} AlignDraw */
/** @typedef {import('./aligndraw.js').Described} Described */
/** @typedef {import('./describe-types.js').AlignDescribeEventMap} AlignDescribeEventMap */
/** @typedef {import('./describe-types.js').AlignDescribeAttributes} AlignDescribeAttributes */

const ATTRIBUTES = ['src', 'alt', 'model', 'autoplay'];
/** Milliseconds from word to word. */
const WORD_TIME = 260;
/** Longer side of the map, pixels: what lies between its few cells is smooth. */
const MAP_SIDE = 256;

const STYLE = `
:host { --_accent: var(--align-describe-accent, #b93a12); display: inline-block; width: var(--align-describe-size, 320px); max-width: 100%; vertical-align: top; }
@media (prefers-color-scheme: dark) { :host { --_accent: var(--align-describe-accent, #ff8a5c); } }
:host([hidden]), [hidden] { display: none !important; }
figure { margin: 0; }
.picture { position: relative; overflow: hidden; border-radius: 10px; }
img { display: block; width: 100%; height: auto; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
.sentence { margin: 8px 0 0 -4px; min-height: 2.4em; line-height: 1.6; }
.sentence button { min-height: 32px; padding: 0 4px; border: 0; border-radius: 5px; color: inherit; background: none; font: inherit; cursor: pointer; }
.sentence button:hover, .sentence button[aria-pressed=true], .sentence button.now { background: color-mix(in srgb, var(--_accent) 26%, transparent); }
.button { min-height: 40px; margin-top: 8px; padding: 6px 14px; border: 1px solid currentColor; border-radius: 9px; color: inherit; background: none; font: inherit; cursor: pointer; }
.message { margin: 8px 0 0; font-size: 0.85em; }
.message[data-problem] { border-left: 2px solid var(--_accent); padding-left: 8px; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
`;

/** @param {string} tag @param {string} name part, and class */
function part(tag, name) {
  const made = document.createElement(tag);
  made.setAttribute('part', name);
  made.className = name;
  return made;
}

/** On a server there are no elements: the import must work all the same. */
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

export class AlignDescribeElement extends Base {
  static observedAttributes = ATTRIBUTES;

  #part = {
    picture: part('div', 'picture'),
    image: /** @type {HTMLImageElement} */ (part('img', 'image')),
    map: /** @type {HTMLCanvasElement} */ (part('canvas', 'map')),
    sentence: part('figcaption', 'sentence'),
    button: /** @type {HTMLButtonElement} */ (part('button', 'button')),
    message: part('p', 'message'),
  };
  /** @type {IntersectionObserver | undefined} */
  #visible;
  /** @type {AbortController | undefined} */
  #running;
  /** @type {Described | undefined} */
  #described;
  #held = -1;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    const { picture, image, map, sentence, button, message } = this.#part;
    const figure = part('figure', 'figure');
    Object.assign(button, { type: 'button', textContent: 'Describe' });
    button.addEventListener('click', () => this.#describeQuietly());
    sentence.setAttribute('aria-live', 'polite');
    message.setAttribute('role', 'status');
    map.hidden = true;
    message.hidden = true;
    picture.append(image, map);
    figure.append(picture, sentence, button, message);
    root.append(figure);
    applyStyle(root, STYLE);
    for (const name of ATTRIBUTES) {
      // Set before the element was known, a property hides the one of the class.
      if (!Object.hasOwn(this, name)) continue;
      const value = /** @type {any} */ (this)[name];
      delete (/** @type {any} */ (this)[name]);
      /** @type {any} */ (this)[name] = value;
    }
  }

  connectedCallback() {
    this.#apply();
    this.#wait();
  }

  adoptedCallback() {
    applyStyle(/** @type {ShadowRoot} */ (this.shadowRoot), STYLE);
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#visible?.disconnect();
      this.#running?.abort();
    });
  }

  /** @param {string} name @param {string | null} before @param {string | null} after */
  attributeChangedCallback(name, before, after) {
    if (before === after || !this.isConnected) return;
    this.#apply();
    if (name === 'src' || name === 'model') {
      this.#running?.abort();
      this.#described = undefined;
      this.#part.sentence.replaceChildren();
      this.#show(-1);
    }
    this.#wait();
  }

  /** The sentences of the last description, the best first. */
  get sentences() {
    return this.#described?.sentences ?? [];
  }

  /** Describes the picture. Resolves when the sentence stands; rejects with what went wrong, which is also shown. */
  async describe() {
    this.#visible?.disconnect();
    this.#running?.abort();
    const { signal } = (this.#running = new AbortController());
    this.#part.button.hidden = true;
    this.#say('Loading');
    try {
      const picture = await this.#picture();
      const model = await this.#model();
      signal.throwIfAborted();
      this.#say('Looking');
      this.#described = await model.describe(picture, { signal });
      this.#say('');
      this.dispatchEvent(new CustomEvent('described', { detail: this.sentences, bubbles: true }));
      await this.#speak(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#say(/** @type {Error} */ (error).message, true);
      this.#part.button.hidden = false;
      this.dispatchEvent(new CustomEvent('error', { detail: error }));
      throw error;
    }
  }

  /** An error stays with the element. */
  #describeQuietly() {
    this.describe().catch(() => {});
  }

  /** The picture's bytes: an image of another host cannot be read from the page's own element. */
  async #picture() {
    const src = this.getAttribute('src');
    if (!src) throw new Error('there is no picture: src is empty');
    const response = await fetch(new URL(src, document.baseURI)).catch(() => undefined);
    if (!response) throw new Error(`${src} could not be read: its host is out of reach, or does not allow this page to (Access-Control-Allow-Origin)`);
    if (!response.ok) throw new Error(`${src} could not be read: the server answered ${response.status}`);
    return response.blob();
  }

  /** @returns {Promise<AlignDraw>} */
  async #model() {
    const name = this.getAttribute('model') ?? 'describe-photos';
    const onProgress = (/** @type {import('./aligndraw.js').Progress} */ { loaded, total }) => this.#say(`Loading: ${Math.round((100 * loaded) / total)} %`);
    const model = await sharedModel({ model: name, device: 'cpu', onProgress });
    if (model.disposed) dropShared(model);
    return model;
  }

  /** @param {string} text @param {boolean} [problem] */
  #say(text, problem = false) {
    const { message } = this.#part;
    message.textContent = text;
    message.hidden = !text;
    message.toggleAttribute('data-problem', problem);
  }

  /** Says the sentence word by word. @param {AbortSignal} signal */
  async #speak(signal) {
    const { sentence } = this.#part;
    const words = this.sentences[0]?.words ?? [];
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#held = -1;
    sentence.replaceChildren();
    for (const [at, { text }] of words.entries()) {
      const word = /** @type {HTMLButtonElement} */ (part('button', 'word'));
      Object.assign(word, { type: 'button', textContent: text });
      word.setAttribute('aria-pressed', 'false');
      word.addEventListener('click', () => this.#hold(at));
      word.addEventListener('pointerenter', () => this.#held < 0 && this.#show(at));
      word.addEventListener('pointerleave', () => this.#held < 0 && this.#show(-1));
      sentence.append(word, ' ');
      if (calm) continue;
      this.#show(at);
      await new Promise((resolve) => setTimeout(resolve, WORD_TIME));
      if (signal.aborted) return;
    }
    if (this.#held < 0) this.#show(-1);
  }

  /** Holds the map of a word, or lets go of it. @param {number} at */
  #hold(at) {
    this.#held = this.#held === at ? -1 : at;
    this.#buttons().forEach((word, other) => word.setAttribute('aria-pressed', String(other === this.#held)));
    this.#show(this.#held);
  }

  #buttons() {
    return [...this.#part.sentence.querySelectorAll('button')];
  }

  /** Covers what was not attended to for a word; -1 shows the picture bare. @param {number} at */
  #show(at) {
    const { map, image } = this.#part;
    const attention = this.sentences[0]?.words[at]?.attention;
    const grid = this.#described?.grid;
    this.#buttons().forEach((word, other) => word.classList.toggle('now', other === at));
    map.hidden = !attention || !grid;
    if (!attention || !grid) return;
    const scale = MAP_SIDE / Math.max(image.naturalWidth, image.naturalHeight, 1);
    Object.assign(map, { width: Math.max(1, image.naturalWidth * scale), height: Math.max(1, image.naturalHeight * scale) });
    cover(/** @type {CanvasRenderingContext2D} */ (map.getContext('2d')), attention, grid, [250, 248, 243]);
  }

  #apply() {
    const { image, button } = this.#part;
    const src = this.getAttribute('src');
    if (src && image.getAttribute('src') !== src) image.src = src;
    image.alt = this.getAttribute('alt') ?? '';
    button.hidden = this.getAttribute('autoplay') !== 'none' || this.#described !== undefined;
  }

  /** Waits until the element is seen. */
  #wait() {
    this.#visible?.disconnect();
    if (this.getAttribute('autoplay') === 'none' || this.#described || !this.getAttribute('src')) return;
    this.#visible = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) this.#describeQuietly();
    });
    this.#visible.observe(this);
  }
}

for (const name of ATTRIBUTES) {
  Object.defineProperty(AlignDescribeElement.prototype, name, {
    configurable: true,
    enumerable: true,
    /** @this {HTMLElement} */
    get() {
      return this.getAttribute(name);
    },
    /** @this {HTMLElement} @param {unknown} value */
    set(value) {
      if (value === null || value === undefined) this.removeAttribute(name);
      else this.setAttribute(name, String(value));
    },
  });
}

if (globalThis.customElements && !customElements.get('align-describe')) customElements.define('align-describe', AlignDescribeElement);
