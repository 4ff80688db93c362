// @ts-check
/** The page that describes pictures: drop, paste, choose or paint one; press a word to see where it looked. */

import { cover, scaledCanvas } from './lib/look.js';
import { bitmap } from './lib/picture.js';
import { model, showError } from './loading.js';
import { CAPTIONERS, choice } from './models.js';

/** @typedef {import('./lib/aligndraw.js').Described} Described */

const PAINTER = 'scenes';
/** Photos to try, of `photos/`: whose they are is said in NOTICE there. */
const EXAMPLES = ['astronaut', 'cat', 'coffee', 'rocket', 'raccoon'];
/** Longer side of the picture as it is shown, pixels. */
const SIDE = 640;
/** Milliseconds from word to word. */
const WORD_TIME = 260;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const el = (id) => /** @type {T} */ (document.getElementById(id));
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
const context = /** @type {CanvasRenderingContext2D} */ (/** @type {HTMLCanvasElement} */ (el('picture')).getContext('2d'));

/** @type {HTMLCanvasElement | undefined} what is described, at {@link SIDE} */
let shown;
/** What it was made of, and what it was painted from. @type {{picture: import('./lib/look.js').Picture, caption?: string} | undefined} */
let given;
/** Who describes it. */
let captioner = CAPTIONERS[0];
/** Whether the visitor said who. */
let decided = false;
/** @type {Described | undefined} */
let described;
/** The word whose map is held, or -1. */
let held = -1;
/** @type {AbortController | undefined} */
let running;

/** The paper's colour, to cover what was not attended to. @returns {[number, number, number]} */
function paper() {
  const [red, green, blue] = (getComputedStyle(document.body).backgroundColor.match(/\d+/g) ?? ['255', '255', '255']).map(Number);
  return [red, green, blue];
}

/** Shows the picture with the map of a word, or bare. @param {number} word */
function show(word) {
  if (!shown) return;
  context.imageSmoothingEnabled = true;
  context.drawImage(shown, 0, 0);
  const sentence = described?.sentences[current()];
  const attention = sentence?.words[word]?.attention;
  if (attention && described?.grid) cover(context, attention, described.grid, paper());
  [...el('said').children].forEach((button, at) => button.classList.toggle('now', at === word));
}

/** Which sentence is shown. */
const current = () => Number(el('said').dataset.sentence ?? 0);

/** Holds the map of a word, or lets go of it. @param {number} word */
function hold(word) {
  held = held === word ? -1 : word;
  [...el('said').children].forEach((button, at) => button.setAttribute('aria-pressed', String(at === held)));
  show(held);
}

/** Says a sentence word by word. @param {number} at @param {AbortSignal} signal */
async function say(at, signal) {
  const sentence = described?.sentences[at];
  if (!sentence) return;
  held = -1;
  el('said').dataset.sentence = String(at);
  el('said').replaceChildren();
  [...el('others').querySelectorAll('button')].forEach((button, other) => button.setAttribute('aria-current', String(other === at)));
  for (const [word, { text }] of sentence.words.entries()) {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
    button.setAttribute('aria-pressed', 'false');
    button.addEventListener('click', () => hold(word));
    button.addEventListener('pointerenter', () => held < 0 && show(word));
    button.addEventListener('pointerleave', () => held < 0 && show(-1));
    el('said').append(button);
    if (calm) continue;
    show(word);
    await new Promise((resolve) => setTimeout(resolve, WORD_TIME));
    if (signal.aborted) return;
  }
  if (held < 0) show(-1);
  el('live').textContent = sentence.text;
  document.documentElement.dataset.said = sentence.text;
}

/** Chooses who describes. @param {typeof captioner} chosen */
function choose(chosen) {
  captioner = chosen;
  el('note').textContent = chosen.note;
  for (const input of el('models').querySelectorAll('input')) input.checked = input.value === chosen.name;
}

/** The captioner that learned from such data, or the one that is chosen. @param {string} data */
const learnedFrom = (data) => CAPTIONERS.find((one) => one.data === data) ?? captioner;

