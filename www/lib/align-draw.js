// @ts-check
/**
 * The custom element `<align-draw caption="the digit 7 is at the top left of the image" seed="42">`.
 *
 * Attributes, each mirrored by a property: `caption`, `seed`, `model` (name or URL of a manifest),
 * `device` (`auto`, `cpu`, `webgpu`), `autoplay` (`visible`, the default; `load`; `none`), `loop`,
 * `controls`, `editable`, `words`, `poster` (an image's URL).
 * Events: `ready`, `frame` (detail: the frame), `done` (detail: milliseconds, device), `error` (detail:
 * the error). Parts: `figure`, `easel`, `canvas`, `poster`, `window`, `message`, `caption`, `word`, `input`,
 * `controls`, `play`, `slider`. Colours and size: the custom properties at the top of `STYLE`.
 */

import { paint, placeWindow } from './picture.js';
import { Player } from './player.js';
import { dropShared, sharedModel } from './shared.js';

/**
 * @typedef {import('./aligndraw.js').AlignDraw} AlignDraw
 * @typedef {import('./aligndraw.js').Frame} Frame
 */

/** The element's own names begin with an underscore, so that a page may set ours from one of its own. */
const STYLE = `
:host {
  --_size: var(--align-draw-size, 320px);
  --_paper: var(--align-draw-paper, #ffffff);
  --_ink: var(--align-draw-ink, #1e1b22);
  --_accent: var(--align-draw-accent, #b93a12);
  --_line: var(--align-draw-line, #dedad0);
  --_text: var(--align-draw-text, inherit);
  display: inline-block;
  width: var(--_size);
  max-width: 100%;
  color: var(--_text);
}
@media (prefers-color-scheme: dark) {
  :host {
    --_paper: var(--align-draw-paper, #1f1e23);
    --_ink: var(--align-draw-ink, #f7f2e8);
    --_accent: var(--align-draw-accent, #ff8a5c);
    --_line: var(--align-draw-line, #38363d);
  }
}
:host([hidden]), [hidden] { display: none !important; }
figure { margin: 0; }
.easel { position: relative; aspect-ratio: 1; overflow: hidden; border: 1px solid var(--_line); border-radius: 10px; background: var(--_paper); }
canvas, .poster { display: block; width: 100%; height: 100%; color: var(--_ink); background: var(--_paper); }
.poster { position: absolute; inset: 0; object-fit: cover; }
.window { position: absolute; box-sizing: border-box; border: 1.5px solid var(--_accent); border-radius: 3px; pointer-events: none; transition: all 70ms linear; }
.message { position: absolute; inset: auto 0 0; margin: 0; padding: 8px 12px; font-size: 0.85em; line-height: 1.35; color: var(--_ink); background: var(--_paper); }
.message[data-problem] { border-top: 2px solid var(--_accent); }
figcaption { margin-top: 8px; line-height: 1.6; }
figcaption span { --lit: 0%; padding: 0 2px; border-radius: 3px; background: color-mix(in srgb, var(--_accent) var(--lit), transparent); }
input[type=text] { box-sizing: border-box; width: 100%; min-height: 40px; padding: 6px 2px; border: 0; border-bottom: 2px solid var(--_line); color: inherit; background: none; font: inherit; }
.controls { display: flex; align-items: center; gap: 8px; margin-top: 8px; }
button { min-width: 40px; min-height: 40px; border: 1px solid var(--_line); border-radius: 8px; color: inherit; background: none; font: inherit; cursor: pointer; }
input[type=range] { flex: 1; min-width: 0; height: 40px; margin: 0; accent-color: var(--_accent); }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
@media (prefers-reduced-motion: reduce) { .window { transition: none; } }
`;

/** Nothing known about the model yet: the size of the empty paper. */
const BLANK = { width: 60, height: 60, channels: 1 };
/** Milliseconds without typing after which a new caption is drawn. */
const TYPING_PAUSE = 300;
/** Milliseconds that a finished drawing stays before it is played again. */
const LOOP_PAUSE = 1500;

const strings = ['caption', 'model', 'poster'];
const switches = ['loop', 'controls', 'editable', 'words'];

/** On a server there are no elements: the import must work all the same. */
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

