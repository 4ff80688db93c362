// @ts-check
/** The gallery: each experiment of the paper's figures, drawn live, and what was measured. */

import { load } from './lib/aligndraw.js';
import { paint } from './lib/picture.js';
import { choice } from './models.js';
import { sharpenerOf, sharper } from './sharpening.js';
import * as sheets from './sheets.js';

/** @typedef {import('./lib/aligndraw.js').Frame} Frame */

const SCENES = choice('scenes');
const DIGITS = choice('digits');
const PHOTOS = choice('photos');
/** What the paper drew the same captions with. */
const PAPER = choice('aligndraw-digits');
/** The digits' group of captions whose compositions were held out. */
const HELD_OUT = 'Never trained on';
const SHARPENING_NOTE = 'The last level of LAPGAN, which learned what photos of 32×32 have and blurs of them lack, adds it to what alignDRAW drew. As in the paper the pictures get nearer to photos and less likely; ours change less than theirs.';
/** Milliseconds that a step stays, so that the drawing can be followed. */
const STEP_TIME = 45;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const el = (id) => /** @type {T} */ (document.getElementById(id));
const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Loaded when the first picture is drawn with them. @type {Map<string, import('./lib/aligndraw.js').AlignDraw>} */
const models = new Map();
let seed = SCENES.seed;
/** @type {AbortController | undefined} */
let running;
/** @typedef {{model: string, note: string, caption: string, sharpen: boolean, canvas: HTMLCanvasElement, text: HTMLElement, link: HTMLAnchorElement, last: Frame | null}} Picture */
/** @type {Picture[]} */
const pictures = [];
/** Whether the photos were scrolled to: until then their model, the largest of all, is not loaded. */
let photosSeen = false;
const isPhoto = (/** @type {Picture} */ { model }) => model === PHOTOS.name;

/** Builds the figures, empty. */
function buildFigures() {
  const groups = SCENES.groups.map(({ title, note, captions }) => section(title, note, captions.map((caption) => frame(SCENES.name, caption, ''))));
  const heldOut = DIGITS.groups.find(({ title }) => title === HELD_OUT);
  if (heldOut && PAPER.name === 'aligndraw-digits') {
    const pairs = heldOut.captions.flatMap((caption) => [frame(DIGITS.name, caption, 'in frames'), frame(PAPER.name, caption, 'alignDRAW')]);
    groups.push(section('Digits where they never stood', `${heldOut.note} Beside each: the paper’s alignDRAW, trained on the same pictures.`, pairs));
  }
  if (sheets.hasSamples) {
    const group = section('Digits that nobody asked for', sheets.NOTE, sheets.figures);
    group.classList.add('sheets');
    groups.push(group);
  }
  el('figures').replaceChildren(...groups);
  if (PHOTOS.name !== 'photos') return;
  const photos = PHOTOS.groups.map(({ title, note, captions }) => section(`Photos: ${title.toLowerCase()}`, note, captions.map((caption) => frame(PHOTOS.name, caption, ''))));
  photos[0]?.querySelector('.note')?.prepend(`${PHOTOS.note} `);
  if (sharpenerOf(PHOTOS)) photos.push(section('Photos: before and after sharpening', SHARPENING_NOTE, pairsOf(PHOTOS.groups.map(({ captions }) => captions[0]))));
  el('figures').append(...photos);
  const seen = new IntersectionObserver((entries) => {
    if (photosSeen || !entries.some((entry) => entry.isIntersecting)) return;
    photosSeen = true;
    seen.disconnect();
    if (document.documentElement.dataset.drawn) drawAll(pictures.filter(isPhoto));
  }, { rootMargin: '200px' });
  photos.forEach((group) => seen.observe(group));
}

/** Each caption as it is drawn and sharpened. @param {string[]} captions */
const pairsOf = (captions) => captions.flatMap((caption) => [frame(PHOTOS.name, caption, 'as drawn'), frame(PHOTOS.name, caption, 'sharpened', true)]);

