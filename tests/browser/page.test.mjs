// The page as a visitor uses it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { drawInPage, drawn, openPage, paintNatively, startBrowser, startServer, worstDifference } from './harness.mjs';

const SEVEN_TWO = 'the digit seven is on the left of the digit two';
const SEVEN_NINE = 'the digit seven is on the left of the digit nine';
/** Two builds of the same single-precision sums, with and without fused multiply-add. */
const CPU_TOLERANCE = 1e-4;
/** wasm memory that a tab may hold. */
const MOST_MEMORY = 128 * 2 ** 20;

describe('page', () => {
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

  test('draws by itself, with words, map and badge', async () => {
    assert.equal(await page.locator('#words li').count(), 12);
    await page.locator('#step').fill('10');
    const shares = await page.locator('.share').allTextContents();
    const total = shares.reduce((sum, text) => sum + parseInt(text, 10), 0);
    assert.ok(Math.abs(total - 100) <= 6, `shares add up to ${total}`);
    assert.match(await page.locator('#badge').textContent(), /Drawn on the CPU \(.+\), \d+ ms/);
    assert.deepEqual(page.problems, []);
  });

  test('typing a new word draws again, with the same seed', async () => {
    await page.locator('#caption').fill(SEVEN_NINE);
    await drawn(page, SEVEN_NINE);
    assert.match(page.url(), /digit\+nine&seed=7/);
    await page.locator('#caption').fill(SEVEN_TWO);
    await drawn(page, SEVEN_TWO);
  });

  test('an unknown word is marked and a near one offered', async () => {
    await page.locator('#caption').fill('the digit sevn is at the top left of the image');
    await page.locator('#hint strong').waitFor();
    assert.equal(await page.locator('#marks mark').textContent(), 'sevn');
    await page.locator('#hint button', { hasText: /^seven$/ }).click();
    await drawn(page, 'the digit seven is at the top left of the image');
    assert.equal(await page.locator('#caption').getAttribute('aria-invalid'), 'false');
    await page.locator('#caption').fill('');
    await page.waitForFunction(() => document.getElementById('hint').textContent.includes('empty'));
    await page.locator('#caption').fill(SEVEN_TWO);
    await drawn(page, SEVEN_TWO);
  });

  test('what cannot be drawn is said below the caption, as what is wrong with it', async () => {
    const other = await openPage(context, `${server.url}/?model=digits`);
    await drawn(other, SEVEN_TWO);
    await other.locator('#caption').fill('the digit is on the left');
    await other.waitForFunction(() => document.getElementById('hint').textContent.includes('names nothing'));
    assert.ok(await other.locator('#error').isHidden());
    await other.locator('#caption').fill(SEVEN_NINE);
    await drawn(other, SEVEN_NINE);
    assert.equal(await other.locator('#hint').textContent(), '');
    await other.close();
  });

  test('steps can be scrubbed, stepped and played, with the keyboard too', async () => {
    await page.locator('#step').fill('5');
    assert.equal(await page.locator('#step-text').textContent(), '5 / 32');
    await page.locator('#forward').click();
    assert.equal(await page.locator('#step-text').textContent(), '6 / 32');
    await page.locator('#step').focus();
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.locator('#step-text').textContent(), '5 / 32');
    assert.match(await page.locator('#step').getAttribute('aria-valuetext'), /step 5 of 32, most attention on/);
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press('Space');
    assert.equal(await page.locator('#play').getAttribute('aria-label'), 'Pause');
    await page.waitForFunction(() => document.getElementById('step-text').textContent === '32 / 32');
  });

  test('typing ten captions quickly draws only the last', async () => {
    const last = 'the digit 9 is at the bottom right of the image';
    for (let digit = 0; digit < 10; digit += 1) {
      await page.locator('#caption').fill(`the digit ${digit} is at the bottom right of the image`);
      await page.locator('#form').evaluate((form) => form.requestSubmit());
    }
    await drawn(page, last);
    const [shown, expected] = [await drawInPage(page, last, 7), paintNatively(last, 7, 'aligndraw-digits')];
    assert.ok(worstDifference(shown, expected.frames) <= CPU_TOLERANCE);
    assert.deepEqual(page.problems, []);
  });

  test('a drawing can be cancelled', async () => {
    const outcome = await page.evaluate(async (caption) => {
      const controller = new AbortController();
      let frames = 0;
      try {
        for await (const _ of aligndraw.draw(caption, { seed: 1, signal: controller.signal })) {
          frames += 1;
          if (frames === 3) controller.abort();
        }
      } catch (error) {
        return { frames, name: error.name };
      }
      return { frames, name: 'finished' };
    }, SEVEN_TWO);
    assert.equal(outcome.name, 'AbortError');
    assert.equal(outcome.frames, 3);
  });

  test('the same seed gives the native picture, at every step', async () => {
    for (const [caption, seed] of [[SEVEN_TWO, 7], ['The digit 3 is at the top of the digit 8.', 123456]]) {
      const [shown, expected] = [await drawInPage(page, caption, seed), paintNatively(caption, seed, 'aligndraw-digits')];
      const worst = worstDifference(shown, expected.frames);
      console.log(`native against browser, seed ${seed}: ${worst.toExponential(1)}`);
      assert.ok(worst <= CPU_TOLERANCE, `differs by ${worst}`);
    }
  });

  test('a shared link draws the same picture in a fresh browser', async () => {
    await page.locator('#caption').fill(SEVEN_NINE);
    await page.locator('#seed').fill('4321');
    await page.locator('#seed').press('Enter');
    await drawn(page, `${SEVEN_NINE}|4321`);
    const other = await openPage(await browser.newContext(), page.url());
    await drawn(other, `${SEVEN_NINE}|4321`);
    assert.equal(await other.locator('#caption').inputValue(), SEVEN_NINE);
    const [a, b] = [await drawInPage(page, SEVEN_NINE, 4321), await drawInPage(other, SEVEN_NINE, 4321)];
    assert.equal(worstDifference(a, b), 0);
    await other.context().close();
  });

  test('a hundred drawings leak no memory', async () => {
    const grown = await page.evaluate(async (caption) => {
      const draw = async (seed) => {
        for await (const _ of aligndraw.drawMany(caption, { seeds: [seed, seed + 1, seed + 2, seed + 3] }));
      };
      for (let seed = 0; seed < 5; seed += 1) await draw(seed);
      const before = aligndraw.memory;
      for (let seed = 0; seed < 100; seed += 1) await draw(seed);
      return { before, after: aligndraw.memory };
    }, SEVEN_TWO);
    console.log(`wasm memory: ${(grown.after / 2 ** 20).toFixed(1)} MiB after 100 drawings of four`);
    assert.equal(grown.after, grown.before);
    assert.ok(grown.after <= MOST_MEMORY, `${grown.after} bytes`);
  });

  test('saves a PNG that, dropped on the page, is drawn again', async () => {
    await page.locator('#caption').fill(SEVEN_TWO);
    await drawn(page, SEVEN_TWO);
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-save=png]').click()]);
    assert.match(download.suggestedFilename(), /^the-digit-.*\.png$/);
    const saved = readFileSync(await download.path());
    const drop = (bytes) =>
      page.evaluate((bytes) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(bytes)], 'saved.png', { type: 'image/png' }));
        document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
      }, [...bytes]);
    await page.locator('#caption').fill('the digit nine is at the top left of the image');
    await drawn(page, 'the digit nine');
    await drop(saved);
    await drawn(page, SEVEN_TWO);
    await drop(Buffer.from('no picture'));
    await page.waitForFunction(() => /expected a PNG that was saved here/.test(document.getElementById('hint').textContent));
  });

  test('saves GIF and WebM, and copies the snippets', async () => {
    await drawn(page, SEVEN_TWO);
    for (const [kind, magic] of [['gif', 'GIF89a'], ['webm', '\x1aE\xdf\xa3']]) {
      const [download] = await Promise.all([page.waitForEvent('download', { timeout: 60_000 }), page.locator(`[data-save=${kind}]`).click()]);
      assert.ok(readFileSync(await download.path()).toString('latin1').startsWith(magic), kind);
    }
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    for (const [kind, expected] of [['link', /^http.*seed=/], ['element', /<align-draw caption="the digit.*seed="\d+" model="aligndraw-digits" words controls>/], ['frame', /<iframe src="http.*embed\.html\?caption=/]]) {
      await page.locator(`[data-copy=${kind}]`).click();
      assert.match(await page.evaluate(() => navigator.clipboard.readText()), expected);
    }
  });

  test('fits a phone, without sideways scrolling', async () => {
    const phone = await openPage(await browser.newContext({ viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' }), `${server.url}/?model=aligndraw-digits`);
    await drawn(phone, SEVEN_TWO);
    const width = await phone.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 390, `the page is ${width} px wide`);
    // Reduced motion: the finished picture at once.
    assert.equal(await phone.locator('#step-text').textContent(), '32 / 32');
    await phone.context().close();
  });
});
