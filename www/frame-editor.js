// @ts-check
/** The frames of a drawing's words over its canvas: shown while a word is drawn, and moved by pointer or keys. */

/**
 * @typedef {import('./lib/aligndraw.js').Frame} Frame
 * @typedef {import('./lib/aligndraw.js').WordFrame} WordFrame
 * @typedef {{word: number, instance: number, rect: {x: number, y: number, width: number, height: number}}} Box a word's frame, in pixels of the model
 */

/** What an arrow key moves or resizes by, a share of the canvas. */
const KEY_STEP = 0.02;
const SMALLEST = 0.08;
/** A frame of this share of the canvas is the canvas: that of a place. */
const WHOLE = 0.97;
/** Colours of the words in turn, as hues. */
const HUES = [18, 210, 130, 285, 45, 330];

/**
 * The frames of the words drawn so far, in the order in which they are drawn.
 * @param {Frame[]} frames steps from the first @param {{width: number}} size @returns {Box[]}
 */
export function boxesOf(frames, { width }) {
  /** @type {Box[]} */
  const boxes = [];
  for (const { frame: rect, alignment } of frames) {
    if (!rect || !alignment || rect.width >= WHOLE * width) continue;
    const word = alignment.lastIndexOf(Math.max(...alignment));
    const last = boxes.at(-1);
    const same = last && last.word === word && Math.abs(last.rect.x - rect.x) + Math.abs(last.rect.y - rect.y) < 0.01;
    if (!same) boxes.push({ word, instance: boxes.filter((box) => box.word === word).length, rect });
  }
  return boxes;
}

export class FrameEditor {
  /**
   * @param {HTMLElement} layer over the canvas @param {HTMLElement} reset a button
   * @param {{onMove: () => Promise<void>}} page draws with the frames of `moved`
   */
  constructor(layer, reset, { onMove }) {
    this.layer = layer;
    this.reset = reset;
    this.onMove = onMove;
    /** The frames that were moved. @type {Record<number, WordFrame[]>} */
    this.moved = {};
    /** @type {string[]} */
    this.words = [];
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    /** @type {Box[]} */
    this.boxes = [];
    this.size = { width: 1, height: 1 };
    this.drawing = false;
    this.waiting = false;
    reset.addEventListener('click', () => {
      this.moved = {};
      this.redraw();
    });
  }

  /** A caption is drawn. @param {string[]} words @param {Record<number, WordFrame | WordFrame[]>} moved */
  begin(words, moved) {
    this.words = words;
    this.moved = Object.fromEntries(Object.entries(moved).map(([word, of]) => [word, [of].flat()]));
    this.buttons.clear();
    this.layer.replaceChildren();
    this.highlight(null);
  }

  /** @param {Frame[]} frames of the sample @param {number} step shown @param {{width: number, height: number}} size @param {boolean} finished */
  show(frames, step, size, finished) {
    this.size = size;
    this.boxes = boxesOf(frames.slice(0, step), size);
    const current = this.boxes.at(-1);
    const kept = new Set();
    this.boxes.forEach((box, at) => {
      const key = `${box.word}.${box.instance}`;
      kept.add(key);
      const button = this.buttons.get(key) ?? this.build(key, box, at);
      const percent = (/** @type {number} */ x, /** @type {number} */ whole) => `${(100 * x) / whole}%`;
      const { x, y, width, height } = box.rect;
      Object.assign(button.style, { left: percent(x, size.width), top: percent(y, size.height), width: percent(width, size.width), height: percent(height, size.height) });
      // The name stays on the canvas where the frame does not.
      button.style.setProperty('--cut', percent(Math.max(0, -x), width));
      button.classList.toggle('high', y < 0.06 * size.height);
      button.classList.toggle('current', !finished && box === current);
      button.disabled = !finished;
    });
    for (const [key, button] of this.buttons) button.hidden = !kept.has(key);
    this.layer.classList.toggle('finished', finished);
    this.reset.hidden = !Object.keys(this.moved).length;
  }

