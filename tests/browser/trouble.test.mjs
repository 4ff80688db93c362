// Everything that can go wrong is said in the page, and can be mended there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { drawInPage, drawn, openPage } from './harness.mjs';
import { served } from './served.mjs';

const CAPTION = 'the digit seven is on the left of the digit two';

const { server, browser } = await served();

describe('trouble', () => {
  /** A page for which `handler` answers the requests that match. */
  async function withRoute(pattern, handler, path = '') {
    const context = await browser.newContext({ serviceWorkers: 'block' });
    await context.route(pattern, handler);
    return openPage(context, server.url + path);
  }

  const errorText = async (page) => {
    await page.locator('#error:not([hidden])').waitFor({ timeout: 30_000 });
    return page.locator('#error-text').textContent();
  };

  test('missing weights', async () => {
    const page = await withRoute('**/*.safetensors', (route) => route.fulfill({ status: 404 }));
    assert.match(await errorText(page), /digits\.safetensors could not be loaded: the server answered 404/);
    await page.context().close();
  });

  test('no list of models, then one', async () => {
    let missing = true;
    const page = await withRoute('**/models/index.json', (route) => (missing ? route.fulfill({ status: 404 }) : route.continue()));
    assert.match(await errorText(page), /list of models \(models\/index\.json\) could not be loaded: the server answered 404/);
    missing = false;
    await page.locator('#retry').click();
    await drawn(page, CAPTION);
    assert.deepEqual(await page.locator('#model option').allTextContents(), JSON.parse(readFileSync('models/index.json', 'utf8')).filter(({ kind }) => kind === 'text-to-image').map(({ title }) => title));
    await page.context().close();
  });

  test('corrupted weights, then whole ones', async () => {
    let damage = true;
    const page = await withRoute('**/*.safetensors', async (route) => {
      const response = await route.fetch();
      const body = Buffer.from(await response.body());
      if (damage) body[body.length - 9] ^= 1;
      await route.fulfill({ response, body });
    });
    assert.match(await errorText(page), /digits.safetensors is damaged: SHA-256 [0-9a-f]{12}…, expected/);
    damage = false;
    await page.locator('#retry').click();
    await drawn(page, CAPTION);
    assert.equal(await page.locator('#error').isHidden(), true);
    await page.context().close();
  });

  test('a network that breaks off is tried again by itself, then by the visitor', async () => {
    let cuts = 3;
    const page = await withRoute('**/*.safetensors', (route) => (cuts-- > 0 ? route.abort('connectionreset') : route.continue()));
    assert.match(await errorText(page), /after 3 tries .* try again/i);
    cuts = 1;
    await page.locator('#retry').click();
    await drawn(page, CAPTION);
    await page.context().close();
  });

  test('WebAssembly forbidden by the policy', async () => {
    const forbid = async (route) => {
      const response = await route.fetch();
      const policy = response.headers()['content-security-policy'].replace("'wasm-unsafe-eval'", '');
      await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } });
    };
    const page = await withRoute('**/*', forbid);
    assert.match(await errorText(page), /WebAssembly does not run here/);
    await page.context().close();
  });

  test('no WebGPU: the CPU draws and the page says why', async () => {
    const page = await openPage(await browser.newContext(), `${server.url}/?device=webgpu`);
    await drawn(page, CAPTION);
    assert.match(await page.locator('#badge').textContent(), /CPU \((this browser has no WebGPU|no GPU adapter was found)/);
    await page.context().close();
  });

  test('a bad seed in the link falls back to the first', async () => {
    const page = await openPage(await browser.newContext(), `${server.url}/?seed=-3`);
    await drawn(page, `${CAPTION}|7`);
    await page.context().close();
  });

  test('offline after the first visit', async () => {
    const context = await browser.newContext();
    const page = await openPage(context, server.url);
    await drawn(page, CAPTION);
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      if (!navigator.serviceWorker.controller) await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
    });
    await context.setOffline(true);
    await page.reload();
    await drawn(page, CAPTION);
    await context.close();
  });

  test('an engine that is gone says so, and a retry starts a new one', async () => {
    const page = await openPage(await browser.newContext(), server.url);
    await drawn(page, CAPTION);
    await page.evaluate(() => aligndraw.engines.cpu.fail('the worker crashed'));
    await page.locator('#form').evaluate((form) => form.requestSubmit());
    assert.match(await errorText(page), /engine stopped/);
    await page.locator('#retry').click();
    await drawn(page, CAPTION);
    assert.equal((await drawInPage(page, CAPTION, 1)).length, 8);
    await page.context().close();
  });

  test('a caption that names nothing leaves the canvas empty and nothing playing', async () => {
    const page = await browser.newPage();
    await page.goto(`${server.url}?model=scenes&caption=a+red`);
    await page.locator('#hint', { hasText: 'names neither a thing nor a place' }).waitFor({ timeout: 30_000 });
    const shown = await page.evaluate(() => {
      const canvas = document.getElementById('canvas');
      const colours = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      return { paints: colours.some((value) => value > 0), play: document.getElementById('play').ariaLabel };
    });
    assert.deepEqual(shown, { paints: false, play: 'Play' });
    assert.match(await page.locator('#caption').getAttribute('placeholder'), /bus/, 'an example of the model');
    await page.close();
  });
});
