// @ts-check
/** The page: connects the caption box, the drawing, the player and the link. */

import { load } from './lib/aligndraw.js';
import { AttentionView } from './attention-view.js';
import { showBadge } from './badge.js';
import { CaptionBox } from './caption.js';
import { Compare } from './compare.js';
import { FrameEditor } from './frame-editor.js';
import { listenForKeys } from './keys.js';
import { readLink, writeLink } from './link.js';
import { formatFrames, parseFrames } from './lib/frames.js';
import { MOST_SEED, parseSeed, plainSeed } from './lib/seed.js';
import { paint, placeWindow } from './lib/picture.js';
import { Player } from './lib/player.js';
import { showPanels } from './panels.js';
import { TemperatureSlider } from './temperature.js';
import { MODELS, chips, choice } from './models.js';
import { SampleButtons } from './samples.js';
import { SaveMenu } from './save-menu.js';
import { SharpeningSwitch } from './sharpening.js';
import { Strip } from './strip.js';
import { Variants } from './variants.js';

/** @typedef {import('./lib/aligndraw.js').Frame} Frame */

const SAMPLES = 4;
/** Milliseconds without typing after which a new caption is drawn. */
const PAUSE = 220;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const el = (id) => /** @type {T} */ (document.getElementById(id));
/** @type {HTMLCanvasElement} */
const canvas = el('canvas');
/** @type {HTMLInputElement} */
const slider = el('step');
/** @type {HTMLInputElement} */
const seedBox = el('seed');
/** @type {HTMLProgressElement} */
const bar = el('loading-bar');

/** @type {HTMLSelectElement} */
const modelBox = el('model');
/** @type {HTMLInputElement} */
const branchCaption = el('branch-caption');
/** @type {HTMLInputElement} */
const branchSeed = el('branch-seed');

const link = readLink();
let chosenModel = link.model ?? MODELS[0].name;
/** @type {import('./lib/aligndraw.js').AlignDraw | undefined} */
let model;
/** @type {AbortController | undefined} */
let drawing;
/** Frames of the samples, by sample then step. @type {Frame[][]} */
let samples = [];
/** @type {string[]} */
let words = [];
/** Those words with their places in the caption. @type {{words: string[], spans: [number, number][]}} */
let tokens = { words: [], spans: [] };
let chosen = 0;
let seed = link.seed ?? BigInt(choice(chosenModel).seed);
let timing = '';
/** What can be branched from. @type {import('./lib/aligndraw.js').Kept | null} */
let kept = null;
/** The branch of the link, until it is drawn. */
let linkBranch = link.branch;
/** The moved frames of the link, until they are drawn. */
let linkFrames = link.frames;
/** The temperature of the link, until a model is loaded. */
let linkTemperature = link.temperature;
/** Whether the link asks for sharper pictures, until a model is loaded. @type {boolean | undefined} */
let linkSharpen = link.sharpen;
/** The caption that the moved frames belong to. @type {string | null} */
let frameCaption = null;

const caption = new CaptionBox(
  { input: el('caption'), marks: el('marks'), suggestions: el('suggestions'), hint: el('hint'), known: el('known') },
  () => later(),
);
const player = new Player(show);
const strip = new Strip(el('strip'), (step) => player.seek(step));
const compare = new Compare({
  section: el('compare'), title: el('compare-title'), left: el('compare-left'), right: el('compare-right'),
  difference: el('difference'), amount: el('compare-amount'), moved: el('compare-moved'),
});
const variants = new Variants(compare, el('choices'), {
  shown: () => (model ? { model, caption: caption.value, seed: seedOf(chosen), words, frames: samples[chosen], picture: chosen, drawing: kept } : null),
  onFrame: () => model && compare.show(player.step, model.info),
  showError: (error) => showError(error, () => {}),
  onBranch: (branch) => writeLink({ ...picture(), branch }),
});
const attentionView = new AttentionView(el('words'), el('heat'), {
  onSeek: (step) => player.seek(step),
  canFlip: (word) => caption.alternatives(word).length > 0,
  onPoint: (at) => frameEditor.highlight(at),
  onWord: (at, word) =>
    variants.showAlternatives(word, caption.alternatives(word), (other) => variants.flip(`“${word}” becomes “${other}”`, CaptionBox.withReplaced(branchCaption.value, tokens.spans[at], other))),
});

