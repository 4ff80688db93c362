// @ts-check
/** One caption by every painter of such pictures, from one seed, step by step; what was measured of them below. */

import { load } from './lib/aligndraw.js';
import { paint } from './lib/picture.js';
import { parseSeed } from './lib/seed.js';
import { MODELS, chips } from './models.js';
import { sharpenerOf, sharper } from './sharpening.js';

/** @typedef {import('./lib/aligndraw.js').AlignDraw} AlignDraw */
/** @typedef {import('./models.js').Entry} Entry */
/** @typedef {{entry: Entry, canvas: HTMLCanvasElement, text: HTMLElement}} Place */

/** What painters of a data set draw. @type {Record<string, string>} */
const KINDS = { scenes: 'Scenes', 'mnist-captions': 'Digits', folder: 'Photos' };
/** What `aligndraw compare` wrote of the painters of photos. */
const MEASURED = 'models/compare.json';
/** Milliseconds that a step stays, so that the drawing can be followed. */
const STEP_TIME = 60;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const el = (id) => /** @type {T} */ (document.getElementById(id));
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
const field = /** @type {HTMLInputElement} */ (el('caption'));
const sharpenBox = /** @type {HTMLInputElement} */ (el('sharpen').querySelector('input'));
const query = new URLSearchParams(location.search);

/** Loaded when they first draw. @type {Map<string, Promise<AlignDraw>>} */
const loaded = new Map();
/** @type {Place[]} */
let places = [];
let kind = '';
/** @type {import('./lib/seed.js').Seed} */
let seed = parseSeed(query.get('seed') ?? '') ?? 1n;
/** @type {AbortController | undefined} */
let running;

/** @param {string} name */
function model(name) {
  const known = loaded.get(name) ?? load({ model: name, device: 'cpu' });
  loaded.set(name, known);
  known.catch(() => loaded.delete(name));
  return known;
}

/** Shows the painters of a kind of pictures, empty. @param {string} chosen @param {string} [caption] */
function show(chosen, caption) {
  kind = chosen;
  const entries = MODELS.filter(({ data }) => data === kind);
  places = entries.map((entry) => {
    const canvas = document.createElement('canvas');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `Drawing by ${entry.title}`);
    const text = document.createElement('p');
    return { entry, canvas, text };
  });
  el('painters').replaceChildren(...places.map(({ entry, canvas, text }) => {
    const figure = document.createElement('figure');
    const under = document.createElement('figcaption');
    under.append(entry.title, text);
    figure.append(canvas, under);
    return figure;
  }));
  el('note').textContent = entries[0].note;
  el('sharpen').hidden = !entries.some(sharpenerOf);
  field.value = caption ?? entries[0].caption;
  el('chips').replaceChildren(...chips(entries[0], (chip) => {
    field.value = chip;
    draw();
  }));
  for (const input of el('kinds').querySelectorAll('input')) input.checked = input.value === kind;
  showNumbers();
  return draw();
}

/** Draws the caption with each painter, one after the other. */
async function draw() {
  running?.abort();
  const { signal } = (running = new AbortController());
  const caption = field.value.trim();
  document.documentElement.dataset.drawn = '';
  el('shown-seed').textContent = `seed ${seed}`;
  history.replaceState(null, '', `?${new URLSearchParams({ kind, caption, seed: String(seed), ...(sharpenBox.checked && { sharpen: '1' }) })}`);
  for (const place of places) {
    el('status').textContent = `Drawing: ${place.entry.title}`;
    place.text.className = '';
    place.text.textContent = 'Loading';
    try {
      await drawIn(place, caption, signal);
    } catch (error) {
      if (signal.aborted) return;
      place.text.className = 'wrong';
      place.text.textContent = /** @type {Error} */ (error).message;
    }
    if (signal.aborted) return;
  }
  el('status').textContent = 'Drawn on this machine.';
  document.documentElement.dataset.drawn = `${kind} ${seed}`;
}

/** @param {Place} place @param {string} caption @param {AbortSignal} signal */
async function drawIn({ entry, canvas, text }, caption, signal) {
  const painter = await model(entry.name);
  signal.throwIfAborted();
  let took = 0;
  /** @type {import('./lib/aligndraw.js').Frame | undefined} */
  let last;
  const steps = painter.draw(caption, { seed, signal, onDone: ({ milliseconds }) => (took = milliseconds) });
  for await (const step of steps) {
    last = step;
    paint(canvas, step.pixels ?? step.image, painter.info);
    text.textContent = entry.numSteps > 1 ? `step ${step.step} of ${entry.numSteps}` : '';
    if (!calm && entry.numSteps > 1) await new Promise((resolve) => setTimeout(resolve, STEP_TIME));
    signal.throwIfAborted();
  }
  const size = `${(entry.bytes / 1e6).toFixed(1)} MB`;
  const measured = `${entry.numSteps === 1 ? 'one step' : `${entry.numSteps} steps`}, ${took.toFixed(0)} ms, ${size}`;
  text.textContent = measured;
  if (!last || !sharpenBox.checked || !sharpenerOf(entry)) return;
  const sharp = await sharper(entry, caption, last, signal);
  paint(canvas, sharp.pixels ?? sharp.image, painter.info);
  text.textContent = `${measured}, then sharpened`;
}

