// @ts-check
/**
 * The custom element `<align-draw caption="the digit 7 is at the top left of the image" seed="42">`.
 *
 * Attributes, each mirrored by a property (null and undefined remove it): `caption`, `seed` (0 to 2^64 − 1), `model`
 * (name or URL of a manifest), `device` (`auto`, `cpu`, `webgpu`), `autoplay` (`visible`, the default; `load`;
 * `none`), `loop`, `controls`, `editable`, `words`, `poster` (an image's URL), `temperature` (the model's own unless it
 * is set), `layout` (where words are drawn: their number in the caption, from 0, centre and size in shares of the canvas,
 * `2:0.3,0.7,0.4;5:…`).
 * Events: `ready`, `frame` (detail: the frame), `done` (detail: milliseconds, device), `error` (detail:
 * the error). Parts: `figure`, `picture`, `canvas`, `placeholder`, `poster`, `window`, `message`, `caption`, `word`, `input`,
 * `controls`, `play`, `slider`. Colours and size: the custom properties at the top of `element-style.js`.
 */

import { AttributesElement, PROPERTIES } from './element-attributes.js';
import { buildParts } from './element-parts.js';
import { applyStyle } from './element-style.js';
import { parseFrames } from './frames.js';
import { paint, placeWindow } from './picture.js';
import { Player } from './player.js';
import { plainSeed, toSeed } from './seed.js';
import { dropShared, sharedModel } from './shared.js';

/**
 * @typedef {import('./aligndraw.js').AlignDraw} AlignDraw
 * @typedef {import('./aligndraw.js').Frame} Frame
 * @typedef {import('./element-types.js').AlignDrawEventMap} AlignDrawEventMap
 * @typedef {import('./element-types.js').AlignDrawAttributes} AlignDrawAttributes
 */

/** Nothing known about the model yet: the size of the empty paper. */
const BLANK = { width: 60, height: 60, channels: 1 };
/** Milliseconds without typing after which a new caption is drawn. */
const TYPING_PAUSE = 300;
/** Milliseconds that a finished drawing stays before it is played again. */
const LOOP_PAUSE = 1500;

/** @param {string} color as getComputedStyle gives it @returns {number[]} red, green, blue, 0 to 255 */
function rgb(color) {
  const numbers = (color.match(/[\d.]+/g) ?? []).map(Number).slice(0, 3);
  return color.startsWith('color(') ? numbers.map((part) => 255 * part) : numbers;
}

export class AlignDrawElement extends AttributesElement {
  static observedAttributes = PROPERTIES.filter((name) => name !== 'loop');

