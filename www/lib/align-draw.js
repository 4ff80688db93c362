// @ts-check
/**
 * The custom element `<align-draw caption="the digit 7 is at the top left of the image" seed="42">`.
 *
 * Attributes, each mirrored by a property: `caption`, `seed`, `model` (name or URL of a manifest),
 * `device` (`auto`, `cpu`, `webgpu`), `autoplay` (`visible`, the default; `load`; `none`), `loop`,
 * `controls`, `editable`, `words`, `poster` (an image's URL).
 * Events: `ready`, `frame` (detail: the frame), `done` (detail: milliseconds, device), `error` (detail:
 * the error). Parts: `figure`, `easel`, `canvas`, `placeholder`, `poster`, `window`, `message`, `caption`, `word`, `input`,
 * `controls`, `play`, `slider`. Colours and size: the custom properties at the top of `element-style.js`.
 */

import { STYLE } from './element-style.js';
import { paint, placeWindow } from './picture.js';
import { Player } from './player.js';
import { dropShared, sharedModel } from './shared.js';

/**
 * @typedef {import('./aligndraw.js').AlignDraw} AlignDraw
 * @typedef {import('./aligndraw.js').Frame} Frame
 */

/** Nothing known about the model yet: the size of the empty paper. */
const BLANK = { width: 60, height: 60, channels: 1 };
/** Milliseconds without typing after which a new caption is drawn. */
const TYPING_PAUSE = 300;
/** Milliseconds that a finished drawing stays before it is played again. */
const LOOP_PAUSE = 1500;

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
  /** What the frames show. */
  #caption = '';
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
    easel.append(make('canvas', 'canvas'), make('p', 'placeholder', { ariaHidden: 'true' }), make('img', 'poster', { alt: '', hidden: true }), make('div', 'window', { hidden: true }), make('p', 'message', { hidden: true }));
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

  get caption() {
    return this.getAttribute('caption') ?? '';
  }

  set caption(value) {
    this.setAttribute('caption', value);
  }

  get model() {
    return this.getAttribute('model') ?? '';
  }

  set model(value) {
    this.setAttribute('model', value);
  }

  get poster() {
    return this.getAttribute('poster') ?? '';
  }

  set poster(value) {
    this.setAttribute('poster', value);
  }

  get loop() {
    return this.hasAttribute('loop');
  }

  set loop(value) {
    this.toggleAttribute('loop', Boolean(value));
  }

  get controls() {
    return this.hasAttribute('controls');
  }

  set controls(value) {
    this.toggleAttribute('controls', Boolean(value));
  }

  get editable() {
    return this.hasAttribute('editable');
  }

  set editable(value) {
    this.toggleAttribute('editable', Boolean(value));
  }

  get words() {
    return this.hasAttribute('words');
  }

  set words(value) {
    this.toggleAttribute('words', Boolean(value));
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
      const caption = this.caption || model.info.example;
      this.#words = await model.words(caption);
      this.#caption = caption;
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

  /**
   * The picture as it is shown, or with `image/gif` and `video/webm` the whole drawing. The file says what it
   * was drawn from.
   * @param {string} [type] @returns {Promise<Blob>} rejects when nothing is drawn yet, or when this browser cannot write that type
   */
  async toBlob(type = 'image/png') {
    const frames = type === 'image/png' ? this.#frames.slice(0, this.#player.step) : this.#frames;
    if (!this.#model || !frames.length) throw new Error('nothing is drawn yet');
    const { name, sha256 } = this.#model.info;
    const drawn = { caption: this.#caption, seed: this.seed, model: name, sha256 };
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
    const { model, device } = this;
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
    const { caption, controls, editable, words, poster } = this;
    const part = this.#part;
    part.controls.hidden = !controls;
    part.input.hidden = !editable;
    part.caption.hidden = !words;
    if (this.shadowRoot?.activeElement !== part.input) part.input.value = caption;
    part.poster.hidden = !poster || this.#frames.length > 0;
    part.placeholder.hidden = this.#frames.length > 0;
    part.placeholder.textContent = caption;
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
    paint(canvas, frame?.image ?? null, size, this.#inks);
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

if (globalThis.customElements && !customElements.get('align-draw')) customElements.define('align-draw', AlignDrawElement);
