// Flipping a word, branching from a step, the other model, and the gallery.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { drawInPage, drawn, openPage, paintNatively, startBrowser, startServer, worstDifference } from './harness.mjs';

const SEVEN_TWO = 'the digit seven is on the left of the digit two';
const SEVEN_NINE = 'the digit seven is on the left of the digit nine';
const BUS = 'a yellow school bus parked in a parking lot';
const CPU_TOLERANCE = 1e-4;

/** The pixels of a canvas of the page. */
const pixels = (page, selector) =>
  page.locator(selector).evaluate((canvas) => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]);

describe('variants', () => {
  let server, browser, context, page;
  before(async () => {
    server = await startServer();
    browser = await startBrowser();
    context = await browser.newContext();
    page = await openPage(context, `${server.url}/?model=aligndraw-digits`);
    await drawn(page, SEVEN_TWO);
  });
  after(async () => {
    await browser?.close();
    server?.stop();
  });

  test('a word is flipped: both pictures from one seed, their difference and the attention', async () => {
    await page.locator('#words button', { hasText: /^two$/ }).click();
    await page.locator('#choices button', { hasText: /^nine$/ }).click();
    await page.locator('#compare').waitFor();
    assert.equal(await page.locator('#compare-title').textContent(), '“two” becomes “nine”');
    assert.deepEqual(await page.locator('#compare-right em').allTextContents(), ['nine']);
    await page.locator('#step').fill('32');
    await page.waitForFunction(() => /^\d+\.\d % of full scale differs at step 32$/.test(document.getElementById('compare-amount').textContent));
    assert.doesNotMatch(await page.locator('#compare-amount').textContent(), /^0\.0 %/);
    assert.match(await page.locator('#compare-moved li').first().textContent(), / \d+ % → \d+ %$/);
    const flipped = await pixels(page, '#compare-right canvas');
    assert.notDeepEqual(flipped, await pixels(page, '#compare-left canvas'));
    await page.locator('#caption').fill(SEVEN_NINE);
    await drawn(page, SEVEN_NINE);
    assert.ok(await page.locator('#compare').isHidden(), 'a new caption ends the comparison');
    await page.locator('#caption').fill(SEVEN_TWO);
    await drawn(page, SEVEN_TWO);
  });

  test('a branch shares what came before, and its link draws it again', async () => {
    await page.locator('#step').fill('12');
    await page.locator('#branch-caption').fill(SEVEN_NINE);
    await page.locator('#branch-seed').fill('99');
    await page.locator('#branch button').click();
    await page.waitForFunction(() => location.search.includes('branch=12'));
    await page.locator('#step').fill('12');
    assert.match(await page.locator('#compare-amount').textContent(), /^0\.0 % of full scale differs at step 12/);
    await page.locator('#step').fill('32');
    assert.doesNotMatch(await page.locator('#compare-amount').textContent(), /^0\.0 %/);
    const branch = await pixels(page, '#compare-right canvas');

    const again = await openPage(context, page.url());
    await again.waitForFunction(() => !document.getElementById('compare').hidden);
    await again.waitForFunction(() => document.getElementById('step-text').textContent === '32 / 32');
    await again.waitForFunction(() => / at step 32$/.test(document.getElementById('compare-amount').textContent));
    const redrawn = await pixels(again, '#compare-right canvas');
    assert.equal(redrawn.length, branch.length);
    // A canvas that was read back before scales a picture in software, another on the GPU.
    const worst = redrawn.reduce((most, x, i) => Math.max(most, Math.abs(x - branch[i])), 0);
    assert.ok(worst <= 3, `the link's picture is off by ${worst} of 255`);
    assert.deepEqual(again.problems, []);
    await again.close();
  });

  test('a branch with the same caption and seed is the same picture; one of an old drawing says so', async () => {
    const { same, error } = await page.evaluate(async (caption) => {
      const draw = async (seed) => {
        const frames = [];
        let kept;
        for await (const [frame] of aligndraw.drawMany(caption, { seeds: [seed], keep: true, onDone: ({ drawing }) => (kept = drawing) })) frames.push(frame);
        return { frames, kept };
      };
      const { frames, kept } = await draw(5);
      const tail = [];
      for await (const frame of aligndraw.branch(kept, { step: 20, caption, seed: 5 })) tail.push(frame);
      const same = tail.length === 12 && tail.every((frame, i) => frame.step === 21 + i && frame.image.every((x, j) => x === frames[20 + i].image[j]));
      await draw(1);
      const error = await aligndraw.branch(kept, { step: 20, caption, seed: 5 }).next().then(() => '', ({ code, message }) => `${code}: ${message}`);
      return { same, error };
    }, SEVEN_TWO);
    assert.ok(same);
    assert.match(error, /^gone: that drawing is no longer kept/);
  });

  test('the strip shows every step and leads there', async () => {
    assert.equal(await page.locator('#strip button').count(), 32);
    await page.locator('#strip button').nth(4).click();
    assert.equal(await page.locator('#step-text').textContent(), '5 / 32');
    assert.equal(await page.locator('#strip [aria-current]').getAttribute('aria-label'), 'Step 5');
  });

  test('the colour model fetches the flex engine and draws as it does natively; its example captions can be chosen', async () => {
    const fetched = [];
    const record = (request) => fetched.push(request.url());
    page.on('request', record);
    await page.locator('#model').selectOption('scenes');
    await drawn(page, BUS);
    assert.ok(fetched.some((url) => url.includes('/flex/aligndraw_bg.wasm')), fetched.join('\n'));
    page.off('request', record);
    assert.match(page.url(), /model=scenes/);
    const painted = await drawInPage(page, BUS, 3);
    assert.equal(painted[0].image.length, 3 * 64 * 64);
    const worst = worstDifference(painted, paintNatively(BUS, 3, 'scenes').frames);
    assert.ok(worst <= CPU_TOLERANCE, `off by ${worst}`);
    await page.locator('#examples summary').click();
    const red = 'a red school bus parked in a parking lot';
    await page.locator('#chips button', { hasText: red }).click();
    await drawn(page, red);
    assert.deepEqual(page.problems, []);
  });

  test('the framed digits draw as they do natively, held-out compositions too', async () => {
    await page.locator('#model').selectOption('digits');
    await page.waitForFunction(() => window.aligndraw?.info.name === 'digits');
    await drawn(page, 'the digit seven is on the left of the digit two');
    const heldOut = 'the digit four is on the left of the digit zero';
    const painted = await drawInPage(page, heldOut, 5);
    assert.equal(painted.length, 8);
    const worst = worstDifference(painted, paintNatively(heldOut, 5, 'digits').frames);
    assert.ok(worst <= CPU_TOLERANCE, `off by ${worst}`);
    assert.ok(await page.evaluate((caption) => aligndraw.isHeldOut(caption), heldOut));
    // The word that is being drawn has all of the attention.
    assert.deepEqual(painted.map(({ alignment }) => alignment.indexOf(1)), [2, 2, 2, 2, 10, 10, 10, 10]);
    assert.deepEqual(page.problems, []);
  });

  test('the gallery draws every figure and shows what was measured', async () => {
    const gallery = await openPage(context, `${server.url}/gallery.html`);
    await gallery.waitForFunction(() => document.documentElement.dataset.drawn, null, { timeout: 120_000 });
    assert.equal(await gallery.locator('.row canvas').count(), 78);
    const { bound } = JSON.parse(readFileSync('models/plain-mnist.eval.json', 'utf8')).bound;
    assert.ok((await gallery.locator('.sheets .note').textContent()).includes(`−${Math.abs(bound).toFixed(1)} nats`));
    // Every one of the 64 digits has ink, and no two are the same; what is followed gains ink from column to column.
    const inks = await gallery.locator('.sheets canvas').evaluateAll((canvases) => canvases.map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const paper = Math.max(...data.filter((_, at) => at % 4 === 0));
      const sums = new Array((canvas.width * canvas.height) / 784).fill(0);
      for (let at = 0; at < data.length / 4; at += 1) {
        const [x, y] = [at % canvas.width, Math.floor(at / canvas.width)];
        // By where it lies: two digits may have as much ink.
        sums[8 * Math.floor(y / 28) + Math.floor(x / 28)] += (paper - data[4 * at]) * (1 + (x % 28) + 28 * (y % 28));
      }
      return sums;
    }));
    assert.deepEqual(inks.map((of) => of.length), [64, 32]);
    assert.equal(new Set(inks[0]).size, 64);
    assert.ok(inks[0].every((ink) => ink > 0), 'a digit has no ink');
    assert.deepEqual([7, 15, 23, 31].map((at) => inks[1][at]), inks[0].slice(0, 4), 'what is followed ends as the digit beside it');
    const found = JSON.parse(readFileSync('models/scenes.eval.json', 'utf8'));
    const { right, of } = found.held_out.painted.colour;
    const cells = await gallery.locator('#rows tr', { hasText: 'colour' }).locator('td').allTextContents();
    assert.equal(cells[1], `${((100 * right) / of).toFixed(1)} %`);
    // Photos are drawn once they are scrolled to: none is blank then, no caption leaves all as it was, and five are drawn twice, then sharpened.
    const photos = gallery.locator('.group', { hasText: 'Photos: ' });
    const colours = () => photos.locator('canvas').evaluateAll((canvases) => canvases.map((canvas) => canvas.toDataURL()));
    assert.equal(new Set(await colours()).size, 1, 'nothing is loaded for what nobody sees');
    await photos.first().scrollIntoViewIfNeeded();
    await gallery.waitForFunction(() => /^76 pictures/.test(document.getElementById('status').textContent), null, { timeout: 180_000 });
    assert.equal(new Set(await colours()).size, 25);
    await gallery.locator('.row a').first().click();
    await drawn(gallery, 'a yellow school bus parked in a parking lot');
    assert.deepEqual(gallery.problems, []);
    await gallery.close();
  });
});
