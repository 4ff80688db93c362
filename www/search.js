// @ts-check
/** The page that searches photos by a sentence, and shows where in the best of them each word is. */

import { scaledCanvas } from './lib/look.js';
import { bitmap } from './lib/picture.js';
import { align, search } from './lib/rank.js';
import { model, showError } from './loading.js';
import { choice } from './models.js';

/** @typedef {{name: string, image: HTMLImageElement, item: HTMLLIElement, button: HTMLButtonElement, meter: HTMLMeterElement, score: HTMLElement}} Photo */

/** Orders the photos: it finds more than the one that places words. */
const SEARCHER = 'embed-photos';
/** Places the words. */
const ALIGNER = 'align-photos';
const PAINTER = 'scenes';
/** Photos that are there, of `photos/`: whose they are is said in NOTICE there. */
const PHOTOS = ['astronaut', 'cat', 'coffee', 'raccoon', 'rocket'];
const SENTENCES = ['a cat with green eyes', 'a woman wearing orange', 'smoke rises into the night sky', 'a raccoon in the grass'];
/** Longer side of the photo as it is shown, pixels. */
const SIDE = 640;
/** A bar is empty for a score that is so far behind the best, or for the last where it is farther behind. */
const BEHIND = 0.4;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const el = (id) => /** @type {T} */ (document.getElementById(id));
const field = /** @type {HTMLInputElement} */ (el('sentence'));
const context = /** @type {CanvasRenderingContext2D} */ (/** @type {HTMLCanvasElement} */ (el('picture')).getContext('2d'));

/** @type {Photo[]} */
const photos = [];
/** The sentence that the photos are ordered by. */
let sentence = '';
/** The regions of the shown photo's words. @type {import('./lib/rank.js').Aligned | undefined} */
let aligned;
/** The word whose place is held, or -1. */
let held = -1;
/** @type {AbortController | undefined} */
let running;

