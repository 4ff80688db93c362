// The page that describes pictures, and `describe` of the API.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startBlog, startHost } from './host.mjs';
import { binary, openPage, startBrowser, startServer } from './harness.mjs';

/** Two builds of the same single-precision sums, with and without fused multiply-add. */
const TOLERANCE = 1e-3;
const CAPTION = 'a red car parked on the street';

/** Waits until a sentence stands, and returns it. */
const said = async (page) => (await page.waitForFunction(() => document.documentElement.dataset.said, undefined, { timeout: 60_000 })).jsonValue();

describe('describing pictures', () => {
  let server, browser, context, page, folder, picture, native;
  const requests = [];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aligndraw-'));
    picture = join(folder, 'car.png');
    execFileSync(binary, ['scenes', CAPTION, '-n', '1', '--scale', '1', '-o', picture], { stdio: 'pipe' });
    native = JSON.parse(execFileSync(binary, ['describe', picture, '--model', 'describe-scenes', '--json', '-n', '5'], { encoding: 'utf8' })).pictures[0];
    server = await startServer();
    browser = await startBrowser();
    context = await browser.newContext({ reducedMotion: 'reduce' });
    page = await openPage(context, new URL('describe.html', server.url).href);
    page.on('request', (request) => requests.push(request));
  });
  after(async () => {
    await browser?.close();
    server?.stop();
    rmSync(folder, { recursive: true });
  });

  test('nothing of a model is loaded before it is asked for', async () => {
    await page.locator('#paint').waitFor();
    assert.deepEqual(requests.filter((request) => /wasm|safetensors/.test(request.url())), []);
  });

  test('a chosen picture is described as natively, with alternatives', async () => {
    await page.getByLabel('Drawn scenes').check();
    await page.locator('#file').setInputFiles(picture);
    assert.equal(await said(page), native.sentences[0].text);
    assert.deepEqual(await page.locator('#others button').allTextContents(), native.sentences.map(({ text }) => text));
    assert.equal(await page.locator('#live').textContent(), native.sentences[0].text);
    assert.deepEqual(page.problems, []);
  });

  test('the attention is the native one', async () => {
    const bytes = [...readFileSync(picture)];
    const found = await page.evaluate(async (bytes) => {
      const { load } = await import('./lib/aligndraw.js');
      const model = await load({ model: 'describe-scenes' });
      const found = await model.describe(new Blob([new Uint8Array(bytes)]), { beam: 5 });
      const refused = await model.draw('a red car').next().catch((error) => error.code);
      model.dispose();
      return { ...found, refused };
    }, bytes);
    assert.deepEqual(found.grid, native.grid);
    assert.equal(found.refused, 'model');
    const [mine, other] = [found.sentences[0], native.sentences[0]];
    assert.deepEqual(mine.words.map(({ text }) => text), other.words.map(({ text }) => text));
    mine.words.forEach(({ attention, logProb }, at) => {
      const worst = attention.reduce((most, x, cell) => Math.max(most, Math.abs(x - other.words[at].attention[cell])), 0);
      assert.ok(worst < TOLERANCE && Math.abs(logProb - other.words[at].logProb) < 10 * TOLERANCE, `word ${at}: ${worst}`);
    });
  });

  test('a pressed word holds its map', async () => {
    const pixels = () => page.evaluate(() => document.getElementById('picture').toDataURL());
    const bare = await pixels();
    const word = page.locator('#said button').nth(2);
    await word.focus();
    await page.keyboard.press('Enter');
    assert.equal(await word.getAttribute('aria-pressed'), 'true');
    assert.notEqual(await pixels(), bare);
    await page.keyboard.press('Escape');
    assert.equal(await word.getAttribute('aria-pressed'), 'false');
    assert.equal(await pixels(), bare);
  });

  test('another sentence can be taken', async () => {
    await page.evaluate(() => delete document.documentElement.dataset.said);
    await page.locator('#others button').nth(1).click();
    assert.equal(await said(page), native.sentences[1].text);
  });

  test('what is no picture is said, and the page goes on', async () => {
    const text = join(folder, 'text.png');
    writeFileSync(text, 'no picture');
    await page.locator('#file').setInputFiles(text);
    await page.locator('#error-text', { hasText: 'no picture that this browser can read' }).waitFor();
    await page.locator('#file').setInputFiles(picture);
    assert.equal(await said(page), native.sentences[0].text);
    assert.equal(await page.locator('#error').isVisible(), false);
  });

  test('a painted picture is described, with its caption beside', async () => {
    await page.evaluate(() => delete document.documentElement.dataset.said);
    await page.locator('#paint').click();
    assert.ok((await said(page)).split(' ').length > 3);
    assert.match(await page.locator('#painted').textContent(), /^Painted from “.+”$/);
  });

  test('no picture leaves the page, which fits a phone', async () => {
    assert.deepEqual(requests.filter((request) => request.method() !== 'GET' || request.postData()), []);
    await page.setViewportSize({ width: 390, height: 800 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  });
});

