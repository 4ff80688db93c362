// The page that searches photos by a sentence, and `rank.js` of the API.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ENGINES } from './engines.mjs';
import { openPage, startBrowser, startServer, binary } from './harness.mjs';
import { startHost } from './host.mjs';

/** Two builds of the same single-precision sums, with and without fused multiply-add. */
const TOLERANCE = 1e-3;
const SENTENCE = 'a cat looks at a cup on the table';
const NAMES = ['astronaut', 'cat', 'coffee', 'raccoon', 'rocket'];

/** Waits until the photos are ordered, and returns the best one's name. */
const found = async (page) => (await page.waitForFunction(() => document.documentElement.dataset.found, undefined, { timeout: 60_000 })).jsonValue();
const order = (page) => page.locator('#photos img').evaluateAll((images) => images.map(({ alt }) => alt.replace('Photo: ', '')));

/** Photos of the size that the eyes look at: browsers make pictures smaller in ways of their own. */
async function writeSquares(page, folder, names) {
  for (const name of names) {
    const url = await page.evaluate(async (name) => {
      const image = Object.assign(new Image(), { src: `photos/${name}.jpg` });
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: 224, height: 224 });
      canvas.getContext('2d').drawImage(image, 0, 0, 224, 224);
      return canvas.toDataURL();
    }, name);
    writeFileSync(join(folder, `${name}.png`), Buffer.from(url.split(',')[1], 'base64'));
  }
}

describe('searching photos', () => {
  let server, browser, page, folder, native, aligned;
  const requests = [];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aligndraw-'));
    server = await startServer();
    browser = await startBrowser();
    page = await openPage(await browser.newContext({ reducedMotion: 'reduce' }), new URL('search.html', server.url).href);
    page.on('request', (request) => requests.push(request));
    await writeSquares(page, folder, NAMES);
    const run = (...args) => JSON.parse(execFileSync(binary, [...args, '--model', 'align-photos', '--json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    native = run('search', SENTENCE, folder);
    aligned = run('align', join(folder, 'cat.png'), SENTENCE);
  });
  after(async () => {
    await browser?.close();
    server?.stop();
    rmSync(folder, { recursive: true });
  });

  test('nothing of a model is loaded before a sentence is given', async () => {
    await page.locator('#photos li').nth(NAMES.length - 1).waitFor();
    assert.deepEqual(requests.filter((request) => /wasm|safetensors/.test(request.url())), []);
  });

  test('scores and regions are the native ones', async () => {
    const files = NAMES.map((name) => [name, [...readFileSync(join(folder, `${name}.png`))]]);
    const mine = await page.evaluate(async ([files, sentence]) => {
      const { load } = await import('./lib/aligndraw.js');
      const { align, search } = await import('./lib/rank.js');
      const model = await load({ model: 'align-photos' });
      const pictures = files.map(([, bytes]) => new Blob([new Uint8Array(bytes)]));
      const { pictures: best, words } = await search(model, sentence, pictures);
      const placed = await align(model, sentence, pictures[1]);
      const painter = await load({ model: 'digits', device: 'cpu' });
      const refused = [
        await model.draw('a cat').next().catch(({ code }) => code),
        await model.describe(pictures[0]).catch(({ code }) => code),
        await model.words('a cat').catch(({ code }) => code),
        await search(painter, sentence, pictures).catch(({ message }) => message),
        await search(model, 'xyzzy', pictures).catch(({ code }) => code),
        await search(model, sentence, [new Blob(['no picture'])]).catch(({ code }) => code),
      ];
      model.dispose();
      painter.dispose();
      return { best: best.map(({ picture, score }) => [files[pictures.indexOf(picture)][0], score]), words, placed, refused };
    }, [files, SENTENCE]);
    assert.deepEqual(mine.best.map(([name]) => `${name}.png`), native.pictures.map(({ picture }) => picture.split('/').at(-1)));
    mine.best.forEach(([name, score], at) => assert.ok(Math.abs(score - native.pictures[at].score) < TOLERANCE * Math.max(1, Math.abs(score)), `${name}: ${score}, natively ${native.pictures[at].score}`));
    assert.deepEqual(mine.placed.words.map(({ text }) => text), aligned.words.map(({ word }) => word));
    mine.placed.words.forEach(({ region }, at) => {
      const { x, y, width, height } = aligned.regions[aligned.words[at].region];
      assert.ok([region.x - x, region.y - y, region.width - width, region.height - height].every((off) => Math.abs(off) < 1e-5), `word ${at}`);
    });
    assert.deepEqual(mine.refused, ['model', 'model', 'model', 'digits does not rank pictures: align-photos and embed-photos do', 'unknown-words', 'picture']);
  });

  test('a picture that changed is looked at anew, and a search scores what it was given alone', async () => {
    const { scores, sizes } = await page.evaluate(async (sentence) => {
      const { load } = await import('./lib/aligndraw.js');
      const { search } = await import('./lib/rank.js');
      const model = await load({ model: 'align-photos' });
      const image = new Image();
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
      const [scores, sizes] = [[], []];
      for (const name of ['coffee', 'rocket']) {
        image.src = `photos/${name}.jpg`;
        await image.decode();
        canvas.getContext('2d').drawImage(image, 0, 0, 64, 64);
        const found = await search(model, sentence, [image, canvas]);
        sizes.push(found.pictures.length);
        scores.push([image, canvas].map((of) => found.pictures.find(({ picture }) => picture === of).score));
      }
      sizes.push((await search(model, sentence, [])).pictures.length);
      model.dispose();
      return { scores, sizes };
    }, SENTENCE);
    assert.deepEqual(sizes, [2, 2, 0]);
    for (const at of [0, 1]) assert.ok(Math.abs(scores[0][at] - scores[1][at]) > 0.01, `${scores[0][at]} and ${scores[1][at]}`);
  });

  test('a sentence puts its photo first, and its link brings it back', async () => {
    await page.locator('#sentence').fill('a cup of coffee on a table');
    await page.keyboard.press('Enter');
    const best = await found(page);
    assert.equal((await order(page))[0], best);
    assert.equal((await order(page)).length, NAMES.length);
    assert.match(page.url(), /\?q=a\+cup\+of\+coffee/);
    const again = await openPage(page.context(), page.url());
    assert.equal(await found(again), best);
    await again.close();
    assert.deepEqual(page.problems, []);
  });

  test('a word shows its place, by keyboard too', async () => {
    const box = page.locator('#box');
    assert.equal(await box.isVisible(), false);
    const word = page.locator('#said button').nth(1);
    await word.focus();
    assert.ok(await box.isVisible());
    await page.keyboard.press('Enter');
    assert.equal(await word.getAttribute('aria-pressed'), 'true');
    await page.locator('#sentence').focus();
    assert.ok(await box.isVisible(), 'it is held');
    await page.keyboard.press('Escape');
    assert.equal(await box.isVisible(), false);
    assert.notEqual(await page.locator('#sentence').inputValue(), '', 'the sentence stays');
  });

  test('a visitor’s photos are searched too; what is no picture is named, and costs no other', async () => {
    const text = join(folder, 'text.png');
    writeFileSync(text, 'no picture');
    await page.evaluate(() => delete document.documentElement.dataset.found);
    await page.locator('#file').setInputFiles([join(folder, 'cat.png'), text]);
    await page.locator('#error-text', { hasText: 'text.png: no picture that this browser can read' }).waitFor();
    assert.ok((await order(page)).includes('cat.png'));
    assert.equal((await order(page)).length, NAMES.length + 1);
    assert.deepEqual(requests.filter((request) => request.method() !== 'GET'), []);
  });

  test('a painted picture is searched too', async () => {
    await page.evaluate(() => delete document.documentElement.dataset.found);
    await page.locator('#paint').click();
    await found(page);
    assert.equal((await order(page)).length, NAMES.length + 2);
    assert.match(await page.locator('#status').textContent(), /^Searched 7 photos on the CPU in \d+ ms$/);
  });

  test('words that the model does not know are said', async () => {
    await page.evaluate(() => delete document.documentElement.dataset.found);
    await page.locator('#sentence').fill('a xyzzy cat');
    await page.keyboard.press('Enter');
    await found(page);
    assert.match(await page.locator('#unknown').textContent(), /xyzzy/);
    await page.locator('#sentence').fill('xyzzy');
    await page.keyboard.press('Enter');
    await page.locator('#error-text', { hasText: 'xyzzy' }).waitFor();
  });

  test('it fits a phone', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  });
});

