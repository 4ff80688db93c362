// @ts-check
/** Paints pictures and the write window over them. */

/**
 * @typedef {import('./aligndraw.js').Frame} Frame
 * @typedef {{width: number, height: number, channels: number}} Size
 * @typedef {{paper: number[], ink: number[]}} Inks red, green and blue of 0 and of 1
 */

/** Ink on paper: the two ends of a grey picture, by colour scheme. */
export const INK = { light: { paper: [255, 255, 255], ink: [30, 27, 34] }, dark: { paper: [31, 30, 35], ink: [247, 242, 232] } };

/** @returns {'light' | 'dark'} */
const scheme = () => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

/**
 * A canvas of the model's own size with the picture of a frame: its numbers, or pixels as the engine made them.
 * @param {Float32Array | ImageData} image @param {Size} size @param {Inks} [inks]
 */
export function bitmap(image, { width, height, channels }, { paper, ink } = INK[scheme()]) {
  const data = image instanceof ImageData ? image : coloured(image, width, height, channels, paper, ink);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).putImageData(data, 0, 0);
  return canvas;
}

/**
 * The pixels of numbers in 0–1: a grey picture is ink on paper.
 * @param {Float32Array} image @param {number} width @param {number} height @param {number} channels
 * @param {number[]} paper @param {number[]} ink
 */
function coloured(image, width, height, channels, paper, ink) {
  const plane = width * height;
  const data = new ImageData(width, height);
  for (let i = 0; i < plane; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      data.data[4 * i + c] = channels === 1 ? paper[c] + (ink[c] - paper[c]) * image[i] : 255 * image[c * plane + i];
    }
    data.data[4 * i + 3] = 255;
  }
  return data;
}

/**
 * Draws a frame as large as the element is on screen, smoothly; without an image the empty paper, of colour pictures
 * nothing.
 * @param {HTMLCanvasElement} canvas @param {Float32Array | ImageData | null} image @param {Size} size @param {Inks} [inks]
 */
export function paint(canvas, image, size, inks) {
  const scale = Math.min(devicePixelRatio || 1, 2);
  const side = Math.max(size.width, Math.round(canvas.clientWidth * scale));
  if (canvas.width !== side) {
    canvas.width = side;
    canvas.height = Math.round((side * size.height) / size.width);
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.imageSmoothingQuality = 'high';
  const shown = image ?? (size.channels === 1 ? new Float32Array(size.width * size.height) : null);
  if (shown) context.drawImage(bitmap(shown, size, inks), 0, 0, canvas.width, canvas.height);
  else context.clearRect(0, 0, canvas.width, canvas.height);
}

/**
 * Puts the write window over the canvas; hides it when it lies outside.
 * @param {HTMLElement} box @param {Frame | null} frame @param {Size} size
 */
export function placeWindow(box, frame, { width, height }) {
  const window = frame?.window;
  box.hidden = !window;
  if (!window) return;
  const percent = (/** @type {number} */ x, /** @type {number} */ whole) => (100 * Math.max(-0.02 * whole, Math.min(x, 1.02 * whole))) / whole;
  const left = percent(window.x, width);
  const right = percent(window.x + window.width, width);
  const top = percent(window.y, height);
  const bottom = percent(window.y + window.height, height);
  Object.assign(box.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
}