describe('describing photos', () => {
  let server, browser, page, folder, square, native;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aligndraw-'));
    square = join(folder, 'square.png');
    server = await startServer();
    browser = await startBrowser();
    page = await openPage(await browser.newContext({ reducedMotion: 'reduce' }), new URL('describe.html', server.url).href);
    // Of the size that the eyes look at: browsers make pictures smaller in ways of their own.
    const url = await page.evaluate(async () => {
      const image = Object.assign(new Image(), { src: 'photos/astronaut.jpg' });
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: 224, height: 224 });
      canvas.getContext('2d').drawImage(image, 0, 0, 224, 224);
      return canvas.toDataURL();
    });
    writeFileSync(square, Buffer.from(url.split(',')[1], 'base64'));
    native = JSON.parse(execFileSync(binary, ['describe', square, '--model', 'describe-photos', '--json', '-n', '5'], { encoding: 'utf8' })).pictures[0];
  });
  after(async () => {
    await browser?.close();
    server?.stop();
    rmSync(folder, { recursive: true });
  });

  test('a chosen file is taken for a photo and described as natively, its attention the native one', async () => {
    await page.locator('#file').setInputFiles(square);
    assert.equal(await said(page), native.sentences[0].text);
    assert.ok(await page.getByRole('radio', { name: 'Photos', exact: true }).isChecked());
    const found = await page.evaluate(async (bytes) => {
      const { load } = await import('./lib/aligndraw.js');
      const model = await load({ model: 'describe-photos' });
      const found = await model.describe(new Blob([new Uint8Array(bytes)]), { beam: 5 });
      model.dispose();
      return found;
    }, [...readFileSync(square)]);
    assert.deepEqual(found.sentences.map(({ text }) => text), native.sentences.map(({ text }) => text));
    found.sentences[0].words.forEach(({ attention }, at) => {
      const worst = attention.reduce((most, x, cell) => Math.max(most, Math.abs(x - native.sentences[0].words[at].attention[cell])), 0);
      assert.ok(worst < TOLERANCE, `word ${at}: ${worst}`);
    });
    assert.deepEqual(page.problems, []);
  });

  test('the other describers of photos say what they say natively; two have nothing to light up', async () => {
    for (const [name, title] of [['describe-photos-hard', 'Photos, hard attention'], ['describe-photos-rnn', 'Photos, without attention'], ['tell-photos', 'Photos, told at a glance']]) {
      const { sentences } = JSON.parse(execFileSync(binary, ['describe', square, '--model', name, '--json'], { encoding: 'utf8' })).pictures[0];
      await page.evaluate(() => delete document.documentElement.dataset.said);
      await page.getByRole('radio', { name: title }).check();
      assert.equal(await said(page), sentences[0].text);
      assert.equal('attention' in sentences[0].words[0], name.endsWith('hard'));
    }
    await page.evaluate(() => delete document.documentElement.dataset.said);
    await page.getByRole('radio', { name: 'Photos', exact: true }).check();
    assert.equal(await said(page), native.sentences[0].text);
    assert.deepEqual(page.problems, []);
  });

  test('a captioner of regions is not among them, and says who runs it', async () => {
    assert.equal(await page.getByRole('radio', { name: /regions/ }).count(), 0);
    const message = await page.evaluate(async () => {
      const { load } = await import('./lib/aligndraw.js');
      return load({ model: 'describe-regions' }).then(() => 'loaded', ({ code, message }) => `${code}: ${message}`);
    });
    assert.equal(message, 'model: describe-regions describes regions of photos: aligndraw describe PICTURE --map does');
  });

  test('a photo to try keeps its proportions', async () => {
    await page.evaluate(() => delete document.documentElement.dataset.said);
    await page.getByRole('button', { name: 'A photo to try: cat' }).click();
    assert.ok((await said(page)).split(' ').length > 2);
    const [width, height] = await page.evaluate(() => [document.getElementById('picture').width, document.getElementById('picture').height]);
    assert.ok(Math.abs(width / height - 451 / 300) < 0.02, `${width} × ${height}`);
  });
});

