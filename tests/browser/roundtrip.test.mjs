// The page of the round trip: caption, drawings, descriptions.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openPage, startBrowser, startServer } from './harness.mjs';

const CAPTION = 'a red car parked on the street';
const back = async (page, text) => page.waitForFunction((text) => document.documentElement.dataset.back?.startsWith(text), text, { timeout: 90_000 });
const sentences = (page) => page.locator('figcaption').allTextContents();

describe('the round trip', () => {
  let server, browser, page;
  const at = (query) => new URL(`roundtrip.html?${new URLSearchParams(query)}`, server.url).href;
  before(async () => {
    server = await startServer();
    browser = await startBrowser();
    page = await openPage(await browser.newContext({ reducedMotion: 'reduce' }), at({ model: 'scenes', caption: CAPTION, seed: 5 }));
    await back(page, 'scenes 5');
  });
  after(async () => {
    await browser?.close();
    server?.stop();
  });

  test('four drawings are described, and words that came back are counted and marked', async () => {
    const said = (await sentences(page)).map((text) => text.trim().split(' '));
    assert.equal(said.length, 4);
    assert.ok(said.some((words) => words.includes('car')), said.join('; '));
    const counts = await page.locator('#back li').evaluateAll((items) => items.map((item) => [item.firstChild.textContent, item.querySelector('meter').value]));
    assert.deepEqual(counts.map(([word]) => word), CAPTION.split(' '));
    for (const [word, count] of counts) assert.equal(count, said.filter((words) => words.includes(word)).length, word);
    const marked = await page.locator('figcaption').first().locator('mark').allTextContents();
    assert.deepEqual(marked, said[0].filter((word) => CAPTION.split(' ').includes(word)));
    assert.deepEqual(page.problems, []);
  });

  test('a link brings the same back, another seed another', async () => {
    const first = await sentences(page);
    const again = await openPage(page.context(), page.url());
    await back(again, 'scenes 5');
    assert.deepEqual(await sentences(again), first);
    await again.locator('#dice').click();
    await again.waitForFunction(() => document.documentElement.dataset.back && document.documentElement.dataset.back !== 'scenes 5', undefined, { timeout: 90_000 });
    assert.doesNotMatch(again.url(), /seed=5$/);
    await again.close();
  });

  test('a painter of photos is described by the captioner of photos', async () => {
    await page.locator('#painter').selectOption('vae-photos');
    await back(page, 'vae-photos');
    assert.ok((await sentences(page)).every((text) => text.trim().split(' ').length > 2));
  });

  test('a caption that cannot be drawn is said, and the page goes on', async () => {
    await page.locator('#caption').fill('xyzzy');
    await page.keyboard.press('Enter');
    await page.locator('#error-text', { hasText: 'xyzzy' }).waitFor();
    await page.locator('#caption').fill('a dog runs in the snow');
    await page.keyboard.press('Enter');
    await back(page, 'vae-photos');
    assert.equal(await page.locator('#error').isVisible(), false);
  });

  test('it fits a phone', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  });
});
