// @ts-check
/**
 * With a caption in its address, the bare drawing for a frame; without, the page that explains embedding.
 *
 * Messages of the frame to the page around it, all `{source: 'align-draw', type, …}`:
 *   {type: 'ready'} · {type: 'size', width, height} · {type: 'frame', step, numSteps} · {type: 'done', caption, seed}
 *   {type: 'error', message}
 * Messages that it takes from that page:
 *   {target: 'align-draw', type: 'draw', caption, seed} · {target: 'align-draw', type: 'pause'} ·
 *   {target: 'align-draw', type: 'seek', step}
 */

import { parseSeed } from './lib/seed.js';
import { elementSnippet, frameSnippet } from './snippets.js';

/** @typedef {import('./lib/align-draw.js').AlignDrawElement} AlignDrawElement */

/** Attributes without a value. */
const SWITCHES = ['words', 'controls', 'editable', 'loop'];
const query = new URLSearchParams(location.search);
if (query.has('caption')) frame();
else showOptions();

function frame() {
  const element = /** @type {any} */ (document.createElement('align-draw'));
  for (const name of ['caption', 'seed', 'model', 'device', 'autoplay', 'poster', 'loop', 'controls', 'editable', 'words', 'temperature', 'layout']) {
    const value = query.get(name);
    if (value !== null) element.setAttribute(name, value);
  }
  document.body.className = 'frame';
  document.body.replaceChildren(element);
  const post = (/** @type {object} */ message) => parent.postMessage({ source: 'align-draw', ...message }, '*');
  element.addEventListener('ready', () => post({ type: 'ready' }));
  element.addEventListener('frame', (/** @type {CustomEvent} */ { detail }) => post({ type: 'frame', step: detail.step, numSteps: detail.numSteps }));
  element.addEventListener('done', () => post({ type: 'done', caption: element.caption, seed: element.seed }));
  element.addEventListener('error', (/** @type {CustomEvent} */ { detail }) => post({ type: 'error', message: detail.message }));
  new ResizeObserver(() => post({ type: 'size', width: element.offsetWidth, height: element.offsetHeight })).observe(element);
  addEventListener('message', ({ source, data }) => {
    if (source !== parent || data?.target !== 'align-draw') return;
    if (data.type === 'pause') element.pause();
    if (data.type === 'seek' && Number.isFinite(data.step)) element.seek(data.step);
    if (data.type !== 'draw') return;
    if (typeof data.caption === 'string') element.caption = data.caption;
    if (parseSeed(data.seed) !== null) element.seed = data.seed;
    element.draw().catch(() => {});
  });
}

async function showOptions() {
  const { MODELS, choice } = await import('./models.js');
  const form = /** @type {HTMLFormElement} */ (document.getElementById('options'));
  const example = /** @type {any} */ (document.getElementById('example'));
  const field = (/** @type {string} */ name) => /** @type {any} */ (form.elements.namedItem(name));
  field('model').replaceChildren(...MODELS.map(({ name, title }) => new Option(title, name)));
  Object.assign(field('caption'), { value: MODELS[0].caption });
  Object.assign(field('seed'), { value: '42' });
  Object.assign(field('size'), { value: '320' });
  for (const name of ['words', 'controls']) field(name).checked = true;

  const update = () => {
    const switches = SWITCHES.filter((name) => field(name).checked);
    const caption = field('caption').value;
    const seed = parseSeed(field('seed').value) ?? 0n;
    const size = Math.max(80, Number(field('size').value) || 320);
    const autoplay = field('autoplay').value;
    const model = field('model').value;
    if (example.caption !== caption) example.caption = caption;
    if (example.model !== model) example.model = model;
    if (example.getAttribute('seed') !== String(seed)) example.seed = seed;
    for (const name of SWITCHES) example[name] = field(name).checked;
    const options = { caption, seed, model, autoplay, switches, size };
    show('element', elementSnippet(options));
    show('frame', frameSnippet(options));
  };
  const show = (/** @type {string} */ id, /** @type {string} */ text) => {
    /** @type {HTMLElement} */ (document.getElementById(id)).textContent = text;
  };
  field('model').addEventListener('input', () => {
    const { caption, seed } = choice(field('model').value);
    Object.assign(field('caption'), { value: caption });
    Object.assign(field('seed'), { value: String(seed) });
  });
  form.addEventListener('input', update);
  form.addEventListener('submit', (event) => event.preventDefault());
  for (const button of document.querySelectorAll('[data-copy]')) {
    button.addEventListener('click', async () => {
      const code = /** @type {HTMLElement} */ (document.getElementById(/** @type {HTMLElement} */ (button).dataset.copy ?? ''));
      const copied = await navigator.clipboard.writeText(code.textContent ?? '').then(() => true, () => false);
      if (!copied) getSelection()?.selectAllChildren(code);
      show('live', copied ? 'Copied' : 'Selected: press Ctrl+C');
      button.textContent = copied ? 'Copied' : 'Selected';
      setTimeout(() => (button.textContent = 'Copy'), 1600);
    });
  }
  update();
}
