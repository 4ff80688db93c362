// @ts-check
/** The gallery: each experiment of the paper's figures, drawn live, and what was measured. */

import { load } from './lib/aligndraw.js';
import { paint } from './lib/picture.js';
import { choice } from './models.js';

/** @typedef {import('./lib/aligndraw.js').Frame} Frame */

const MODEL = choice('scenes');
/** Milliseconds that a step stays, so that the drawing can be followed. */
const STEP_TIME = 45;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const el = (id) => /** @type {T} */ (document.getElementById(id));
const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)').matches;

/** @type {import('./lib/aligndraw.js').AlignDraw | undefined} */
let model;
let seed = MODEL.seed;
/** @type {AbortController | undefined} */
let running;
/** @type {{caption: string, canvas: HTMLCanvasElement, text: HTMLElement, link: HTMLAnchorElement, last: Frame | null}[]} */
const pictures = [];

/** Builds the figures, empty. */
function buildFigures() {
  const groups = MODEL.groups.map(({ title, note, captions }) => {
    const section = document.createElement('section');
    section.className = 'group';
    const row = Object.assign(document.createElement('div'), { className: 'row' });
    row.append(...captions.map((caption) => frame(caption)));
    section.append(
      Object.assign(document.createElement('h2'), { textContent: title }),
      Object.assign(document.createElement('p'), { className: 'note', textContent: note }),
      row,
    );
    return section;
  });
  el('figures').replaceChildren(...groups);
}

/** @param {string} caption */
function frame(caption) {
  const link = document.createElement('a');
  const figure = document.createElement('figure');
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `Drawing of “${caption}”`);
  const text = document.createElement('figcaption');
  text.textContent = caption;
  figure.append(canvas, text);
  link.append(figure);
  pictures.push({ caption, canvas, text, link, last: null });
  return link;
}

/** Draws every picture, one after the other. */
async function drawAll() {
  if (!model) return;
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const { info } = model;
  document.documentElement.dataset.drawn = '';
  try {
    for (const [at, picture] of pictures.entries()) {
      el('status').textContent = `Drawing ${at + 1} of ${pictures.length}`;
      const query = new URLSearchParams({ model: MODEL.name, caption: picture.caption, seed: String(seed) });
      picture.link.href = `./?${query}`;
      const words = (await model.words(picture.caption)).map((word) => Object.assign(document.createElement('span'), { textContent: word }));
      const seedText = Object.assign(document.createElement('small'), { textContent: `seed ${seed}` });
      picture.text.replaceChildren(...words.flatMap((word) => [word, ' ']), seedText);
      for await (const step of model.draw(picture.caption, { seed, signal: controller.signal })) {
        picture.last = step;
        paint(picture.canvas, step.pixels ?? step.image, info);
        words.forEach((word, j) => word.style.setProperty('--attention', Math.sqrt(step.alignment?.[j] ?? 0).toFixed(3)));
        if (!reducedMotion) await new Promise((resolve) => setTimeout(resolve, STEP_TIME));
        controller.signal.throwIfAborted();
      }
      words.forEach((word) => word.style.setProperty('--attention', '0'));
    }
    el('status').textContent = `${pictures.length} pictures, drawn on this machine; press one to open it.`;
    document.documentElement.dataset.drawn = String(seed);
  } catch (error) {
    if (!controller.signal.aborted) showError(error);
  }
}

/** @param {unknown} error */
function showError(error) {
  el('status').textContent = '';
  el('error').hidden = false;
  el('error-text').textContent = /** @type {Error} */ (error).message;
}

/** @typedef {{right: number, of: number}} Share */
/** Fills the table from what `aligndraw eval` wrote. */
async function showNumbers() {
  const response = await fetch(`models/${MODEL.name}.eval.json`);
  if (!response.ok) return;
  const found = await response.json();
  const percent = (/** @type {Share} */ { right, of }) => (of ? `${((100 * right) / of).toFixed(1)} %` : '');
  const factors = {
    place: 'place', object: 'object', object_alone: '… where one kind is named', objects_together: '… where two or three are',
    colour: 'colour', number: 'number', size: 'size', relation: 'relation', all: 'everything',
  };
  el('rows').replaceChildren(
    ...Object.entries(factors).map(([name, label]) => {
      const row = document.createElement('tr');
      const head = document.createElement('th');
      head.scope = 'row';
      head.textContent = label;
      const cells = [found.seen.painted, found.held_out.painted, found.seen.shuffled_control, found.seen.rendered];
      row.append(head, ...cells.map((of) => Object.assign(document.createElement('td'), { textContent: percent(of[name]) })));
      return row;
    }),
  );
  const share = (/** @type {number} */ x) => `${(100 * x).toFixed(0)} %`;
  el('numbers-note').textContent =
    `A judge network trained on true renders read ${found.pictures} pictures of captions whose combinations were trained on and as many of held-out ones. ` +
    `While an object is painted, ${share(found.seen.object_attention.on_its_words)} of the attention is on its colour and noun; with uniform attention it would be ${share(found.seen.object_attention.uniform)}.`;
  el('numbers').hidden = false;
}

async function start() {
  el('error').hidden = true;
  el('status').textContent = 'Loading the model';
  try {
    model = await load({ model: MODEL.name, device: 'cpu' });
  } catch (error) {
    return showError(error);
  }
  await drawAll();
}

el('retry').addEventListener('click', start);
el('again').addEventListener('click', () => {
  seed = Math.floor(Math.random() * 1e6);
  drawAll();
});
new ResizeObserver(() => pictures.forEach(({ canvas, last }) => model && last && paint(canvas, last.pixels ?? last.image, model.info))).observe(el('figures'));
buildFigures();
// The table is of use without the model, and the pictures without the table.
showNumbers().catch(() => {});
start();