/** @param {string} title @param {string} note @param {HTMLElement[]} pictures */
function section(title, note, pictures) {
  const section = document.createElement('section');
  section.className = 'group';
  const row = Object.assign(document.createElement('div'), { className: 'row' });
  row.append(...pictures);
  section.append(
    Object.assign(document.createElement('h2'), { textContent: title }),
    Object.assign(document.createElement('p'), { className: 'note', textContent: note }),
    row,
  );
  return section;
}

/** @param {string} model @param {string} caption @param {string} note @param {boolean} [sharpen] when it is finished */
function frame(model, caption, note, sharpen = false) {
  const link = document.createElement('a');
  const figure = document.createElement('figure');
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `Drawing of “${caption}”`);
  const text = document.createElement('figcaption');
  text.textContent = caption;
  figure.append(canvas, text);
  link.append(figure);
  pictures.push({ model, note, caption, sharpen, canvas, text, link, last: null });
  return link;
}

/** Pictures that are drawn now: photos once they were scrolled to. */
const wanted = () => pictures.filter((picture) => photosSeen || !isPhoto(picture));

/** Draws pictures one after the other. @param {Picture[]} some */
async function drawAll(some) {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  document.documentElement.dataset.drawn = '';
  try {
    for (const [at, picture] of some.entries()) {
      const model = await modelOf(picture.model);
      controller.signal.throwIfAborted();
      el('status').textContent = `Drawing ${at + 1} of ${some.length}`;
      const query = new URLSearchParams({ model: picture.model, caption: picture.caption, seed: String(seed), ...(picture.sharpen && { sharpen: '1' }) });
      picture.link.href = `./?${query}`;
      const words = (await model.words(picture.caption)).map((word) => Object.assign(document.createElement('span'), { textContent: word }));
      const seedText = Object.assign(document.createElement('small'), { textContent: picture.note ? `${picture.note}, seed ${seed}` : `seed ${seed}` });
      picture.text.replaceChildren(...words.flatMap((word) => [word, ' ']), seedText);
      for await (const step of model.draw(picture.caption, { seed, signal: controller.signal })) {
        picture.last = step;
        paint(picture.canvas, step.pixels ?? step.image, model.info);
        words.forEach((word, j) => word.style.setProperty('--attention', Math.sqrt(step.alignment?.[j] ?? 0).toFixed(3)));
        if (!reducedMotion) await new Promise((resolve) => setTimeout(resolve, STEP_TIME));
        controller.signal.throwIfAborted();
      }
      words.forEach((word) => word.style.setProperty('--attention', '0'));
      if (picture.sharpen && picture.last) {
        picture.last = await sharper(choice(picture.model), picture.caption, picture.last, controller.signal);
        repaint(picture);
      }
    }
    if (sheets.hasSamples && !some.every(isPhoto)) {
      el('status').textContent = 'Drawing digits that nobody asked for';
      await sheets.drawSamples(await modelOf(sheets.NAME), seed, controller.signal);
    }
    // What was scrolled to meanwhile.
    const late = wanted().filter((picture) => picture.last === null);
    if (late.length > 0) return await drawAll(late);
    el('status').textContent = `${wanted().length} pictures, drawn on this machine; press one to open it.`;
    document.documentElement.dataset.drawn = String(seed);
  } catch (error) {
    if (!controller.signal.aborted) showError(error);
  }
}

/** @param {Picture} picture */
function repaint({ model, canvas, last }) {
  const info = models.get(model)?.info;
  if (info && last) paint(canvas, last.pixels ?? last.image, info);
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
  const response = await fetch(`models/${SCENES.name}.eval.json`);
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

/** @param {string} name */
async function modelOf(name) {
  const known = models.get(name);
  if (known) return known;
  el('status').textContent = 'Loading the model';
  const loaded = await load({ model: name, device: 'cpu' });
  models.set(name, loaded);
  return loaded;
}

async function start() {
  el('error').hidden = true;
  await drawAll(wanted());
}

el('retry').addEventListener('click', start);
el('again').addEventListener('click', () => {
  seed = Math.floor(Math.random() * 1e6);
  drawAll(wanted());
});
new ResizeObserver(() => pictures.forEach(repaint)).observe(el('figures'));
buildFigures();
// The table is of use without the model, and the pictures without the table.
showNumbers().catch(() => {});
start();
