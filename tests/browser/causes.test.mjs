// A file that does not come is named with its cause, and nothing that is kept is replaced before it has proved right.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { startBrowser } from './harness.mjs';
import { startBlog, startHost } from './host.mjs';

let browser, folder, host, page;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aligndraw-causes-'));
  for (const file of readdirSync('pkg')) if (/\.js$|^(cpu|flex|describe)$|^models$/.test(file)) cpSync(join('pkg', file), join(folder, file), { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Scratch</title>');
});
afterEach(async () => {
  await page?.context().close();
  host?.stop();
  rmSync(folder, { recursive: true });
});

/** Serves the package under a policy, and opens a page of it. */
async function open(policy) {
  host = await startHost(folder, policy ? { headers: { 'content-security-policy': policy } } : {});
  page = await (await browser.newContext()).newPage();
  await page.goto(`${host.url}/`);
}

/** Loads and draws: the number of steps, or the error. */
const draw = (options = {}) =>
  page.evaluate(async ([library, options]) => {
    try {
      const { load } = await import(library);
      const model = await load({ device: 'cpu', ...options });
      let steps = 0;
      for await (const _ of model.draw(model.info.example)) steps += 1;
      model.dispose();
      return steps;
    } catch ({ code, message }) {
      return `${code}: ${message}`;
    }
  }, [`${host.url}/aligndraw.js`, options]);

/** What is missing, by what the message calls it. */
const removeFile = (pattern) => {
  const file = readdirSync(folder, { recursive: true }).find((file) => pattern.test(file));
  rmSync(join(folder, file));
};
const ALLOWED = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