/** The table of `aligndraw compare`, for photos. */
async function showNumbers() {
  el('numbers').hidden = true;
  if (kind !== 'folder') return;
  const response = await fetch(MEASURED).catch(() => undefined);
  if (!response?.ok) return;
  const { rows, chance, regression, pictures, queries } = await response.json();
  const columns = ['', 'bound, nats', '… 50 samples', '… sharpened', 'R@1', 'R@10', 'R@50', 'median rank', 'SSIM', '… of another caption', 'sharpness', 'diversity', 'Fréchet', '… sharpened'];
  const fixed = (/** @type {number | undefined} */ x, /** @type {number} */ digits) => (x === undefined ? '–' : x.toFixed(digits));
  const ranks = (/** @type {any} */ of) => [fixed(of?.first, 1), fixed(of?.first_ten, 1), fixed(of?.first_fifty, 1), String(of?.median_rank ?? '–')];
  const title = (/** @type {string} */ name) => (MODELS.find((entry) => entry.name === name)?.title ?? name).replace(/^Photos by (a )?/, '');
  const cells = rows.map((/** @type {any} */ { model, bound, retrieval, looks, looks_sharpened: sharpened }) => [
    title(model), fixed(bound?.test.bound, 1), fixed(bound?.test.importance?.bound, 1), fixed(bound?.sharpened, 1), ...ranks(retrieval?.corrected),
    fixed(looks?.similarity, 3), fixed(looks?.similarity_of_others, 3), fixed(looks?.sharpness, 2), fixed(looks?.diversity, 2), fixed(looks?.frechet, 1), fixed(sharpened?.frechet, 1),
  ]);
  if (regression) cells.push(['words to colours, linear', '–', '–', '–', ...ranks(regression), '–', '–', '–', '–', '–', '–']);
  cells.push(['by chance', '–', '–', '–', ...ranks(chance), '–', '–', '–', '–', '–', '–']);
  const floor = rows.find((/** @type {any} */ { looks }) => looks?.frechet_floor)?.looks.frechet_floor;
  cells.push(['other true photos', '–', '–', '–', ...ranks(undefined), '–', '–', '1.00', '1.00', fixed(floor, 1), '–']);
  const cell = (/** @type {string} */ tag, /** @type {string} */ text, /** @type {string} */ scope) => {
    const made = Object.assign(document.createElement(tag), { textContent: text });
    if (scope) made.setAttribute('scope', scope);
    return made;
  };
  el('columns').replaceChildren(...columns.map((name, at) => cell(at ? 'th' : 'td', name, at ? 'col' : '')));
  el('rows').replaceChildren(...cells.map((/** @type {string[]} */ row) => {
    const made = document.createElement('tr');
    made.append(...row.map((text, at) => cell(at ? 'td' : 'th', text, at ? '' : 'row')));
    return made;
  }));
  el('numbers-note').textContent = `On ${pictures} test photos of Flickr8k, ${queries} captions as queries: which photo was it said of, by the bound of each, without each photo’s easiness. SSIM: how alike samples and the true photo are, and samples of another caption; it is highest for what has no detail at all. Sharpness and diversity: 1 are true photos’. Fréchet: distance of samples from photos in the features of EfficientNet-Lite0, less is better. Sharpened: by the last level of LAPGAN. 50 samples: the bound by importance weighting. Linear: ridge regression from a caption’s words to the mean colours of 4×4 squares.`;
  el('numbers').hidden = false;
}

for (const [data, title] of Object.entries(KINDS)) {
  if (!MODELS.some((entry) => entry.data === data)) continue;
  const label = document.createElement('label');
  const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'kind', value: data });
  input.addEventListener('change', () => show(data));
  label.append(input, title);
  el('kinds').append(label);
}
el('form').addEventListener('submit', (event) => {
  event.preventDefault();
  draw();
});
sharpenBox.checked = query.get('sharpen') === '1';
sharpenBox.addEventListener('change', draw);
el('dice').addEventListener('click', () => {
  seed = BigInt(Math.floor(Math.random() * 2 ** 32));
  draw();
});
/** @type {HTMLDetailsElement} */ (el('examples')).open = matchMedia('(min-width: 720px)').matches;
const asked = query.get('kind') ?? '';
const first = [asked, ...Object.keys(KINDS)].find((kind) => MODELS.some(({ data }) => data === kind)) ?? MODELS[0].data;
show(first, asked === first ? query.get('caption') ?? undefined : undefined);
