// @ts-check
/** Paints pictures, the write window, the words and the map of attention. */

/** @typedef {import('./lib/aligndraw.js').Frame} Frame */

/** Ink on paper: the two ends of a grey picture, by colour scheme. */
const INK = { light: { paper: [255, 255, 255], ink: [30, 27, 34] }, dark: { paper: [31, 30, 35], ink: [247, 242, 232] } };

const scheme = () => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

/**
 * A canvas of the model's own size with the picture of a frame.
 * @param {Float32Array} image @param {{width: number, height: number, channels: number}} size
 * @param {'light' | 'dark'} [look]
 */
export function bitmap(image, { width, height, channels }, look = scheme()) {
  const { paper, ink } = INK[look];
  const plane = width * height;
  const data = new ImageData(width, height);
  for (let i = 0; i < plane; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      data.data[4 * i + c] = channels === 1 ? paper[c] + (ink[c] - paper[c]) * image[i] : 255 * image[c * plane + i];
    }
    data.data[4 * i + 3] = 255;
  }
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).putImageData(data, 0, 0);
  return canvas;
}

/**
 * Draws a frame as large as the element is on screen, smoothly.
 * @param {HTMLCanvasElement} canvas @param {Float32Array | null} image
 * @param {{width: number, height: number, channels: number}} size
 */
export function paint(canvas, image, size) {
  const scale = Math.min(devicePixelRatio || 1, 2);
  const side = Math.max(size.width, Math.round(canvas.clientWidth * scale));
  if (canvas.width !== side) {
    canvas.width = side;
    canvas.height = Math.round((side * size.height) / size.width);
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.imageSmoothingQuality = 'high';
  const blank = image ?? new Float32Array(size.width * size.height * size.channels);
  context.drawImage(bitmap(blank, size), 0, 0, canvas.width, canvas.height);
}

/**
 * Puts the write window over the canvas; hides it when it lies outside.
 * @param {HTMLElement} box @param {Frame | null} frame @param {{width: number, height: number}} size
 */
export function placeWindow(box, frame, { width, height }) {
  box.hidden = !frame;
  if (!frame) return;
  const { centerX, centerY, stride, size } = frame.window;
  const half = (stride * size) / 2;
  const percent = (/** @type {number} */ x, /** @type {number} */ whole) => (100 * Math.max(-0.02 * whole, Math.min(x, 1.02 * whole))) / whole;
  const left = percent(centerX + 0.5 - half, width);
  const right = percent(centerX + 0.5 + half, width);
  const top = percent(centerY + 0.5 - half, height);
  const bottom = percent(centerY + 0.5 + half, height);
  Object.assign(box.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
}

/** The words of a caption, lit by their share of attention, and the map over all steps. */
export class Reading {
  /** @param {HTMLElement} list @param {HTMLCanvasElement} heat @param {(step: number) => void} onSeek */
  constructor(list, heat, onSeek) {
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
    this.rows = words.map((text) => {
      const word = Object.assign(document.createElement('span'), { className: 'word', textContent: text });
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
      const weight = frame ? frame.alignment[j] : 0;
      word.style.setProperty('--lit', Math.sqrt(weight).toFixed(3));
      share.textContent = frame ? `${(100 * weight).toFixed(0)} %` : '';
    });
    this.map(frames, step);
  }

  /** @param {Frame[]} frames @param {number} step */
  map(frames, step) {
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
        const lit = Math.sqrt(frames[t].alignment[j]);
        const shown = t < step ? 1 : 0.22;
        context.fillStyle = `rgb(${accent} / ${(lit * shown).toFixed(3)})`;
        const size = Math.max(1.5, lit * (rowHeight - 8));
        context.fillRect(t * column + 0.5, (j + 0.5) * rowHeight - size / 2 + 0.5, Math.max(1, column - 1), size);
      }
    }
    if (step > 0) {
      context.fillStyle = styles.getPropertyValue('--ink');
      context.fillRect(Math.min(step * column, width - 1.5) - 0.75, 0, 1.5, height);
    }
  }
}