const frameEditor = new FrameEditor(el('frames'), el('frames-reset'), { onMove: () => draw({ moving: true }) });
const sampleButtons = new SampleButtons(el('samples'), SAMPLES, (i) => {
  chosen = i;
  variants.end();
  labelSamples();
  player.go(player.step);
});
const temperature = new TemperatureSlider(el('temperature'), () => later());
const sharpening = new SharpeningSwitch(el('sharpen'), async () => {
  writeLink(picture());
  // A drawing that is under way ends as the switch says then.
  if (document.documentElement.dataset.drawn) await sharpening.finish(samples, caption.value).then(repaint, (error) => showError(error, start));
});

/** The seed of a sample. @param {number} sample */
const seedOf = (sample) => BigInt.asUintN(64, seed + BigInt(sample));

/** What is drawn, for its link. */
const picture = () => ({ model: chosenModel, caption: caption.value, seed, frames: frameEditor.moved, temperature: temperature.value, sharpen: sharpening.on });

/** @param {string} text */
const announce = (text) => (el('live').textContent = text);

/** Shows a note below the caption, and announces it to screen readers. @param {string} text */
function showNote(text) {
  caption.showNote(text);
  announce(text);
}

/** Draws after a pause in typing; every call ends the drawing in flight. */
let timer = 0;
function later() {
  clearTimeout(timer);
  drawing?.abort();
  timer = setTimeout(draw, PAUSE);
}

/** @param {unknown} error @param {() => void} again */
function showError(error, again) {
  const { message } = /** @type {Error} */ (error);
  el('error').hidden = false;
  el('error-text').textContent = message;
  el('retry').onclick = () => {
    el('error').hidden = true;
    again();
  };
}

/**
 * Draws the caption in the box with the seed in the box, four samples at once.
 * @param {{moving?: boolean}} [how] while a frame is moved the finished pictures change in their places
 */
async function draw({ moving = false } = {}) {
  clearTimeout(timer);
  drawing?.abort();
  if (!model) return;
  const controller = new AbortController();
  drawing = controller;
  const text = caption.value;
  try {
    tokens = await model.tokens(text);
    words = tokens.words;
  } catch (error) {
    const problem = /** @type {any} */ (error);
    return problem.code === 'lost' ? showError(error, start) : caption.showProblem(problem);
  }
  if (controller.signal.aborted) return;
  caption.showProblem(null);
  el('error').hidden = true;
  const { numSteps } = model.info;
  kept = null;
  variants.end();
  branchCaption.value = text;
  /** @type {Frame[][]} */
  const drawn = Array.from({ length: SAMPLES }, () => []);
  if (!moving) {
    // Frames belong to a caption: another one is drawn where it says.
    frameEditor.begin(words, text === frameCaption ? frameEditor.moved : linkFrames);
    [frameCaption, linkFrames] = [text, {}];
    samples = drawn;
    slider.max = String(numSteps);
    attentionView.begin(words, numSteps);
    strip.begin(numSteps);
    player.begin(numSteps);
  }
  writeLink({ ...picture(), branch: linkBranch });
  document.documentElement.dataset.drawn = '';
  const seeds = drawn.map((_, i) => seedOf(i));
  try {
    const options = { seeds, signal: controller.signal, keep: true, onDone, frames: frameEditor.moved, temperature: temperature.value };
    for await (const frames of model.drawMany(text, options)) {
      frames.forEach((frame, i) => drawn[i].push(frame));
      if (!moving) player.arrive(frames[0].step);
    }
    await sharpening.finish(drawn, text, controller.signal);
    samples = drawn;
    repaint();
    if (moving) player.seek(numSteps);
  } catch (error) {
    if (controller.signal.aborted) return;
    if (!moving) player.seek(0);
    const problem = /** @type {any} */ (error);
    return problem.code === 'undrawable' ? caption.showProblem(problem) : showError(error, start);
  }
  document.documentElement.dataset.drawn = `${text}|${seed}`;
  announce(`Drawn: ${text}`);
  const heldOut = await model.isHeldOut(text).catch(() => false);
  if (heldOut && !controller.signal.aborted) caption.showNote('This combination was held out of training: the model never saw it.');
  if (linkBranch) {
    const branch = linkBranch;
    linkBranch = null;
    await variants.branch({ ...branch, step: Math.min(branch.step, numSteps - 1) });
  }
}