/** @param {string} color as getComputedStyle gives it @returns {number[]} red, green, blue, 0 to 255 */
function rgb(color) {
  const numbers = (color.match(/[\d.]+/g) ?? []).map(Number).slice(0, 3);
  return color.startsWith('color(') ? numbers.map((part) => 255 * part) : numbers;
}

export class AlignDrawElement extends Base {
  static observedAttributes = ['caption', 'seed', 'model', 'device', 'autoplay', 'controls', 'editable', 'words', 'poster'];

  /** @type {AlignDraw | undefined} */
  #model;
  /** @type {import('./picture.js').Size} */
  #size = BLANK;
  /** @type {Frame[]} */
  #frames = [];
  /** @type {string[]} */
  #words = [];
  /** @type {AbortController | undefined} */
  #drawing;
  /** @type {IntersectionObserver | undefined} */
  #visible;
  #player = new Player((step, playing) => this.#show(step, playing));
  #timer = 0;
  /** @type {Record<string, any>} elements of the shadow tree by their part */
  #part = {};

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    /** @param {string} tag @param {string} part @param {Record<string, any>} [more] */
    const make = (tag, part, more = {}) => {
      const element = Object.assign(document.createElement(tag), { className: part }, more);
      element.part.add(part);
      return (this.#part[part] = element);
    };
    const figure = make('figure', 'figure');
    const easel = make('div', 'easel');
    easel.append(make('canvas', 'canvas'), make('img', 'poster', { alt: '', hidden: true }), make('div', 'window', { hidden: true }), make('p', 'message', { hidden: true }));
    this.#part.canvas.setAttribute('role', 'img');
    this.#part.message.setAttribute('role', 'status');
    const play = make('button', 'play', { type: 'button', textContent: '▶' });
    play.addEventListener('click', () => (this.#model ? this.#player.toggle() : this.draw()));
    const slider = make('input', 'slider', { type: 'range', min: '0', max: '32', value: '0' });
    slider.setAttribute('aria-label', 'Step');
    slider.addEventListener('input', () => this.seek(Number(slider.value)));
    const controls = make('div', 'controls');
    controls.append(play, slider);
    const input = make('input', 'input', { type: 'text', spellcheck: false, autocapitalize: 'off' });
    input.setAttribute('aria-label', 'What to draw');
    input.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => (this.caption = input.value), TYPING_PAUSE);
    });
    figure.append(easel, make('figcaption', 'caption'), input, controls);
    root.append(figure);
  }

  connectedCallback() {
    this.#furnish();
    this.#await();
  }

  disconnectedCallback() {
    this.#visible?.disconnect();
    this.#drawing?.abort();
    this.#player.set(false);
    clearTimeout(this.#timer);
  }

  /** @param {string} name @param {string | null} before @param {string | null} after */
  attributeChangedCallback(name, before, after) {
    if (before === after || !this.isConnected) return;
    this.#furnish();
    if (name === 'autoplay') this.#await();
    // What was drawn no longer fits; what was never drawn still waits for its time.
    const redraws = ['caption', 'seed', 'model', 'device'].includes(name);
    if (redraws && this.#drawing) this.draw().catch(() => {});
  }

  get seed() {
    const seed = Number(this.getAttribute('seed') ?? 0);
    return Number.isSafeInteger(seed) && seed >= 0 ? seed : 0;
  }

  set seed(value) {
    this.setAttribute('seed', String(value));
  }

  get device() {
    const device = this.getAttribute('device') ?? '';
    return /** @type {import('./aligndraw.js').DeviceChoice} */ (['cpu', 'webgpu'].includes(device) ? device : 'auto');
  }

  set device(value) {
    this.setAttribute('device', value);
  }

  get autoplay() {
    const when = this.getAttribute('autoplay') ?? '';
    return ['load', 'none'].includes(when) ? when : 'visible';
  }

  set autoplay(value) {
    this.setAttribute('autoplay', value);
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
    try {
      const model = await this.#load();
      if (signal.aborted) return;
      if (model !== this.#model) {
        this.#model = model;
        this.#size = model.info;
        this.#tell('ready');
      }
      const caption = /** @type {any} */ (this).caption || model.info.example;
      this.#words = await model.words(caption);
      if (signal.aborted) return;
      this.#say('');
      this.#frames = [];
      this.#spell();
      this.#part.slider.max = String(model.info.numSteps);
      this.#player.begin(model.info.numSteps);
      let timing = {};
      const onDone = (/** @type {object} */ done) => (timing = done);
      for await (const frame of model.draw(caption, { seed: this.seed, signal, onDone })) {
        this.#frames.push(frame);
        this.#player.arrive(frame.step);
        this.#tell('frame', frame);
      }
      this.#tell('done', timing);
    } catch (error) {
      if (signal.aborted) return;
      // The next drawing then starts a new engine.
      if (/** @type {any} */ (error).code === 'lost' && this.#model) dropShared(this.#model);
      this.#say(/** @type {Error} */ (error).message, true);
      this.#tell('error', error);
      throw error;
    }
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

  /** The picture as it is shown. @param {string} [type] of image @returns {Promise<Blob>} */
  toBlob(type = 'image/png') {
    return new Promise((resolve, reject) => {
      this.#part.canvas.toBlob((/** @type {Blob | null} */ blob) => (blob ? resolve(blob) : reject(new Error(`this browser cannot write ${type}`))), type);
    });
  }

  /** The model, from the page's other elements if they have it. */
  #load() {
    const { model, device } = /** @type {any} */ (this);
    return sharedModel({
      model: model || undefined,
      device,
      onProgress: ({ loaded, total }) => total && this.#say(`Loading, ${Math.round((100 * loaded) / total)} %`),
    });
  }

  /** Waits for the moment that `autoplay` names. */
  #await() {
    this.#visible?.disconnect();
    const begin = () => this.draw().catch(() => {});
    if (this.autoplay === 'load') begin();
    if (this.autoplay !== 'visible') return;
    this.#visible = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && begin());
    this.#visible.observe(this);
  }

  /** Lays out what the attributes ask for. */
  #furnish() {
    const { caption, controls, editable, words, poster } = /** @type {any} */ (this);
    const part = this.#part;
    part.controls.hidden = !controls;
    part.input.hidden = !editable;
    part.caption.hidden = !words;
    if (this.shadowRoot?.activeElement !== part.input) part.input.value = caption;
    part.poster.hidden = !poster || this.#frames.length > 0;
    if (poster && part.poster.src !== poster) part.poster.src = poster;
    if (!this.#frames.length) this.#show(0, false);
  }

  /** @param {string} text @param {boolean} [problem] */
  #say(text, problem = false) {
    const { message } = this.#part;
    message.hidden = !text;
    message.textContent = text;
    message.toggleAttribute('data-problem', problem);
  }

  #spell() {
    this.#part.poster.hidden = true;
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
    const { color, backgroundColor } = getComputedStyle(canvas);
    paint(canvas, frame?.image ?? null, size, { ink: rgb(color), paper: rgb(backgroundColor) });
    placeWindow(window, step > 0 && step < this.#player.total ? frame : null, size);
    canvas.setAttribute('aria-label', frame ? `Drawing of “${this.#words.join(' ')}”, step ${step}` : 'Empty canvas');
    [...caption.children].forEach((span, j) => span.style.setProperty('--lit', `${frame ? 60 * Math.sqrt(frame.alignment[j]) : 0}%`));
    slider.value = String(step);
    play.textContent = playing ? '❚❚' : '▶';
    play.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    if (step && step === this.#player.total && !playing && this.hasAttribute('loop') && !this.#player.calm) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.isConnected && this.#player.step === step && this.#player.toggle(), LOOP_PAUSE);
    }
  }

  /** @param {string} name @param {any} [detail] */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

for (const name of strings) {
  Object.defineProperty(AlignDrawElement.prototype, name, {
    get() {
      return this.getAttribute(name) ?? '';
    },
    set(value) {
      this.setAttribute(name, value);
    },
  });
}
for (const name of switches) {
  Object.defineProperty(AlignDrawElement.prototype, name, {
    get() {
      return this.hasAttribute(name);
    },
    set(value) {
      this.toggleAttribute(name, Boolean(value));
    },
  });
}
if (globalThis.customElements && !customElements.get('align-draw')) customElements.define('align-draw', AlignDrawElement);
