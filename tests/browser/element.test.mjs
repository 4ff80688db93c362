// The custom element and the frame, on a blog of another origin.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { paintNatively, startBrowser, startServer } from './harness.mjs';
import { startBlog } from './host.mjs';

const CAPTION = 'the digit seven is on the left of the digit two';
/** Floating point in another order of sums. */
const CPU_TOLERANCE = 1e-4;
let server, browser, blog;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  const script = `<script type="module" src="${server.url}/lib/align-draw.js"></script>`;
  const elements = (n) => Array.from({ length: n }, (_, i) => `<align-draw caption="${CAPTION}" seed="${i}" device="cpu" autoplay="load"></align-draw>`).join('');
  const policy = (rules) => ({ 'content-security-policy': rules.replaceAll('CDN', server.url) });
  const frame = `${server.url}/embed.html?caption=${encodeURIComponent(CAPTION)}&seed=42&device=cpu&words`;
  blog = await startBlog({
    '/one': `${script}<p style="height: 3000px">text</p><align-draw caption="${CAPTION}" seed="42" device="cpu" words controls></align-draw>`,
    '/ten': script + elements(10),
    '/bare': '<p>text</p>',
    '/trusted': { html: script + elements(1), headers: policy("require-trusted-types-for 'script'; trusted-types aligndraw") },
    '/untrusted': { html: script + elements(1), headers: policy("require-trusted-types-for 'script'; trusted-types other") },
    '/allowed': { html: script + elements(1), headers: policy("default-src 'none'; script-src CDN 'wasm-unsafe-eval'; worker-src blob:; connect-src CDN") },
    '/no-wasm': { html: script + elements(1), headers: policy("default-src 'none'; script-src CDN; worker-src blob:; connect-src CDN") },
    '/no-worker': { html: script + elements(1), headers: policy("default-src 'none'; script-src CDN 'wasm-unsafe-eval'; worker-src 'none'; connect-src CDN") },
    '/no-connect': { html: script + elements(1), headers: policy("default-src 'none'; script-src CDN 'wasm-unsafe-eval'; worker-src blob:; connect-src 'none'") },
    '/frame': `<script>addEventListener('message', ({ data }) => (window.received ??= []).push(data))</script><iframe sandbox="allow-scripts" src="${frame}" width="300" height="360"></iframe>`,
  });
});
after(async () => {
  await browser?.close();
  server?.stop();
  blog?.stop();
});

async function open(path) {
  const page = await (await browser.newContext()).newPage();
  page.requests = [];
  page.on('request', (request) => page.requests.push(request.url()));
  await page.goto(blog.url + path);
  return page;
}

/** Waits until every element has all its steps. */
const allDrawn = (page) =>
  page.waitForFunction(() => {
    const elements = [...document.querySelectorAll('align-draw')];
    return elements.length && elements.every((element) => element.frames?.length === 8);
  }, null, { timeout: 60_000 });

const message = (page) =>
  page.waitForFunction(() => document.querySelector('align-draw')?.shadowRoot?.querySelector('[data-problem]')?.textContent, null, { timeout: 60_000 }).then((handle) => handle.jsonValue());

test('nothing is downloaded before the element scrolls into view; then it draws', async () => {
  const page = await open('/one');
  await page.waitForFunction(() => customElements.get('align-draw'));
  // Observers are told in the order of their making: when ours is, the element's was.
  await page.evaluate(() => new Promise((resolve) => new IntersectionObserver(resolve).observe(document.querySelector('align-draw'))));
  assert.ok(!page.requests.some((url) => /safetensors|\.wasm|worker/.test(url)), page.requests.join('\n'));
  await page.locator('align-draw').scrollIntoViewIfNeeded();
  await allDrawn(page);
  assert.ok(page.requests.some((url) => url.endsWith('.safetensors')));
  assert.deepEqual(await page.evaluate(() => [...document.querySelector('align-draw').shadowRoot.querySelectorAll('figcaption span')].map((span) => span.textContent).slice(0, 3)), ['the', 'digit', 'seven']);
});

test('seek, pause, toBlob, events, changed attributes, removing and putting back', async () => {
  const page = await open('/one');
  const result = await page.evaluate(async () => {
    const element = document.querySelector('align-draw');
    const seen = [];
    for (const name of ['ready', 'frame', 'done', 'error']) element.addEventListener(name, ({ type }) => seen.push(type));
    await element.draw();
    element.seek(7);
    element.pause();
    const blob = await element.toBlob();
    const first = element.frames.at(-1).image.slice();
    // A new seed while drawing: only the last one counts.
    element.seed = 1;
    element.seed = 2;
    await new Promise((resolve) => element.addEventListener('done', resolve, { once: true }));
    const second = element.frames.at(-1).image.slice();
    const drawing = element.draw();
    element.remove();
    await drawing;
    document.body.append(element);
    await element.draw();
    return {
      events: [...new Set(seen)], frames: seen.filter((name) => name === 'frame').length, blob: [blob.type, blob.size > 500],
      differs: first.some((x, i) => Math.abs(x - second[i]) > 0.1), again: element.frames.at(-1).image.every((x, i) => x === second[i]),
      step: element.shadowRoot.querySelector('.slider').value, seed: element.getAttribute('seed'),
    };
  });
  assert.deepEqual(result.events, ['ready', 'frame', 'done']);
  assert.deepEqual(result.blob, ['image/png', true]);
  assert.ok(result.differs && result.again, JSON.stringify(result));
  assert.equal(result.seed, '2');
});

