// @ts-check
/** The attention over the words of a caption: at one step, and as a heat map over all steps. */

/** @typedef {import('./lib/aligndraw.js').Frame} Frame */

/** The words of a caption, highlighted by their attention weights, and the heat map over all steps. */
export class AttentionView {
  /**
   * @param {HTMLElement} list @param {HTMLCanvasElement} heat
   * @param {{onSeek: (step: number) => void, onWord: (at: number, word: string) => void, onPoint?: (at: number | null) => void, canFlip: (word: string) => boolean}} callbacks
   */
  constructor(list, heat, { onSeek, onWord, onPoint, canFlip }) {
    this.onPoint = onPoint ?? (() => {});
    this.onWord = onWord;
    this.canFlip = canFlip;
    this.list = list;
    this.heat = heat;
    /** @type {{word: HTMLElement, share: HTMLElement}[]} */
    this.rows = [];
    /** @type {Frame[]} */
    this.frames = [];
    this.total = 1;
    const seek = (/** @type {PointerEvent} */ event) => {
      const { left, width } = heat.getBoundingClientRect();
      onSeek(Math.ceil(((event.clientX - left) / width) * this.total));
    };
    heat.addEventListener('pointerdown', (event) => {
      heat.setPointerCapture(event.pointerId);
      seek(event);
    });
    heat.addEventListener('pointermove', (event) => event.buttons && seek(event));
  }

  /** @param {string[]} words @param {number} total steps */
  begin(words, total) {
    this.total = total;
    this.frames = [];
    this.rows = words.map((text, at) => {
      const flips = this.canFlip(text);
      const word = Object.assign(document.createElement(flips ? 'button' : 'span'), { className: 'word', textContent: text });
      if (flips) {
        word.setAttribute('type', 'button');
        word.title = 'Put another word in its place';
        word.addEventListener('click', () => this.onWord(at, text));
      }
      for (const type of ['pointerenter', 'focus']) word.addEventListener(type, () => this.onPoint(at));
      for (const type of ['pointerleave', 'blur']) word.addEventListener(type, () => this.onPoint(null));
      const share = Object.assign(document.createElement('span'), { className: 'share' });
      return { word, share };
    });
    this.list.replaceChildren(
      ...this.rows.map(({ word, share }) => {
        const item = document.createElement('li');
        item.append(word, share);
        return item;
      }),
    );
  }

  /** @param {Frame[]} frames all that have arrived @param {number} step shown now, 0 for none */
  show(frames, step) {
    const frame = frames[step - 1];
    this.rows.forEach(({ word, share }, j) => {
      const weight = frame?.alignment?.[j] ?? 0;
      word.style.setProperty('--attention', Math.sqrt(weight).toFixed(3));
      share.textContent = frame?.alignment ? `${(100 * weight).toFixed(0)} %` : '';
    });
    this.paintMap(frames, step);
  }

  /** @param {Frame[]} frames @param {number} step */
  paintMap(frames, step) {
    const { heat } = this;
    const scale = Math.min(devicePixelRatio || 1, 2);
    const rowHeight = this.list.firstElementChild?.getBoundingClientRect().height ?? 31;
    const [width, height] = [heat.clientWidth, rowHeight * this.rows.length];
    heat.style.height = `${height}px`;
    heat.width = Math.round(width * scale);
    heat.height = Math.round(height * scale);
    const context = /** @type {CanvasRenderingContext2D} */ (heat.getContext('2d'));
    context.scale(scale, scale);
    const styles = getComputedStyle(document.documentElement);
    const accent = styles.getPropertyValue('--accent-rgb');
    const line = styles.getPropertyValue('--line');
    const column = width / this.total;
    for (let j = 0; j < this.rows.length; j += 1) {
      context.fillStyle = line;
      context.fillRect(0, (j + 0.5) * rowHeight, width, 1);
      for (let t = 0; t < frames.length; t += 1) {
        const strength = Math.sqrt(frames[t].alignment?.[j] ?? 0);
        const shown = t < step ? 1 : 0.22;
        context.fillStyle = `rgb(${accent} / ${(strength * shown).toFixed(3)})`;
        const size = Math.max(1.5, strength * (rowHeight - 8));
        context.fillRect(t * column + 0.5, (j + 0.5) * rowHeight - size / 2 + 0.5, Math.max(1, column - 1), size);
      }
    }
    if (step > 0) {
      context.fillStyle = styles.getPropertyValue('--ink');
      context.fillRect(Math.min(step * column, width - 1.5) - 0.75, 0, 1.5, height);
    }
  }
}
