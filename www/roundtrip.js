// @ts-check
/** The round trip: a caption, four drawings of it, a description of each; which words came back. */

import { bitmap, paint } from './lib/picture.js';
import { parseSeed } from './lib/seed.js';
import { model, showError } from './loading.js';
import { CAPTIONERS, MODELS, chips, choice } from './models.js';

/** Who describes what painters of a data set draw, by what they learned from. @type {Record<string, string>} */
const DESCRIBED_BY = { scenes: 'scenes', folder: 'photos' };
const TAKES = 4;
/** Captions of the paper's figures, offered with painters that know their words. */
const OWN = ['a stop sign is flying in blue skies', 'a toilet seat sits open in the grass field', 'a herd of elephants walking across a dry grass field'];

/** @template {HTMLElement} T @param {string} id @returns {T} */
const el = (id) => /** @type {T} */ (document.getElementById(id));
const field = /** @type {HTMLInputElement} */ (el('caption'));
const select = /** @type {HTMLSelectElement} */ (el('painter'));
const query = new URLSearchParams(location.search);
const captionerOf = (/** @type {string} */ data) => CAPTIONERS.find((one) => one.data === DESCRIBED_BY[data]);
const PAINTERS = MODELS.filter(({ data }) => captionerOf(data));

/** @type {bigint} of the first drawing; the others follow it */
let seed = BigInt(parseSeed(query.get('seed') ?? '') ?? 1);
/** @type {AbortController | undefined} */
let running;

/** Places for the drawings, and what is said of each. */
function places() {
  const made = Array.from({ length: TAKES }, (_, at) => {
    const [figure, canvas, text] = [document.createElement('figure'), document.createElement('canvas'), document.createElement('figcaption')];
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `Drawing ${at + 1} of ${TAKES}`);
    figure.append(canvas, text);
    return { figure, canvas, text };
  });
  el('pictures').replaceChildren(...made.map(({ figure }) => figure));
  return made;
}

/** Shows of each word of the caption how many sentences have it. @param {string[]} words @param {string[][]} sentences */
function showWords(words, sentences) {
  el('back').replaceChildren(...words.map((word) => {
    const count = sentences.filter((said) => said.includes(word)).length;
    const item = Object.assign(document.createElement('li'), { textContent: word });
    item.classList.toggle('lost', sentences.length > 0 && count === 0);
    const meter = Object.assign(document.createElement('meter'), { min: 0, max: TAKES, value: count });
    meter.setAttribute('aria-label', `“${word}” came back`);
    item.append(meter, Object.assign(document.createElement('span'), { className: 'count', textContent: sentences.length ? `${count} of ${sentences.length}` : '' }));
    return item;
  }));
}

/** Writes a sentence with the caption's words marked. @param {HTMLElement} text @param {string[]} said @param {string[]} words */
function showSentence(text, said, words) {
  text.replaceChildren(...said.flatMap((word) => [words.includes(word) ? Object.assign(document.createElement('mark'), { textContent: word }) : word, ' ']));
}

/** Draws the caption, and describes what was drawn. */
async function go() {
  running?.abort();
  const { signal } = (running = new AbortController());
  const [painterName, caption] = [select.value, field.value.trim()];
  history.replaceState(null, '', `?${new URLSearchParams({ model: painterName, caption, seed: String(seed) })}`);
  delete document.documentElement.dataset.back;
  el('error').hidden = true;
  try {
    const painter = await model(painterName, 'cpu');
    const begun = performance.now();
    const words = [...new Set(await painter.words(caption))].filter((word) => word && word !== painter.info.fullStop);
    if (signal.aborted) return;
    const shown = places();
    showWords(words, []);
    el('status').textContent = 'Drawing';
    const seeds = shown.map((_, at) => seed + BigInt(at));
    /** @type {import('./lib/aligndraw.js').Frame[]} */
    let last = [];
    for await (const frames of painter.drawMany(caption, { seeds, signal })) {
      last = frames;
      frames.forEach((frame, at) => paint(shown[at].canvas, frame.pixels ?? frame.image, painter.info));
    }
    const drawn = performance.now();
    const captioner = await model(/** @type {{name: string}} */ (captionerOf(choice(painterName).data)).name, 'cpu');
    const loading = performance.now() - drawn;
    /** @type {string[][]} */
    const sentences = [];
    for (const [at, frame] of last.entries()) {
      el('status').textContent = `Describing drawing ${at + 1} of ${TAKES}`;
      const found = await captioner.describe(bitmap(frame.pixels ?? frame.image, painter.info), { signal });
      if (signal.aborted) return;
      const said = found.sentences[0].words.map(({ text }) => text);
      sentences.push(said);
      showSentence(shown[at].text, said, words);
      showWords(words, sentences);
    }
    const back = words.filter((word) => sentences.every((said) => said.includes(word))).length;
    el('status').textContent = `Drawn and described on the CPU in ${((performance.now() - begun - loading) / 1000).toFixed(1)} s, seeds ${seeds[0]} to ${seeds[TAKES - 1]}`;
    el('live').textContent = `${back} of ${words.length} words came back every time. ${sentences.map((said) => said.join(' ')).join('. ')}`;
    document.documentElement.dataset.back = `${painterName} ${seed}`;
  } catch (error) {
    if (!signal.aborted) showError(error);
  }
}

/** Offers the captions of a painter. @param {string} name @param {string} [caption] */
function choose(name, caption) {
  const entry = choice(name);
  select.value = entry.name;
  field.value = caption ?? entry.caption;
  const take = (/** @type {string} */ text) => {
    field.value = text;
    go();
  };
  el('chips').replaceChildren(...chips(entry, take));
  const known = new Set(entry.groups.flatMap((group) => group.captions));
  el('own').replaceChildren(...OWN.filter((text) => known.has(text)).map((text) => {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
    button.addEventListener('click', () => take(text));
    return button;
  }));
}

for (const { name, title } of PAINTERS) select.append(new Option(title, name));
select.addEventListener('change', () => {
  const before = DESCRIBED_BY[choice(select.dataset.was ?? '').data];
  // Painters of the same pictures draw the caption that stands.
  choose(select.value, before === DESCRIBED_BY[choice(select.value).data] ? field.value : undefined);
  select.dataset.was = select.value;
  go();
});
el('form').addEventListener('submit', (event) => {
  event.preventDefault();
  go();
});
el('dice').addEventListener('click', () => {
  seed = BigInt(Math.floor(Math.random() * 2 ** 32));
  go();
});
const asked = PAINTERS.find(({ name }) => name === query.get('model')) ?? PAINTERS[0];
choose(asked.name, query.get('caption') ?? undefined);
select.dataset.was = asked.name;
go();