test('ten elements share one worker, and three rounds leave memory flat', async () => {
  const page = await open('/ten');
  await allDrawn(page);
  assert.equal(page.workers().length, 1);
  const memory = await page.evaluate(async (url) => {
    const { sharedModel } = await import(url);
    const model = await sharedModel({ device: 'cpu' });
    const rounds = [];
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([...document.querySelectorAll('align-draw')].map((element) => element.draw()));
      rounds.push(model.memory);
    }
    return rounds;
  }, `${server.url}/lib/shared.js`);
  assert.equal(page.workers().length, 1);
  assert.ok(memory[0] > 0 && memory[2] === memory[0], memory.join(', '));
});

test('an engine that stopped says so in the element, and the next drawing starts a new one', async () => {
  const page = await open('/ten');
  await allDrawn(page);
  const [message, frames] = await page.evaluate(async (url) => {
    const { sharedModel } = await import(url);
    const model = await sharedModel({ device: 'cpu' });
    model.engines.cpu.fail('gone');
    const element = document.querySelector('align-draw');
    const message = await element.draw().then(() => 'drawn', (error) => error.message);
    await element.draw();
    return [message, element.frames.length];
  }, `${server.url}/lib/shared.js`);
  assert.match(message, /engine stopped/);
  assert.equal(frames, 8);
});

test('the worker computes: the page itself fetches no engine, compiles nothing and gets a drawing in parts', async () => {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(() => {
    window.compiled = [];
    for (const name of ['compile', 'compileStreaming', 'instantiate', 'instantiateStreaming']) {
      WebAssembly[name] = () => {
        window.compiled.push(name);
        throw new Error('not on the page');
      };
    }
    // What the worker sends, by kind of message.
    window.messages = [];
    const Original = Worker;
    window.Worker = class extends Original {
      constructor(...options) {
        super(...options);
        this.addEventListener('message', ({ data }) => window.messages.push({ type: data.type, steps: data.steps?.length ?? 0 }));
      }
    };
  });
  await page.goto(`${blog.url}/ten`);
  await allDrawn(page);
  const seen = await page.evaluate(() => ({
    compiled: window.compiled,
    fetched: performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /\.wasm|safetensors/.test(name)),
    steps: window.messages.filter(({ type }) => type === 'frames').map(({ steps }) => steps),
    done: window.messages.filter(({ type }) => type === 'done').length,
  }));
  assert.deepEqual(seen.compiled, []);
  assert.deepEqual(seen.fetched, []);
  assert.equal(seen.done, 10);
  assert.equal(seen.steps.reduce((sum, steps) => sum + steps, 0), 80);
  assert.ok(seen.steps.every((steps) => steps >= 1));
});

test('properties set before the element is defined count; null and undefined take attributes away', async () => {
  const page = await open('/bare');
  const drawn = await page.evaluate(async ({ script, caption }) => {
    const element = document.createElement('align-draw');
    element.setAttribute('device', 'cpu');
    element.caption = caption;
    element.seed = 3;
    document.body.append(element);
    await import(script);
    const early = [element.getAttribute('caption'), element.getAttribute('seed'), Object.keys(element)];
    await element.draw();
    const frames = element.frames.length;
    element.seed = null;
    element.model = undefined;
    return { early, frames, seed: element.hasAttribute('seed'), model: element.hasAttribute('model') };
  }, { script: `${server.url}/lib/align-draw.js`, caption: CAPTION });
  assert.deepEqual(drawn, { early: [CAPTION, '3', []], frames: 8, seed: false, model: false });
});

test('moved within a page while it draws it goes on; adopted by another document it keeps its style', async () => {
  const page = await open('/one');
  const seen = await page.evaluate(async () => {
    const element = document.querySelector('align-draw');
    const drawing = element.draw();
    const other = document.createElement('div');
    document.body.prepend(other);
    other.append(element);
    await drawing;
    const frames = element.frames.length;
    const frame = document.createElement('iframe');
    document.body.append(frame);
    frame.contentDocument.body.append(element);
    const box = frame.contentWindow.getComputedStyle(element.shadowRoot.querySelector('figure'));
    return { frames, display: frame.contentWindow.getComputedStyle(element).display, margin: box.margin };
  });
  assert.deepEqual(seen, { frames: 8, display: 'inline-block', margin: '0px' });
});