/** @param {import('./lib/aligndraw.js').Done} done */
function onDone({ milliseconds, drawing }) {
  kept = drawing;
  timing = `${milliseconds.toFixed(0)} ms for four`;
  badge();
}

const badge = () => model && showBadge(el('badge'), model.state, timing);

/** Shows a step of the samples. @param {number} step @param {boolean} playing */
function show(step, playing) {
  if (!model) return;
  const { info } = model;
  const frames = samples[chosen] ?? [];
  const frame = frames[step - 1];
  paint(canvas, frame?.pixels ?? frame?.image ?? null, info);
  placeWindow(el('window'), step > 0 && step < player.total ? frame : null, info);
  frameEditor.show(frames, step, info, step === player.total);
  attentionView.show(frames, step);
  strip.show(frames, step, info);
  compare.show(step, info);
  el('branch-step').textContent = String(step);
  sampleButtons.show((i) => samples[i]?.[step - 1], info);
  slider.value = String(step);
  const attended = frame?.alignment ? `, most attention on “${words[frame.alignment.indexOf(Math.max(...frame.alignment))]}”` : '';
  slider.setAttribute('aria-valuetext', frame ? `step ${step} of ${player.total}${attended}` : 'empty canvas');
  el('step-text').textContent = `${step} / ${player.total}`;
  el('play').textContent = playing ? '❚❚' : '▶';
  el('play').setAttribute('aria-label', playing ? 'Pause' : 'Play');
  canvas.setAttribute('aria-label', frame ? `Drawing${caption.value && ` of “${caption.value}”`}, step ${step} of ${player.total}` : 'Empty canvas');
}

function repaint() {
  strip.invalidate();
  player.go(player.step);
}

function labelSamples() {
  seedBox.value = String(seed);
  branchSeed.value = String(seedOf(chosen + 1));
  sampleButtons.label(seedOf, chosen);
}

/** @param {bigint} value */
function setSeed(value) {
  seed = value;
  chosen = 0;
  labelSamples();
  draw();
}

const randomSeed = () => setSeed(BigInt(Math.floor(Math.random() * 1e6)));

/** Loads the model; on failure says why and offers to try again. */
async function start() {
  model?.dispose();
  model = undefined;
  document.documentElement.dataset.drawn = '';
  el('loading').hidden = false;
  el('error').hidden = true;
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);
  try {
    model = await load({
      model: chosenModel,
      device: link.device,
      onProgress({ loaded, total, from }) {
        bar.value = total ? loaded / total : 0;
        el('loading-text').textContent = `${from === 'cache' ? 'From this browser’s cache' : 'Loading the model'}: ${megabytes(loaded)} of ${megabytes(total)} MB`;
      },
      onDevice: () => badge(),
    });
  } catch (error) {
    el('loading-text').textContent = 'Nothing can be drawn yet';
    bar.hidden = true;
    return showError(error, () => {
      bar.hidden = false;
      start();
    });
  }
  el('loading').hidden = true;
  caption.setVocabulary(model.info);
  temperature.begin(model.info.temperature, linkTemperature);
  linkTemperature = undefined;
  sharpening.begin(choice(chosenModel), linkSharpen);
  linkSharpen = undefined;
  showPanels(model.info);
  if (!model.info.words.length) caption.value = '';
  el('model-note').textContent = choice(chosenModel).note;
  el('chips').replaceChildren(...chips(choice(chosenModel), drawCaption));
  badge();
  await draw();
}