describe('searching in three browsers', () => {
  let host, folder, files, native;
  before(async () => {
    host = await startHost('site');
    folder = mkdtempSync(join(tmpdir(), 'aligndraw-'));
    const browser = await startBrowser();
    await writeSquares(await openPage(await browser.newContext(), `${host.url}/search.html`), folder, ['cat', 'rocket']);
    await browser.close();
    native = JSON.parse(execFileSync(binary, ['search', SENTENCE, folder, '--model', 'embed-photos', '--json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).pictures;
    files = native.map(({ picture }) => [...readFileSync(picture)]);
  });
  after(() => {
    host?.stop();
    rmSync(folder, { recursive: true });
  });
  for (const [name, start] of Object.entries(ENGINES)) {
    test(name, async () => {
      const browser = await start();
      try {
        await browser.goto(`${host.url}/search.html`);
        const { scores, refused, words } = await browser.evaluate(async (base, files, sentence) => {
          const { load } = await import(`${base}/aligndraw.js`);
          const { align, search } = await import(`${base}/rank.js`);
          const model = await load({ model: 'embed-photos' });
          const pictures = files.map((bytes) => new Blob([new Uint8Array(bytes)]));
          const found = await search(model, sentence, pictures);
          const refused = await align(model, sentence, pictures[0]).catch(({ message }) => message);
          model.dispose();
          const places = await load({ model: 'align-photos' });
          const { words } = await align(places, sentence, pictures[0]);
          places.dispose();
          return { scores: pictures.map((of) => found.pictures.find(({ picture }) => picture === of).score), refused, words: words.map(({ text }) => text).join(' ') };
        }, host.url, files, SENTENCE);
        native.forEach(({ score }, at) => assert.ok(Math.abs(scores[at] - score) < TOLERANCE, `${scores[at]}, natively ${score}`));
        assert.match(refused, /its words have no regions/);
        assert.equal(words, SENTENCE);
      } finally {
        await browser.close();
      }
    });
  }
});

test('the static site searches too', async () => {
  const host = await startHost('site');
  const browser = await startBrowser();
  try {
    const page = await openPage(await browser.newContext({ reducedMotion: 'reduce' }), new URL('search.html?q=a+cat', `${host.url}/`).href);
    assert.ok(NAMES.includes(await found(page)));
    assert.deepEqual(page.problems, []);
  } finally {
    await browser.close();
    host.stop();
  }
});
