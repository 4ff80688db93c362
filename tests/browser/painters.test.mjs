// The page of painters side by side: each draws what it draws natively, errors stay under their own picture.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, paintNatively, startBrowser, startServer } from './harness.mjs';

const DIGITS = 'the digit seven is on the left of the digit two';
/** Painters of digits that are shipped: in frames, by attention, by the mean of the words, by a vector of the sentence. */
const OF_DIGITS = 4;
let server, browser, page;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
  page = await openPage(await browser.newContext({ reducedMotion: 'reduce' }), new URL('painters.html?kind=mnist-captions&seed=5', server.url).href);
});
after(async () => {
  await browser?.close();
  server?.stop();
});

const drawn = (kind) => page.waitForFunction((kind) => document.documentElement.dataset.drawn?.startsWith(kind), kind, { timeout: 60_000 });

test('every painter of digits draws the caption from the link’s seed, as natively', async () => {
  await drawn('mnist-captions 5');
  assert.deepEqual(await page.locator('#painters figcaption p').evaluateAll((texts) => texts.map(({ className }) => className)), Array(OF_DIGITS).fill(''));
  const found = await page.evaluate(async (caption) => {
    const [{ load }, { paint }] = [await import('./lib/aligndraw.js'), await import('./lib/picture.js')];
    const model = await load({ model: 'digits', device: 'cpu' });
    let last;
    for await (const frame of model.draw(caption, { seed: 5 })) last = frame;
    // As wide as the page's own, so that both are scaled alike.
    const [shown, copy] = [document.querySelector('#painters canvas'), document.createElement('canvas')];
    shown.after(copy);
    paint(copy, last.image, model.info);
    // Scaled up, a picture does not cover the step before to the last bit.
    const [pixels, others] = [copy, shown].map((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data);
    const same = pixels.length === others.length && pixels.every((value, at) => Math.abs(value - others[at]) <= 1);
    copy.remove();
    model.dispose();
    return { image: [...last.image], same };
  }, DIGITS);
  assert.ok(found.same, 'the first canvas shows what the first painter draws from this seed');
  const native = paintNatively(DIGITS, 5).frames.at(-1).image;
  assert.ok(found.image.every((value, at) => Math.abs(value - native[at]) < 1e-4));
  assert.equal(new URL(page.url()).searchParams.get('caption'), DIGITS);
  assert.deepEqual(page.problems, []);
});

test('a word that no painter knows is said under each picture, and the next caption is drawn', async () => {
  await page.locator('#caption').fill('the digit zebra');
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await drawn('mnist-captions');
  assert.match(await page.locator('#painters .wrong').first().textContent(), /zebra/);
  assert.equal(await page.locator('#painters .wrong').count(), OF_DIGITS);
  await page.locator('#caption').fill(DIGITS);
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await page.waitForFunction(() => !document.querySelector('#painters .wrong') && document.documentElement.dataset.drawn, undefined, { timeout: 60_000 });
});

test('photos have their table', async () => {
  await page.getByLabel('Photos').check();
  await drawn('folder');
  await page.locator('#numbers').waitFor();
  assert.match(await page.locator('#rows').textContent(), /alignDRAW.*LAPGAN.*words to colours, linear.*by chance/s);
  assert.equal(await page.locator('#painters .wrong').count(), 0);
});