  /** @type {AlignDraw | undefined} */
  #model;
  /** @type {import('./picture.js').Size} */
  #size = BLANK;
  /** @type {Frame[]} */
  #frames = [];
  /** What the frames show. */
  #caption = '';
  /** @type {import('./seed.js').Seed} */
  #seed = 0;
  /** @type {{temperature?: number, frames?: string}} */
  #options = {};
  /** @type {string[]} */
  #words = [];
  /** @type {AbortController | undefined} */
  #drawing;
  /** @type {IntersectionObserver | undefined} */
  #visible;
  #player = new Player((step, playing) => this.#show(step, playing));
  #timer = 0;
  /** Whether the last drawing that was asked for is drawn to its end. */
  #complete = false;
  /** Whether an attribute changed, while it was away, that asks for another drawing. */
  #outdated = false;
  /** Whether it was playing when it was taken away. */
  #interrupted = false;
  /** @type {Record<string, any>} elements of the shadow tree by their part */
  #part = {};

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    this.#part = buildParts(root, {
      play: () => (this.#frames.length && !this.#part.message.hasAttribute('data-problem') ? this.#player.toggle() : this.#drawQuietly()),
      seek: (step) => this.seek(step),
      type: (text) => {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => (this.caption = text), TYPING_PAUSE);
      },
    });
    applyStyle(root);
    this.upgradeProperties();
  }

  connectedCallback() {
    this.#applyAttributes();
    // Moved: what is drawn, or being drawn, stays; what was changed meanwhile is drawn anew.
    if (!this.#drawing) this.#waitForStart();
    else if (this.#outdated) this.#drawQuietly();
    else if (this.#interrupted) this.#player.set(true);
    this.#interrupted = false;
  }

  disconnectedCallback() {
    // Not yet: when it is moved, it is back before the task ends.
    queueMicrotask(() => !this.isConnected && this.#stop());
  }

  /** Moved by `moveBefore`, it is never away. */
  connectedMoveCallback() {}

  adoptedCallback() {
    applyStyle(/** @type {ShadowRoot} */ (this.shadowRoot));
  }

  /** Ends what the element does: it is no longer in a document. */
  #stop() {
    this.#visible?.disconnect();
    clearTimeout(this.#timer);
    this.#interrupted = this.#player.playing;
    this.#player.set(false);
    if (this.#complete) return;
    this.#drawing?.abort();
    this.#drawing = undefined;
  }

  /** @param {string} name @param {string | null} before @param {string | null} after */
  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    // What was drawn no longer fits; what was never drawn still waits for its time.
    const redraws = ['caption', 'seed', 'model', 'device', 'temperature', 'layout'].includes(name) && this.#drawing !== undefined;
    if (!this.isConnected) {
      this.#outdated ||= redraws;
      return;
    }
    this.#applyAttributes();
    if (name === 'autoplay') this.#waitForStart();
    if (redraws) this.#drawQuietly();
  }

  /** Steps of the drawing that have arrived. */
  get frames() {
    return this.#frames;
  }

  /** Draws the caption from the empty canvas. Resolves when the last step has arrived. */
  async draw() {
    this.#visible?.disconnect();
    this.#drawing?.abort();
    const controller = new AbortController();
    this.#drawing = controller;
    const { signal } = controller;
    this.#complete = this.#outdated = false;
    try {
      const seed = toSeed(this.getAttribute('seed') || 0);
      const model = await this.#load();
      if (signal.aborted) return;
      if (model !== this.#model) {
        this.#model = model;
        this.#size = model.info;
        this.#dispatch('ready');
      }
      const caption = this.caption || model.info.example;
      const words = await model.words(caption);
      if (signal.aborted) return;
      this.#words = words;
      this.#caption = caption;
      this.#seed = plainSeed(seed);
      const { temperature, layout } = this;
      this.#options = { ...(temperature !== undefined && { temperature }), ...(layout && { frames: layout }) };
      this.#showMessage('');
      this.#frames = [];
      this.#showWords();
      this.#part.slider.max = String(model.info.numSteps);
      this.#player.begin(model.info.numSteps);
      let timing = {};
      const onDone = (/** @type {object} */ done) => (timing = done);
      for await (const frame of model.draw(caption, { seed, signal, onDone, temperature: this.temperature, frames: parseFrames(this.layout) })) {
        this.#frames.push(frame);
        this.#player.arrive(frame.step);
        this.#dispatch('frame', frame);
      }
      this.#complete = true;
      this.#dispatch('done', timing);
    } catch (error) {
      if (signal.aborted) return;
      // The next drawing then starts a new engine.
      if (/** @type {any} */ (error).code === 'lost' && this.#model) dropShared(this.#model);
      this.#showMessage(/** @type {Error} */ (error).message, true);
      this.#dispatch('error', error);
      throw error;
    }
  }

  /** For a drawing that nobody waits for: an error is shown in the element, and in its event. */
  #drawQuietly() {
    this.draw().catch(() => {});
  }

  /** Stops playing at the step that is shown. */
  pause() {
    this.#player.set(false);
    this.#player.go(this.#player.step);
  }

  /** Shows a step, 0 being the empty canvas. @param {number} step */
  seek(step) {
    this.#player.seek(step);
  }

  /**
   * The picture as it is shown, or with `image/gif` and `video/webm` the whole drawing. The file says what it
   * was drawn from.
   * @param {string} [type] @returns {Promise<Blob>} rejects when nothing is drawn yet, or when this browser cannot write that type
   */
  async toBlob(type = 'image/png') {
    const frames = type === 'image/png' ? this.#frames.slice(0, this.#player.step) : this.#frames;
    if (!this.#model || !frames.length) throw new Error('nothing is drawn yet');
    const { name, sha256 } = this.#model.info;
    const drawn = { caption: this.#caption, seed: this.#seed, model: name, sha256, ...this.#options };
    const part = frames.length < this.#player.total ? { ...drawn, step: frames.length } : drawn;
    const { toFile } = await import('./record.js');
    return toFile({ frames, size: this.#size, drawn: part, inks: this.#inks }, type);
  }

  /** The colours of a grey picture, as the page's style sets them. */
  get #inks() {
    const { color, backgroundColor } = getComputedStyle(this.#part.canvas);
    return { ink: rgb(color), paper: rgb(backgroundColor) };
  }

  /** The model, from the page's other elements if they have it. */
  #load() {
    return sharedModel({
      model: this.model || undefined,
      device: this.device,
      onProgress: ({ loaded, total }) => total && this.#showMessage(`Loading, ${Math.round((100 * loaded) / total)} %`),
    });
  }

  /** Waits for the moment that `autoplay` names. */
  #waitForStart() {
    this.#visible?.disconnect();
    if (this.autoplay === 'load') this.#drawQuietly();
    if (this.autoplay !== 'visible') return;
    this.#visible = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.#drawQuietly());
    this.#visible.observe(this);
  }

  /** Lays out what the attributes ask for. */
  #applyAttributes() {
    const { caption, controls, editable, words, poster } = this;
    const part = this.#part;
    part.controls.hidden = !controls;
    part.input.hidden = !editable;
    part.caption.hidden = !words;
    if (this.shadowRoot?.activeElement !== part.input) part.input.value = caption;
    part.poster.hidden = !poster || this.#frames.length > 0;
    part.placeholder.hidden = this.#frames.length > 0;
    part.placeholder.textContent = caption;
    if (!poster) part.poster.removeAttribute('src');
    else if (part.poster.getAttribute('src') !== poster) part.poster.setAttribute('src', poster);
    if (!this.#frames.length) this.#show(0, false);
  }

  /** @param {string} text @param {boolean} [problem] */
  #showMessage(text, problem = false) {
    const { message } = this.#part;
    message.hidden = !text;
    message.textContent = text;
    message.toggleAttribute('data-problem', problem);
  }

  #showWords() {
    this.#part.poster.hidden = this.#part.placeholder.hidden = true;
    const spans = this.#words.map((word) => {
      const span = Object.assign(document.createElement('span'), { textContent: word });
      span.part.add('word');
      return span;
    });
    this.#part.caption.replaceChildren(...spans.flatMap((span) => [span, ' ']));
  }

  /** @param {number} step @param {boolean} playing */
  #show(step, playing) {
    const { canvas, window, slider, play, caption } = this.#part;
    const size = this.#size;
    const frame = this.#frames[step - 1];
    paint(canvas, frame?.pixels ?? frame?.image ?? null, size, this.#inks);
    placeWindow(window, step > 0 && step < this.#player.total ? frame : null, size);
    canvas.setAttribute('aria-label', frame ? `Drawing of “${this.#words.join(' ')}”, step ${step}` : 'Empty canvas');
    [...caption.children].forEach((span, j) => span.style.setProperty('--attention', `${frame ? 54 * Math.sqrt(frame.alignment?.[j] ?? 0) : 0}%`));
    slider.value = String(step);
    play.textContent = playing ? '❚❚' : '▶';
    play.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    if (step && step === this.#player.total && !playing && this.hasAttribute('loop') && !this.#player.calm) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.isConnected && this.#player.step === step && this.#player.toggle(), LOOP_PAUSE);
    }
  }

  /** @param {string} name @param {any} [detail] */
  #dispatch(name, detail) {
    // One called error would reach window.onerror, which takes it for a script's.
    const travels = name !== 'error';
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: travels, composed: travels }));
  }
}

if (globalThis.customElements && !customElements.get('align-draw')) customElements.define('align-draw', AlignDrawElement);
