// Made-up input for what JavaScript decodes: PNGs that say what they were drawn from, and frames from the worker.
// Cases of each kind: ALIGNDRAW_FUZZ_CASES, 300 where it is not set; seeds count from 1, and a failure names its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromPng, intoGif, intoPng, webmTag } from '../../www/lib/metadata.js';
import { describe as described, unpack } from '../../www/lib/protocol.js';
import { MOST_SEED } from '../../www/lib/seed.js';

const CASES = Number(process.env.ALIGNDRAW_FUZZ_CASES ?? 300);
/** A PNG of one white pixel. */
const PNG = Uint8Array.from(Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEANl9ngAAAAABJRU5ErkJggg==', 'base64'));

/** Numbers in [0, 1) from a seed: SplitMix32. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Runs a property for each case; its failure names the seed that repeats it. */
function forAll(property) {
  for (let seed = 1; seed <= CASES; seed += 1) {
    const next = generator(seed);
    const below = (most) => Math.floor(next() * most);
    const pick = (list) => list[below(list.length)];
    try {
      property({ next, below, pick });
    } catch (error) {
      throw new Error(`seed ${seed}: ${error.stack}`);
    }
  }
}

const LETTERS = ['a', 'digit', ' ', '"', '\\', '\0', '\u{1f415}', 'é', '\ud800', '<', '\n', '.', '7'];
const text = ({ below, pick }, most = 40) => Array.from({ length: below(most) }, () => pick(LETTERS)).join('');
/** A value as JSON may hold it. */
function value(random, depth = 2) {
  const { below, pick } = random;
  const kinds = [() => null, () => below(2) === 1, () => below(1e6) - 5e5, () => random.next() * 1e30, () => text(random)];
  if (depth > 0) kinds.push(() => Array.from({ length: below(4) }, () => value(random, depth - 1)), () => Object.fromEntries(Array.from({ length: below(4) }, () => [text(random, 4), value(random, depth - 1)])));
  return pick(kinds)();
}

test('what a picture was drawn from is read as it was written', () =>
  forAll((random) => {
    const seed = random.pick([random.below(1e9), MOST_SEED - BigInt(random.below(1e9))]);
    const drawn = { caption: text(random).toWellFormed(), seed, model: text(random, 4).toWellFormed(), sha256: text(random, 4).toWellFormed() };
    if (random.below(2)) drawn.step = 1 + random.below(32);
    if (random.below(2)) drawn.frames = '2:0.7,0.3,0.3';
    if (random.below(2)) drawn.temperature = random.below(41) / 20;
    if (random.below(2)) drawn.sharpen = random.below(2) === 1;
    assert.deepEqual(fromPng(intoPng(PNG, drawn)), drawn);
    assert.ok(intoGif(PNG, drawn).length > PNG.length && webmTag(drawn).length > 0);
  }));

test('any chunk of ours holds a drawing, or is passed over', () =>
  forAll((random) => {
    const drawn = Object.fromEntries(['caption', 'seed', 'model', 'sha256', 'frames', 'temperature', 'sharpen', 'step'].filter(() => random.below(8)).map((name) => [name, value(random)]));
    checkDrawn(fromPng(intoPng(PNG, random.below(4) ? drawn : value(random))));
  }));

test('damaged files are read to their end or passed over', () =>
  forAll((random) => {
    let png = intoPng(PNG, { caption: text(random), seed: random.below(1e9), model: 'digits', sha256: 'ab' });
    for (let fault = 0; fault <= random.below(4); fault += 1) {
      const at = random.below(png.length + 1);
      const faults = [
        () => png.with(Math.min(at, png.length - 1), random.below(256)),
        () => png.slice(0, at),
        () => Uint8Array.from([...png.slice(0, at), ...png.slice(random.below(png.length + 1))]),
        // The length of a chunk.
        () => (png.length > 12 ? png.with(8 + random.below(4), random.below(256)) : png),
      ];
      if (png.length) png = random.pick(faults)();
    }
    checkDrawn(fromPng(png));
  }));

function checkDrawn(drawn) {
  if (drawn === null) return;
  const { caption, seed, model, sha256, frames = '', temperature = 1, sharpen = false, step, ...more } = drawn;
  assert.deepEqual(Object.keys(more), []);
  for (const part of [caption, model, sha256, frames]) assert.equal(typeof part, 'string');
  assert.ok(['number', 'bigint'].includes(typeof seed) && seed >= 0 && seed <= MOST_SEED);
  assert.ok(temperature >= 0 && temperature <= 2 && typeof sharpen === 'boolean');
  assert.ok(step === undefined || (Number.isSafeInteger(step) && step > 0));
}

test('frames are unpacked whole, and numbers that are none are refused', () =>
  forAll((random) => {
    const shows = { attention: random.below(2) === 1, window: random.below(2) === 1, branch: false };
    const info = { width: 1 + random.below(6), height: 1 + random.below(6), channels: random.pick([1, 3]), numSteps: 9, shows };
    const [seeds, words] = [1 + random.below(4), shows.attention ? random.below(5) : 0];
    const image = info.width * info.height * info.channels;
    const each = (shows.window ? 9 : 0) + words + image;
    const numbers = Float32Array.from({ length: seeds * each }, () => random.next());
    const frames = unpack({ numbers, images: [] }, seeds, 3, info);
    assert.equal(frames.length, seeds);
    const back = frames.flatMap(({ window, alignment, image }) => [...(window ? Object.values(window) : []), ...(alignment ?? []), ...image]);
    assert.deepEqual(back, [...numbers]);
    for (const { window, alignment } of frames) assert.deepEqual([Boolean(window), alignment?.length], [shows.window, shows.attention ? words : undefined]);
    // Of another length: frames of the image's size, or an error.
    const other = new Float32Array(random.below(3 * seeds * each));
    try {
      const found = unpack({ numbers: other, images: [] }, seeds, 3, info);
      for (const frame of found) assert.equal(frame.image.length, image);
      assert.equal(found.reduce((sum, { window, alignment }) => sum + (window ? 9 : 0) + (alignment?.length ?? 0) + image, 0), other.length);
    } catch (error) {
      assert.equal(error.code, 'failed', error.stack);
    }
  }));

test('anything that is thrown can be posted', () =>
  forAll((random) => {
    const thrown = random.pick([() => value(random), () => undefined, () => Object.assign(new Error(text(random)), { code: value(random) })])();
    const { message, code } = described(thrown);
    assert.equal(typeof message, 'string');
    assert.equal(typeof code, 'string');
    structuredClone(described(thrown));
  }));