test('errors stay with the element, and a play button that fails is no unhandled rejection', async () => {
  const page = await open('/bare');
  const seen = await page.evaluate(async (script) => {
    const counts = { window: 0, unhandled: 0, element: 0 };
    window.onerror = () => { counts.window += 1; };
    addEventListener('error', () => (counts.window += 1));
    addEventListener('unhandledrejection', () => (counts.unhandled += 1));
    await import(script);
    const element = Object.assign(document.createElement('align-draw'), { caption: 'xyzzy', controls: true });
    element.setAttribute('autoplay', 'none');
    element.addEventListener('error', () => (counts.element += 1));
    document.body.append(element);
    const failed = new Promise((resolve) => element.addEventListener('error', resolve, { once: true }));
    element.shadowRoot.querySelector('button').click();
    await failed;
    // A rejection that nobody handles is told before the next task.
    await new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = resolve;
      port2.postMessage(0);
    });
    return counts;
  }, `${server.url}/lib/align-draw.js`);
  assert.deepEqual(seen, { window: 0, unhandled: 0, element: 1 });
});

test('seeds up to 2^64 − 1 are those of the command line', async () => {
  const page = await open('/bare');
  const largest = '18446744073709551615';
  const found = await page.evaluate(async ({ script, caption, seed }) => {
    await import(script);
    const draw = async (value) => {
      const element = Object.assign(document.createElement('align-draw'), { caption });
      element.setAttribute('device', 'cpu');
      element.setAttribute('autoplay', 'none');
      if (typeof value === 'string') element.setAttribute('seed', value);
      else element.seed = value;
      document.body.append(element);
      await element.draw();
      return [...element.frames.at(-1).image];
    };
    return { text: await draw(seed), number: await draw(BigInt(seed)) };
  }, { script: `${server.url}/lib/align-draw.js`, caption: CAPTION, seed: largest });
  assert.deepEqual(found.text, found.number);
  const native = paintNatively(CAPTION, largest, 'digits').frames.at(-1).image;
  const worst = native.reduce((most, x, i) => Math.max(most, Math.abs(x - found.text[i])), 0);
  assert.ok(worst <= CPU_TOLERANCE, `off by ${worst}`);
});

test('a page that asks for Trusted Types draws with the policy of ours alone', async () => {
  await allDrawn(await open('/trusted'));
  assert.match(await message(await open('/untrusted')), /worker could not start.*trusted-types/s);
});

test('under the documented Content-Security-Policy it draws', async () => {
  await allDrawn(await open('/allowed'));
});

test('a policy that forbids WebAssembly, the worker or the download is named in its place', async () => {
  assert.match(await message(await open('/no-wasm')), /WebAssembly does not run here/);
  assert.match(await message(await open('/no-worker')), /worker could not start.*worker-src/s);
  assert.match(await message(await open('/no-connect')), /could not be loaded/);
});

test('in a sandboxed frame without an origin it draws and talks to the page around it', async () => {
  const page = await open('/frame');
  const received = (type) => page.waitForFunction((type) => window.received?.find((message) => message?.source === 'align-draw' && message.type === type), type, { timeout: 60_000 }).then((handle) => handle.jsonValue());
  assert.deepEqual(await received('done'), { source: 'align-draw', type: 'done', caption: CAPTION, seed: 42 });
  // The square, then the words below it.
  await page.waitForFunction(() => window.received.some(({ type, width, height }) => type === 'size' && width === 300 && height > 310));
  await page.evaluate(() => {
    window.received.length = 0;
    document.querySelector('iframe').contentWindow.postMessage({ target: 'align-draw', type: 'draw', caption: 'the digit 3 is at the top of the digit 8', seed: 5 }, '*');
  });
  assert.equal((await received('done')).seed, 5);
  await page.evaluate(() => document.querySelector('iframe').contentWindow.postMessage({ target: 'align-draw', type: 'draw', caption: 'a cat' }, '*'));
  assert.match((await received('error')).message, /"cat"/);
});

test('the page that explains embedding draws, and its snippets follow the options', async () => {
  const page = await (await browser.newContext()).newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (entry) => entry.type() === 'error' && problems.push(entry.text()));
  await page.goto(`${server.url}/embed.html`);
  await allDrawn(page);
  await page.fill('[name=caption]', 'the digit 3 is at the "top" left of the image');
  await page.fill('[name=seed]', '9');
  await page.uncheck('[name=controls]');
  const snippet = await page.textContent('#element');
  assert.match(snippet, /caption="the digit 3 is at the &quot;top&quot; left of the image" seed="9" words>/);
  assert.match(await page.textContent('#frame'), /embed\.html\?caption=the\+digit\+3/);
  await page.selectOption('[name=model]', 'scenes');
  await page.waitForFunction(() => {
    const { frames } = document.querySelector('#example');
    return frames.at(-1)?.image.length === 3 * 64 * 64 && frames.length === frames[0].numSteps;
  });
  assert.match(await page.textContent('#element'), /caption="a yellow school bus parked in a parking lot" seed="3" model="scenes" words>/);
  assert.match(await page.textContent('#frame'), /model=scenes/);
  assert.deepEqual(problems, []);
});