/** Switches to a model and draws a caption with it. @param {string} name @param {string} text @param {bigint} from the seed */
async function switchTo(name, text, from) {
  const same = name === chosenModel && model;
  chosenModel = modelBox.value = name;
  drawing?.abort();
  variants.end();
  [caption.value, seed, chosen] = [text, from, 0];
  labelSamples();
  await (same ? draw() : start());
}

/** Draws again what a saved picture was drawn from. @param {import('./lib/metadata.js').Drawn} drawn */
async function open(drawn) {
  const known = MODELS.some(({ name }) => name === drawn.model);
  if (!known) return showNote(`That picture was drawn by the model “${drawn.model}”, which this page does not have.`);
  [linkFrames, frameCaption, linkTemperature, linkSharpen] = [parseFrames(drawn.frames), null, drawn.temperature, drawn.sharpen ?? false];
  if (model && drawn.model === chosenModel) {
    temperature.begin(model.info.temperature, drawn.temperature);
    sharpening.begin(choice(chosenModel), linkSharpen);
    [linkTemperature, linkSharpen] = [undefined, undefined];
  }
  await switchTo(drawn.model, drawn.caption, BigInt(drawn.seed));
  if (drawn.step) player.seek(drawn.step);
  if (model && drawn.sha256 !== model.info.sha256) caption.showNote('That picture was drawn by other weights of this model: this one differs.');
}

/** What is shown, for the save menu. */
function shown() {
  const frames = samples[chosen];
  if (!model || frames?.length !== model.info.numSteps) return null;
  const moved = formatFrames(frameEditor.moved);
  const drawn = {
    caption: caption.value, seed: plainSeed(seedOf(chosen)), model: chosenModel, sha256: model.info.sha256,
    ...(moved && { frames: moved }), ...(temperature.value !== undefined && { temperature: temperature.value }), ...(sharpening.on && { sharpen: true }),
  };
  return { drawing: { frames, size: model.info, drawn }, step: player.step, link: writeLink({ ...picture(), seed: seedOf(chosen) }) };
}

/** Puts a caption into the box and draws it. @param {string} text */
function drawCaption(text) {
  caption.value = text;
  draw();
}

modelBox.replaceChildren(...MODELS.map(({ name, title }) => new Option(title, name, false, name === chosenModel)));
modelBox.addEventListener('change', () => {
  const { name, caption, seed } = choice(modelBox.value);
  switchTo(name, caption, BigInt(seed));
});
el('compare-close').addEventListener('click', () => variants.end());
el('branch').addEventListener('submit', (event) => {
  event.preventDefault();
  const value = parseSeed(branchSeed.value);
  if (value === null) return announce(`A seed is a whole number from 0 to ${MOST_SEED}`);
  if (player.step === player.total) return announce('Go to an earlier step first: nothing follows the last one');
  player.seek(player.step);
  variants.branch({ step: player.step, caption: branchCaption.value, seed: value });
});
el('form').addEventListener('submit', (event) => {
  event.preventDefault();
  draw();
});
slider.addEventListener('input', () => player.seek(Number(slider.value)));
el('back').addEventListener('click', () => player.seek(player.step - 1));
el('forward').addEventListener('click', () => player.seek(player.step + 1));
el('play').addEventListener('click', () => player.toggle());
el('dice').addEventListener('click', randomSeed);
new SaveMenu(el('save-menu'), { shown, open, showNote });
seedBox.addEventListener('change', () => {
  const value = parseSeed(seedBox.value);
  if (value === null) {
    announce(`A seed is a whole number from 0 to ${MOST_SEED}`);
    labelSamples();
  } else setSeed(value);
});
listenForKeys({
  ' ': () => player.toggle(),
  ArrowLeft: () => player.seek(player.step - 1),
  ArrowRight: () => player.seek(player.step + 1),
  d: randomSeed,
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
new ResizeObserver(repaint).observe(canvas);

labelSamples();
caption.value = link.caption ?? choice(chosenModel).caption;
// Other tools (and the tests) reach the model of the page here.
Object.defineProperty(window, 'aligndraw', { get: () => model });
navigator.serviceWorker?.register('sw.js').catch(() => {
  // Without a service worker the page works, but not offline.
});
start();