test('the static site describes photos too', async () => {
  const host = await startHost('site');
  const browser = await startBrowser();
  try {
    const page = await openPage(await browser.newContext({ reducedMotion: 'reduce' }), new URL('describe.html', `${host.url}/`).href);
    await page.getByRole('button', { name: 'A photo to try: rocket' }).click();
    assert.ok((await said(page)).split(' ').length > 2);
    assert.deepEqual(page.problems, []);
  } finally {
    await browser.close();
    host.stop();
  }
});

describe('the describing element in a blog', () => {
  let server, browser, blog, page;
  const fetched = [];
  before(async () => {
    server = await startServer();
    browser = await startBrowser();
    const at = (path) => new URL(path, server.url).href;
    blog = await startBlog({
      '/': `<div style="height: 3000px"></div><align-describe id="seen" src="${at('photos/cat.jpg')}" alt="A cat"></align-describe>
        <align-describe id="asked" autoplay="none" src="${at('photos/none.jpg')}"></align-describe><script type="module" src="${at('lib/align-describe.js')}"></script>`,
    });
    page = await openPage(await browser.newContext({ reducedMotion: 'reduce' }), blog.url);
    page.on('request', (request) => fetched.push(request.url()));
  });
  after(async () => {
    await browser?.close();
    server?.stop();
    blog?.stop();
  });

  test('nothing of a model comes before it is seen, then words and their maps', async () => {
    await page.locator('#asked button').waitFor();
    assert.ok(!fetched.some((url) => /wasm|safetensors|worker/.test(url)), fetched.join('\n'));
    await page.locator('#seen').scrollIntoViewIfNeeded();
    await page.locator('#seen .sentence button').nth(2).waitFor({ timeout: 60_000 });
    const text = await page.locator('#seen').evaluate((element) => element.sentences[0].text);
    assert.equal((await page.locator('#seen .sentence').textContent()).trim(), text);
    await page.locator('#seen .sentence button').nth(1).click();
    assert.equal(await page.locator('#seen canvas').isVisible(), true);
    await page.locator('#seen .sentence button').nth(1).click();
    await page.mouse.move(0, 0);
    assert.equal(await page.locator('#seen canvas').isVisible(), false);
  });

  test('a picture that is not there is said in its place, and only there', async () => {
    await page.locator('#asked button', { hasText: 'Describe' }).click();
    await page.locator('#asked .message', { hasText: 'none.jpg could not be read: the server answered 404' }).waitFor();
    assert.ok(await page.locator('#asked button', { hasText: 'Describe' }).isVisible());
    assert.ok(await page.locator('#seen .sentence button').first().isVisible());
  });
});
