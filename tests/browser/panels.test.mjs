// The page hides what a model has nothing to show in: models trained here without attention, and without words.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { binary, drawn, openPage, startBrowser, startServer } from './harness.mjs';

const SMALL = ['--epochs', '1', '--batch', '8', '--batches', '2', '--threads', '1', '--quiet'];
/** What `aligndraw train` is told, by the name of the model. */
const MODELS = {
  mean: ['--preset', 'tiny', '--set', 'conditioning="mean"'],
  plain: ['--preset', 'plain-mnist', '--steps', '4', '--set', 'encoder_size=8', '--set', 'decoder_size=8', '--set', 'latent_size=4'],
};
const CAPTION = 'the digit seven is on the left of the digit two';

describe('panels', () => {
  let root, server, browser;
  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'aligndraw-panels-'));
    const models = join(root, 'models');
    mkdirSync(models);
    for (const folder of ['www', 'pkg']) symlinkSync(resolve(folder), join(root, folder));
    for (const [name, options] of Object.entries(MODELS)) {
      const run = join(root, 'runs', name);
      execFileSync(binary, ['train', ...options, ...SMALL, '--out', run, '--name', name], { stdio: ['ignore', 'pipe', 'inherit'] });
      execFileSync(binary, ['export', '--run', run, '--models', models, '--name', name], { stdio: ['ignore', 'pipe', 'inherit'] });
    }
    server = await startServer(['--root', root]);
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    server?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  /** Opens a model and waits until it has drawn. */
  async function open(model, text) {
    const page = await openPage(await browser.newContext({ reducedMotion: 'reduce' }), `${server.url}/?model=${model}`);
    await drawn(page, text);
    return page;
  }
  const visible = async (page, ...selectors) => Object.fromEntries(await Promise.all(selectors.map(async (selector) => [selector, await page.locator(selector).isVisible()])));
  const PARTS = ['#caption', '#examples', '#vocabulary', '#words', '#heat', '#window', '#branch', '#branch-caption', '#strip'];

  test('without attention: the words can be replaced, and no attention is shown', async () => {
    const page = await open('mean', CAPTION);
    const seen = await visible(page, ...PARTS, '.attention h2');
    assert.deepEqual(seen, { '#caption': true, '#examples': true, '#vocabulary': true, '#words': true, '#heat': false, '#window': false, '#branch': true, '#branch-caption': true, '#strip': true, '.attention h2': false });
    assert.deepEqual([...new Set(await page.locator('.share').allTextContents())], ['']);
    assert.equal(await page.locator('#step').getAttribute('aria-valuetext'), 'step 3 of 3');
    await page.locator('#step').fill('2');
    assert.ok(await page.locator('#window').isVisible(), 'its write window is shown');
    await page.locator('#words button', { hasText: /^two$/ }).click();
    await page.locator('#choices button', { hasText: /^nine$/ }).click();
    await page.locator('#compare').waitFor();
    await page.waitForFunction(() => /differs at step/.test(document.getElementById('compare-amount').textContent));
    assert.equal(await page.locator('#compare-moved').isVisible(), false);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  test('without words: it draws without a caption, and a branch takes another seed alone', async () => {
    const page = await open('plain', '|');
    const seen = await visible(page, ...PARTS);
    assert.deepEqual(seen, { '#caption': false, '#examples': false, '#vocabulary': false, '#words': false, '#heat': false, '#window': false, '#branch': true, '#branch-caption': false, '#strip': true });
    assert.equal(await page.locator('#canvas').getAttribute('aria-label'), 'Drawing, step 4 of 4');
    await page.locator('#step').fill('2');
    await page.locator('#branch-seed').fill('99');
    await page.locator('#branch button').click();
    await page.waitForFunction(() => location.search.includes('branch=2'));
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  test('switching to another model shows again what that one has', async () => {
    const page = await open('plain', '|');
    await page.locator('#model').selectOption('mean');
    await drawn(page, CAPTION);
    assert.deepEqual(await visible(page, '#caption', '#words', '#branch-caption'), { '#caption': true, '#words': true, '#branch-caption': true });
    await page.context().close();
  });

  test('without branches: the form for them is not shown', async () => {
    const context = await browser.newContext({ reducedMotion: 'reduce' });
    // No system lacks them yet: the engine's answer is changed on its way.
    await context.addInitScript(() => {
      const Original = Worker;
      window.Worker = class extends Original {
        set onmessage(listener) {
          super.onmessage = (event) => {
            if (event.data.type === 'loaded') event.data.info.shows.branch = false;
            listener(event);
          };
        }
      };
    });
    const page = await openPage(context, `${server.url}/?model=mean`);
    await drawn(page, CAPTION);
    await page.locator('#step').fill('2');
    assert.deepEqual(await visible(page, '#words', '#branch', '#strip'), { '#words': true, '#branch': false, '#strip': true });
    assert.deepEqual(page.problems, []);
    await context.close();
  });
});