describe('a file that does not come is named with its cause', () => {
  test('under the policy that the README states it draws', async () => {
    await open("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'");
    assert.equal(await draw(), 8);
  });

  const MISSING = [
    [/^worker\.js$/, /worker\.js/], [/^engine-cpu\.js$/, /engine-cpu\.js/], [/^cpu\/.*\.wasm$/, /aligndraw_bg\.wasm/],
    [/\/digits\.safetensors$/, /digits\.safetensors/], [/^digits-\w+\.js$/, /digits-\w+\.js/],
    // What another engine draws.
    [/^engine-flex\.js$/, /engine-flex\.js/, 'scenes'], [/^flex\/.*\.wasm$/, /aligndraw_bg\.wasm/, 'scenes'],
  ];
  for (const [file, name, model] of MISSING) {
    test(`${name.source}${model ? ` of ${model}` : ''}: the server has none`, async () => {
      await open();
      removeFile(file);
      const outcome = await draw(model && { model });
      assert.match(outcome, name);
      assert.match(outcome, /^missing: .*could not be loaded: the server answered 404/);
    });
  }

  test('a page in the place of the worker', async () => {
    await open();
    const answer = (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<!doctype html>' });
    await page.context().route('**/worker.js', answer);
    assert.match(await draw(), /^missing: worker\.js could not be loaded: the server answered with text\/html instead of JavaScript/);
  });

  test('the server is down', async () => {
    await open();
    assert.equal(await draw(), 8);
    host.stop();
    assert.match(await draw(), /^network: worker\.js could not be loaded: the server cannot be reached .*Check the connection/);
  });

  test('the server is down before the first drawing', async () => {
    await open();
    await page.evaluate((library) => import(library), `${host.url}/aligndraw.js`);
    host.stop();
    assert.match(await draw(), /^network: .*could not be loaded: the server cannot be reached/);
  });

  test('a policy forbids the worker', async () => {
    await open(`${ALLOWED}; worker-src 'none'`);
    assert.match(await draw(), /^policy: the worker could not start: the page’s Content-Security-Policy forbids it \(worker-src\)/);
  });

  test('a policy forbids the download', async () => {
    await open(`${ALLOWED}; connect-src 'none'`);
    assert.match(await draw(), /^policy: \S+ could not be loaded: the page’s Content-Security-Policy forbids it \(connect-src\)/);
  });

  test('a policy forbids WebAssembly', async () => {
    await open("default-src 'self'");
    assert.match(await draw(), /^wasm-blocked: WebAssembly does not run here/);
  });

  test('on another origin the same', async () => {
    await open();
    const blog = await startBlog({
      '/': '<p>text</p>',
      '/no-worker': { html: '', headers: { 'content-security-policy': `default-src ${host.url}; script-src ${host.url} 'wasm-unsafe-eval'; worker-src 'none'` } },
    });
    try {
      await page.goto(`${blog.url}/no-worker`);
      assert.match(await draw(), /^policy: the worker could not start: .*\(worker-src\)/);
      await page.goto(`${blog.url}/`);
      assert.equal(await draw(), 8);
      removeFile(/^worker\.js$/);
      // This host lets its files be read, its refusals not.
      assert.match(await draw(), /^missing: worker\.js could not be loaded: the server has none, or lets no other site read it/);
      host.stop();
      assert.match(await draw(), /^network: worker\.js could not be loaded: the server cannot be reached/);
    } finally {
      blog.stop();
    }
  });
});

describe('nothing that is kept is replaced before the new one has proved right', () => {
  const LOGIN = '<!doctype html><title>Log in to the network</title>';
  /** Makes the server unreachable for what is not kept by the browser itself: the model's files. */
  const goOffline = () => page.context().route(/\/models\//, (route) => route.abort());

  const wrong = {
    'a web page': () => LOGIN,
    'half a manifest': (good) => good.slice(0, good.length / 2),
    'a manifest without its weights': (good) => JSON.stringify({ ...JSON.parse(good), weights: undefined }),
  };
  for (const [what, spoil] of Object.entries(wrong)) {
    test(`${what} in the place of a manifest`, async () => {
      await open();
      const model = `${host.url}/models/digits.json`;
      const path = join(folder, 'models/digits.json');
      const good = readFileSync(path, 'utf8');
      assert.equal(await draw({ model }), 8);
      writeFileSync(path, spoil(good));
      assert.equal(await draw({ model }), 8, 'the kept one is used');
      await goOffline();
      assert.equal(await draw({ model }), 8, 'and still kept');
      await page.context().unrouteAll();
      writeFileSync(path, good);
      assert.equal(await draw({ model }), 8);
    });
  }

  test('a manifest that the engine refuses takes no place, and keeps the weights of the one before', async () => {
    await open();
    const model = `${host.url}/models/digits.json`;
    const path = join(folder, 'models/digits.json');
    const good = JSON.parse(readFileSync(path, 'utf8'));
    assert.equal(await draw({ model }), 8);
    const { weights } = JSON.parse(readFileSync(join(folder, 'models/scenes.json'), 'utf8'));
    writeFileSync(path, JSON.stringify({ ...good, weights }));
    assert.match(await draw({ model }), /^(?!network|missing)\w+: /);
    await goOffline();
    assert.equal(await draw({ model }), 8);
  });

  test('with nothing kept the error says what came', async () => {
    await open();
    const path = join(folder, 'models/digits.json');
    writeFileSync(path, LOGIN);
    assert.match(await draw({ model: `${host.url}/models/digits.json` }), /^model: digits\.json is not a model’s manifest/);
  });

  test('a web page in the place of weights and engine', async () => {
    await open();
    for (const file of ['models/digits.safetensors', 'cpu/aligndraw_bg.wasm']) {
      const good = readFileSync(join(folder, file));
      writeFileSync(join(folder, file), LOGIN);
      assert.match(await draw(), /could not be loaded|is damaged/);
      writeFileSync(join(folder, file), good);
      assert.equal(await draw(), 8);
      writeFileSync(join(folder, file), LOGIN);
      assert.equal(await draw(), 8, 'the kept one is used');
      writeFileSync(join(folder, file), good);
      await page.evaluate((library) => import(library).then(({ clearCache }) => clearCache()), `${host.url}/aligndraw.js`);
    }
  });

  test('a web page in the place of the page’s scripts', async () => {
    const site = join(folder, 'site');
    cpSync('site', site, { recursive: true });
    host = await startHost(site);
    page = await (await browser.newContext()).newPage();
    await page.goto(`${host.url}/`);
    const drawn = () => page.waitForFunction(() => document.documentElement.dataset.drawn, null, { timeout: 30_000 });
    await drawn();
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      if (!navigator.serviceWorker.controller) await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
    });
    const { faults } = host;
    faults.page = /\.js$/;
    await page.reload();
    await drawn();
    host.stop();
    await page.reload();
    await drawn();
  });
});