/** Shows where a word is, or hides the box. @param {number} word */
function show(word) {
  const region = aligned?.words[word]?.region;
  const box = el('box');
  box.hidden = !region;
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(2)}%`;
  if (region) Object.assign(box.style, { left: percent(region.x), top: percent(region.y), width: percent(region.width), height: percent(region.height) });
  [...el('said').children].forEach((button, at) => button.classList.toggle('now', at === word));
}

/** Holds the place of a word, or lets go of it. @param {number} word */
function hold(word) {
  held = held === word ? -1 : word;
  [...el('said').children].forEach((button, at) => button.setAttribute('aria-pressed', String(at === held)));
  show(held);
}

/** A word of the sentence, as a button. @param {string} text @param {number} word */
function wordButton(text, word) {
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', () => hold(word));
  for (const type of ['pointerenter', 'focus']) button.addEventListener(type, () => held < 0 && show(word));
  for (const type of ['pointerleave', 'blur']) button.addEventListener(type, () => held < 0 && show(-1));
  return button;
}

/** Shows a photo large, with its words. @param {Photo} photo @param {AbortSignal} signal */
async function present(photo, signal) {
  const found = await align(await model(ALIGNER, 'cpu'), sentence, photo.image, { signal });
  const canvas = await scaledCanvas(photo.image, SIDE, 'whole');
  if (signal.aborted) return;
  [aligned, held] = [found, -1];
  Object.assign(context.canvas, { width: canvas.width, height: canvas.height });
  context.drawImage(canvas, 0, 0);
  context.canvas.setAttribute('aria-label', `The photo: ${photo.name}`);
  el('said').replaceChildren(...found.words.map(({ text }, word) => wordButton(text, word)));
  el('shown').hidden = false;
  show(-1);
  for (const other of photos) other.button.setAttribute('aria-current', String(other === photo));
}

/** Puts the photos in order, each with its score. @param {import('./lib/rank.js').Found} found @returns {Photo[]} the best first */
function showScores(found) {
  const scores = found.pictures.map(({ score }) => score);
  const most = scores[0];
  const least = Math.min(most - BEHIND, scores[scores.length - 1]);
  const signed = (/** @type {number} */ score) => score.toFixed(2).replace(/^-/, '−');
  const order = found.pictures.map(({ picture }) => /** @type {Photo} */ (photos.find(({ image }) => image === picture)));
  order.forEach((photo, at) => {
    const behind = most - scores[at];
    Object.assign(photo.meter, { min: least, max: most, value: scores[at], hidden: false });
    photo.meter.setAttribute('aria-label', `How well the sentence suits ${photo.name}, beside the best`);
    photo.score.textContent = `score ${signed(scores[at])}, ${at ? `${behind.toFixed(2)} behind` : 'the best'}`;
  });
  el('photos').replaceChildren(...order.map(({ item }) => item));
  el('scores').hidden = false;
  return order;
}

/** Orders the photos by the sentence in the box. */
async function find() {
  running?.abort();
  const { signal } = (running = new AbortController());
  sentence = field.value.trim();
  history.replaceState(null, '', sentence ? `?${new URLSearchParams({ q: sentence })}` : location.pathname);
  delete document.documentElement.dataset.found;
  el('error').hidden = true;
  if (!sentence || !photos.length) return;
  try {
    const ranker = await model(SEARCHER, 'cpu');
    if (signal.aborted) return;
    const begun = performance.now();
    const onLooked = (/** @type {number} */ count) => (el('status').textContent = `Looking at photo ${count} of ${photos.length}`);
    const found = await search(ranker, sentence, photos.map(({ image }) => image), { signal, onLooked });
    if (signal.aborted) return;
    const took = Math.max(1, Math.round(performance.now() - begun));
    const order = showScores(found);
    el('unknown').hidden = !found.unknown.length;
    el('unknown').textContent = `Not known to the model, and passed over: ${found.unknown.join(', ')}.`;
    el('status').textContent = `Searched ${photos.length} photos on the CPU in ${took} ms`;
    el('live').textContent = `${order.length} photos, the best first: ${order.map(({ name }) => name).join(', ')}`;
    await present(order[0], signal);
    if (signal.aborted) return;
    document.documentElement.dataset.found = order[0].name;
  } catch (error) {
    if (!signal.aborted) showError(error);
  }
}

/** Adds a photo at the end. @param {string} name @param {HTMLImageElement} image */
function add(name, image) {
  const [item, button, meter] = [document.createElement('li'), document.createElement('button'), document.createElement('meter')];
  const [text, score] = [Object.assign(document.createElement('span'), { textContent: name, title: name }), document.createElement('small')];
  button.type = 'button';
  image.alt = `Photo: ${name}`;
  meter.hidden = true;
  button.append(image, meter, text, score);
  item.append(button);
  const photo = { name, image, item, button, meter, score };
  button.addEventListener('click', () => {
    if (!sentence) return void field.focus();
    running?.abort();
    present(photo, (running = new AbortController()).signal).catch(showError);
  });
  photos.push(photo);
  el('photos').append(item);
}

/** Adds the photos that a visitor brings; one that cannot be read is named, the others stay. @param {Iterable<File>} files */
async function addFiles(files) {
  /** @type {string[]} */
  const refused = [];
  for (const file of files) {
    const image = Object.assign(new Image(), { src: URL.createObjectURL(file) });
    await image.decode().then(() => add(file.name || 'pasted', image), () => refused.push(file.name));
  }
  await find();
  if (refused.length) showError(`${refused.join(', ')}: no picture that this browser can read, a JPEG, PNG or WebP, say`);
}

/** Paints a caption of the gallery, and adds the picture. */
async function paint() {
  el('error').hidden = true;
  const captions = choice(PAINTER).groups.flatMap((group) => group.captions);
  const caption = captions[Math.floor(Math.random() * captions.length)];
  try {
    const painter = await model(PAINTER, 'cpu');
    el('status').textContent = `Painting “${caption}”`;
    let last;
    for await (const frame of painter.draw(caption, { seed: Math.floor(Math.random() * 2 ** 32) })) last = frame;
    el('status').textContent = '';
    if (!last) return;
    const blob = await new Promise((resolve) => bitmap(last.pixels ?? last.image, painter.info).toBlob(resolve));
    await addFiles([new File([blob], caption)]);
  } catch (error) {
    showError(error);
  }
}

el('form').addEventListener('submit', (event) => {
  event.preventDefault();
  find();
});
for (const text of SENTENCES) {
  const chip = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
  chip.addEventListener('click', () => {
    field.value = text;
    find();
  });
  el('chips').append(chip);
}
el('paint').addEventListener('click', paint);
el('file').addEventListener('change', () => {
  const input = /** @type {HTMLInputElement} */ (el('file'));
  addFiles([...(input.files ?? [])]);
  // The same files can be chosen again.
  input.value = '';
});
addEventListener('paste', ({ clipboardData }) => {
  const files = [...(clipboardData?.files ?? [])].filter(({ type }) => type.startsWith('image/'));
  if (files.length) addFiles(files);
});
for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  addEventListener(type, (event) => {
    event.preventDefault();
    document.body.classList.toggle('dropping', type === 'dragenter' || type === 'dragover');
    const files = type === 'drop' && /** @type {DragEvent} */ (event).dataTransfer?.files;
    if (files && files.length) addFiles(files);
  });
}
addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || held < 0) return;
  // The box would be emptied.
  event.preventDefault();
  hold(held);
});
const images = PHOTOS.map((name) => Object.assign(new Image(), { src: `photos/${name}.jpg` }));
for (const [at, image] of images.entries()) await image.decode().then(() => add(PHOTOS[at], image), showError);
field.value = new URLSearchParams(location.search).get('q') ?? '';
if (field.value) find();