  /** Shows the frames of one word, or of none. @param {number | null} word */
  highlight(word) {
    for (const [key, button] of this.buttons) button.classList.toggle('named', key.startsWith(`${word}.`));
  }

  /** @param {string} key @param {Box} box @param {number} at */
  build(key, box, at) {
    const button = document.createElement('button');
    const name = this.words[box.word] ?? '';
    button.type = 'button';
    button.className = 'frame';
    button.style.setProperty('--hue', String(HUES[at % HUES.length]));
    button.setAttribute('aria-label', `Frame of “${name}”: arrow keys move it, plus and minus change its size`);
    const label = Object.assign(document.createElement('span'), { className: 'name', textContent: name });
    const corner = Object.assign(document.createElement('span'), { className: 'corner' });
    button.append(label, corner);
    button.addEventListener('pointerdown', (event) => this.drag(event, key, event.target === corner));
    button.addEventListener('keydown', (event) => this.press(event, key));
    this.buttons.set(key, button);
    this.layer.append(button);
    return button;
  }

  /** A box as it was given, or as the caption placed it. @param {Box} box @returns {WordFrame} */
  placed({ rect }) {
    const { width, height } = this.size;
    const size = rect.width / Math.max(width, height);
    return { x: (rect.x + rect.width / 2) / width, y: (rect.y + rect.height / 2) / height, size };
  }

  /** @param {string} key @param {(frame: WordFrame) => WordFrame} change */
  change(key, change) {
    const box = this.boxes.find(({ word, instance }) => `${word}.${instance}` === key);
    if (!box) return;
    // All of a word's frames are given once one is, so that the others stay where they are.
    const all = (this.moved[box.word] ??= this.boxes.filter(({ word }) => word === box.word).map((other) => this.placed(other)));
    const { x, y, size } = change(all[box.instance] ?? this.placed(box));
    const inside = (/** @type {number} */ share) => Math.max(0, Math.min(share, 1));
    all[box.instance] = { x: inside(x), y: inside(y), size: Math.max(SMALLEST, Math.min(size, 1)) };
    this.redraw();
  }

  /** Draws with what was moved; while a drawing runs the last change waits. */
  async redraw() {
    this.waiting = true;
    if (this.drawing) return;
    this.drawing = true;
    while (this.waiting) {
      this.waiting = false;
      await this.onMove();
    }
    this.drawing = false;
  }

  /** @param {PointerEvent} event @param {string} key @param {boolean} resize */
  drag(event, key, resize) {
    const button = this.buttons.get(key);
    if (!button || button.disabled) return;
    event.preventDefault();
    button.focus();
    button.setPointerCapture(event.pointerId);
    const { width, height } = this.layer.getBoundingClientRect();
    const box = this.boxes.find(({ word, instance }) => `${word}.${instance}` === key);
    if (!box) return;
    const from = this.moved[box.word]?.[box.instance] ?? this.placed(box);
    const { clientX, clientY } = event;
    const move = (/** @type {PointerEvent} */ now) => {
      const [right, down] = [(now.clientX - clientX) / width, (now.clientY - clientY) / height];
      this.change(key, () => (resize ? { ...from, size: from.size + 2 * Math.max(right, down) } : { ...from, x: from.x + right, y: from.y + down }));
    };
    const end = () => {
      button.removeEventListener('pointermove', move);
      for (const type of ['pointerup', 'pointercancel']) button.removeEventListener(type, end);
    };
    button.addEventListener('pointermove', move);
    for (const type of ['pointerup', 'pointercancel']) button.addEventListener(type, end);
  }

  /** @param {KeyboardEvent} event @param {string} key */
  press(event, key) {
    /** @type {Record<string, [number, number, number]>} */
    const moves = { ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0], '+': [0, 0, 1], '=': [0, 0, 1], '-': [0, 0, -1] };
    const by = moves[event.key]?.map((steps) => steps * KEY_STEP);
    if (!by) return;
    event.preventDefault();
    this.change(key, ({ x, y, size }) => ({ x: x + by[0], y: y + by[1], size: size + by[2] }));
  }
}