/** Shows a picture, as much of it as the captioner looks at. @param {import('./lib/look.js').Picture} picture @param {AbortSignal} signal */
async function present(picture, signal) {
  const canvas = await scaledCanvas(picture, SIDE, captioner.data === 'photos' ? 'whole' : 'middle');
  if (signal.aborted) return;
  [shown, described] = [canvas, undefined];
  Object.assign(context.canvas, { width: canvas.width, height: canvas.height });
  el('said').replaceChildren();
  el('others').replaceChildren();
  el('shown').hidden = false;
  show(-1);
}

/** Describes a picture. @param {import('./lib/look.js').Picture} picture @param {string} [caption] it was painted from */
async function describe(picture, caption) {
  running?.abort();
  const { signal } = (running = new AbortController());
  el('error').hidden = true;
  delete document.documentElement.dataset.said;
  try {
    await present(picture, signal);
    if (signal.aborted) return;
    given = { picture, caption };
    const loaded = await model(captioner.name);
    if (signal.aborted) return;
    el('status').textContent = 'Looking';
    const found = await loaded.describe(picture, { signal });
    described = found;
    el('status').textContent = `Described on the CPU in ${Math.max(1, Math.round(found.milliseconds))} ms`;
    el('painted').hidden = !caption;
    el('painted').textContent = caption ? `Painted from “${caption}”` : '';
    el('others').replaceChildren(...found.sentences.map(({ text }, at) => alternative(text, at)));
    await say(0, signal);
  } catch (error) {
    if (!signal.aborted) showError(error);
  }
}

/** Describes a photo that the visitor brings. @param {import('./lib/look.js').Picture} picture */
function describeFile(picture) {
  if (!decided) choose(learnedFrom('photos'));
  describe(picture);
}

/** @param {string} text @param {number} at */
function alternative(text, at) {
  const item = document.createElement('li');
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
  button.addEventListener('click', () => {
    running?.abort();
    say(at, (running = new AbortController()).signal);
  });
  item.append(button);
  return item;
}

/** Paints a caption of the gallery and describes the picture. */
async function paint() {
  running?.abort();
  el('error').hidden = true;
  const captions = choice(PAINTER).groups.flatMap((group) => group.captions);
  const caption = captions[Math.floor(Math.random() * captions.length)];
  try {
    const painter = await model(PAINTER);
    el('status').textContent = `Painting “${caption}”`;
    let last;
    for await (const frame of painter.draw(caption, { seed: Math.floor(Math.random() * 2 ** 32) })) last = frame;
    choose(learnedFrom('scenes'));
    if (last) await describe(bitmap(last.pixels ?? last.image, painter.info), caption);
  } catch (error) {
    showError(error);
  }
}

for (const one of CAPTIONERS) {
  const label = document.createElement('label');
  const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'model', value: one.name });
  input.addEventListener('change', () => {
    decided = true;
    choose(one);
    if (given) describe(given.picture, given.caption);
  });
  label.append(input, one.title);
  el('models').append(label);
}
choose(captioner);
for (const name of learnedFrom('photos').data === 'photos' ? EXAMPLES : []) {
  const button = Object.assign(document.createElement('button'), { type: 'button' });
  const image = Object.assign(new Image(), { src: `photos/${name}.jpg`, alt: `A photo to try: ${name}`, width: 72, height: 72 });
  button.append(image);
  button.addEventListener('click', async () => {
    choose(learnedFrom('photos'));
    await image.decode().then(() => describe(image), showError);
  });
  el('examples').append(button);
}
el('file').addEventListener('change', () => {
  const input = /** @type {HTMLInputElement} */ (el('file'));
  const file = input.files?.[0];
  if (file) describeFile(file);
  // The same file can be chosen again.
  input.value = '';
});
el('paint').addEventListener('click', paint);
addEventListener('paste', ({ clipboardData }) => {
  const file = [...(clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
  if (file) describeFile(file);
});
for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  addEventListener(type, (event) => {
    event.preventDefault();
    document.body.classList.toggle('dropping', type === 'dragenter' || type === 'dragover');
    const file = type === 'drop' && /** @type {DragEvent} */ (event).dataTransfer?.files[0];
    if (file) describeFile(file);
  });
}
addEventListener('keydown', ({ key }) => key === 'Escape' && held >= 0 && hold(held));
