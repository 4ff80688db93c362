// Sharpening: the same pictures as natively, the switch of the page, the painters and the gallery, what it refuses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawn, openPage, paintNatively } from './harness.mjs';
import { served } from './served.mjs';

const CAPTION = 'a dog is running through the grass';
const address = `?${new URLSearchParams({ model: 'photos', caption: CAPTION, seed: '3' })}`;
const { server, browser } = await served();

const open = async (path) => openPage(await browser.newContext({ reducedMotion: 'reduce' }), new URL(path, server.url).href);
/** The pixels of the large picture, at the end of the drawing. */
const shown = async (page) => {
  await page.locator('#step').fill('999');
  return page.locator('#canvas').evaluate((canvas) => canvas.toDataURL());
};

test('a picture is sharpened as natively', async () => {
  const page = await open('gallery.html');
  const found = await page.evaluate(async (caption) => {
    const [{ load }, { sharpen }] = [await import('./lib/aligndraw.js'), await import('./lib/sharpen.js')];
    const [painter, lapgan] = await Promise.all(['photos', 'lapgan-photos'].map((model) => load({ model, device: 'cpu' })));
    let last;
    for await (const frame of painter.draw(caption, { seed: 3 })) last = frame;
    const sharp = await sharpen(lapgan, caption, last);
    const refused = async (/** @type {any} */ model, /** @type {any} */ frame, words = caption) => (await sharpen(model, words, frame).catch((error) => error)).message;
    const messages = [await refused(painter, last), await refused(lapgan, { ...last, image: new Float32Array(64) }), await refused(lapgan, { ...last, image: new Float32Array() }), await refused(lapgan, last, 'a qqq')];
    const { step, alignment } = sharp;
    return { before: [...last.image], image: [...sharp.image], pixels: sharp.pixels ?? null, step, words: alignment.length, messages };
  }, CAPTION);
  const [plain, native] = [[], ['--sharpen', 'lapgan-photos']].map((more) => paintNatively(CAPTION, 3, 'photos', more).frames.at(-1).image);
  const worst = (a, b) => a.reduce((most, x, at) => Math.max(most, Math.abs(x - b[at])), 0);
  assert.ok(worst(found.before, plain) < 1e-4);
  assert.ok(worst(found.image, native) < 1e-4, String(worst(found.image, native)));
  assert.ok(worst(plain, native) > 0.01, 'sharpening changes the picture');
  assert.equal(found.pixels, null, 'those from before are gone: it is painted from its numbers');
  assert.equal(found.words, 7);
  assert.equal(found.step, paintNatively(CAPTION, 3, 'photos').frames.length);
  const [painter, size, none, word] = found.messages;
  assert.match(painter, /photos does not sharpen pictures: lapgan-photos does/);
  for (const refusal of [size, none]) assert.match(refusal, /pictures of 3×32×32 are sharpened, these are others/);
  assert.match(word, /qqq/);
});

test('the switch shows sharper pictures and finds the others again; link and file carry it', async () => {
  const page = await open(address);
  await drawn(page, CAPTION);
  const before = await shown(page);
  await page.locator('#sharpen input').check();
  await page.waitForFunction((before) => document.querySelector('#canvas').toDataURL() !== before, before);
  const sharp = await shown(page);
  assert.equal(new URL(page.url()).searchParams.get('sharpen'), '1');
  await page.locator('#sharpen input').uncheck();
  await page.waitForFunction((before) => document.querySelector('#canvas').toDataURL() === before, before);
  assert.equal(new URL(page.url()).searchParams.get('sharpen'), null);
  const again = await open(`${address}&sharpen=1&temperature=0.25`);
  await drawn(again, CAPTION);
  assert.ok(await again.locator('#sharpen input').isChecked());
  const [download] = await Promise.all([again.waitForEvent('download'), again.locator('[data-save=png]').click()]);
  await page.locator('#save-menu input[type=file]').setInputFiles(await download.path());
  const expected = await shown(again);
  assert.notEqual(expected, sharp, 'another temperature, another picture');
  // The file says temperature and sharpening.
  await page.waitForFunction((expected) => document.querySelector('#canvas').toDataURL() === expected, expected);
  assert.ok(await page.locator('#sharpen input').isChecked());
  await page.locator('#model').selectOption('digits');
  await page.locator('#sharpen').waitFor({ state: 'hidden' });
  await drawn(page, 'the digit');
  assert.equal(new URL(page.url()).searchParams.get('sharpen'), null);
  assert.deepEqual([...page.problems, ...again.problems], []);
});

test('all painters of photos are sharpened but the one that does it', async () => {
  const page = await open('painters.html?kind=folder&seed=2&sharpen=1');
  await page.waitForFunction(() => document.documentElement.dataset.drawn?.startsWith('folder'), undefined, { timeout: 120_000 });
  const texts = await page.locator('#painters figure').evaluateAll((figures) => figures.map(({ textContent }) => textContent));
  for (const text of texts) assert.equal(/then sharpened/.test(text), !/LAPGAN/.test(text), text);
  await page.getByLabel('Digits').check();
  await page.locator('#sharpen').waitFor({ state: 'hidden' });
  assert.deepEqual(page.problems, []);
});
