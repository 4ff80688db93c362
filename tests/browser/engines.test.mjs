// The static site and the element in three browser engines, on a plain host in a sub-folder, from another origin.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ENGINES } from './engines.mjs';
import { paintNatively } from './harness.mjs';
import { startBlog, startHost } from './host.mjs';

const CAPTION = 'the digit seven is on the left of the digit two';
const TOLERANCE = 1e-4;
let host, blog, native;

const element = (attributes = '') => `<script type="module" src="${host.url}/align-draw.js"></script><align-draw caption="${CAPTION}" seed="42" device="cpu" ${attributes}></align-draw>`;

before(async () => {
  host = await startHost('site', { at: '/deep/folder/', ranges: true });
  native = paintNatively(CAPTION, 42).frames.at(-1).image;
  // Only what embedding needs, as the README says.
  const policy = `default-src 'none'; script-src ${host.origin} 'wasm-unsafe-eval'; worker-src blob:; connect-src ${host.origin}; style-src 'unsafe-inline'`;
  const opaque = `<script type="module">
    import { load } from '${host.url}/aligndraw.js';
    const from = [];
    for (const round of [1, 2]) {
      const seen = new Set();
      const model = await load({ device: 'cpu', onProgress: (progress) => seen.add(progress.from) });
      for await (const frame of model.draw('${CAPTION}', { seed: 42 }));
      model.dispose();
      from.push([...seen].join());
    }
    let denied = '';
    try { await caches.open('x'); } catch (error) { denied = error.name; }
    parent.postMessage({ from, origin: self.origin, denied: denied || (self.caches ? 'no' : 'absent') }, '*');
  </script>`;
  const frames = (html) => `<script>window.received = new Promise((resolve) => addEventListener('message', ({ data }) => data.type === 'done' || data.from ? resolve(data) : data.type === 'error' && resolve(data)));</script>${html}`;
  blog = await startBlog({
    '/element': element(),
    '/strict': { html: element(), headers: { 'content-security-policy': policy } },
    '/forbidden': { html: element(), headers: { 'content-security-policy': policy.replace(" 'wasm-unsafe-eval'", '') } },
    '/frame': frames(`<iframe sandbox="allow-scripts" src="${host.url}/embed.html?caption=${encodeURIComponent(CAPTION)}&seed=42&device=cpu&autoplay=load"></iframe>`),
    '/opaque': frames(`<iframe sandbox="allow-scripts" srcdoc="${opaque.replaceAll('"', '&quot;')}"></iframe>`),
    '/ten': `<script type="module" src="${host.url}/align-draw.js"></script>${Array.from({ length: 10 }, (_, seed) => `<align-draw seed="${seed}" device="cpu" autoplay="load"></align-draw>`).join('')}`,
    '/empty': `<script type="module" src="${host.url}/align-draw.js"></script>`,
  });
});
after(() => {
  host.stop();
  blog.stop();
});

/** In the page: waits until the element has drawn, and tells how. */
const outcome = async () => {
  await customElements.whenDefined('align-draw');
  const element = document.querySelector('align-draw');
  const message = element.shadowRoot.querySelector('.message');
  for (let waited = 0; waited < 60_000; waited += 50) {
    if (element.frames.length && element.frames.length === element.frames[0].numSteps) return { image: [...element.frames.at(-1).image] };
    if (message.hasAttribute('data-problem')) return { problem: message.textContent };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { problem: 'nothing happened' };
};

const worst = (image) => image.reduce((most, x, i) => Math.max(most, Math.abs(x - native[i])), 0);
const downloads = () => host.requests.filter(({ path }) => /\.(wasm|safetensors)$/.test(path));

for (const [name, start] of Object.entries(ENGINES)) {
  describe(name, () => {
    let browser;
    before(async () => (browser = await start()));
    after(() => browser?.close());

    test('draws from another origin what the native binary paints, and needs no network the second time', async () => {
      await browser.goto(`${blog.url}/empty`);
      await browser.evaluate(async (url) => (await import(url)).clearCache(), `${host.url}/aligndraw.js`);
      host.requests.length = 0;
      await browser.goto(`${blog.url}/element`);
      const { image, problem } = await browser.evaluate(outcome);
      assert.equal(problem, undefined);
      assert.ok(worst(image) <= TOLERANCE, `off by ${worst(image)}`);
      assert.equal(downloads().length, 2, 'one engine, one set of weights');
      await browser.goto(`${blog.url}/element`);
      assert.equal((await browser.evaluate(outcome)).problem, undefined);
      assert.equal(downloads().length, 2, 'nothing is downloaded again');
    });

    test('ten elements share one engine and one download', async () => {
      await browser.goto(`${blog.url}/empty`);
      await browser.evaluate(async (url) => (await import(url)).clearCache(), `${host.url}/aligndraw.js`);
      host.requests.length = 0;
      await browser.goto(`${blog.url}/ten`);
      const pictures = await browser.evaluate(async () => {
        await customElements.whenDefined('align-draw');
        const elements = [...document.querySelectorAll('align-draw')];
        const whole = ({ frames }) => frames.length > 0 && frames.length === frames[0].numSteps;
        for (let waited = 0; waited < 60_000 && !elements.every(whole); waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
        return elements.filter(whole).map(({ frames }) => frames.at(-1).image.reduce((sum, x) => sum + x, 0));
      });
      assert.equal(new Set(pictures).size, 10, 'ten pictures of ten seeds');
      assert.equal(downloads().length, 2);
    });

    test('a damaged store is noticed and mended, and what is out of date is removed', async () => {
      await browser.goto(`${blog.url}/empty`);
      host.requests.length = 0;
      const { before, after, names } = await browser.evaluate(async (url) => {
        const { clearCache, load } = await import(url);
        const kept = async () => (await (await caches.open('aligndraw-2')).keys()).map(({ url }) => url).filter((url) => url.includes('aligndraw-files'));
        await clearCache();
        (await load({ device: 'cpu' })).dispose();
        const before = await kept();
        const cache = await caches.open('aligndraw-2');
        for (const key of before) await cache.put(key, new Response('garbage'));
        await cache.put('https://aligndraw.invalid/aligndraw-files/weights/digits?sha256=old', new Response('an older version'));
        await (await caches.open('aligndraw-1')).put('/x', new Response('an older format'));
        (await load({ device: 'cpu' })).dispose();
        const garbage = await Promise.all(before.map(async (key) => (await (await cache.match(key)).arrayBuffer()).byteLength));
        return { before, after: garbage.every((bytes) => bytes > 1000) ? await kept() : garbage, names: await caches.keys() };
      }, `${host.url}/aligndraw.js`);
      assert.equal(before.length, 2);
      assert.equal(downloads().length, 4);
      assert.deepEqual(after.sort(), before.sort());
      assert.deepEqual(names.filter((name) => name.startsWith('aligndraw')), ['aligndraw-2']);
    });

    /** Loads the element with a fault in the weights' first answer; what the second asked for. */
    async function afterFault(fault) {
      await browser.goto(`${blog.url}/empty`);
      await browser.evaluate(async (url) => (await import(url)).clearCache(), `${host.url}/aligndraw.js`);
      host.requests.length = 0;
      host.faults[fault].push('.safetensors');
      await browser.goto(`${blog.url}/element`);
      assert.equal((await browser.evaluate(outcome)).problem, undefined, fault);
      const tries = downloads().filter(({ path }) => path.endsWith('.safetensors'));
      assert.equal(tries.length, 2, fault);
      return tries[1].range;
    }

    test('a download that is cut half way goes on, and a damaged one begins anew', async () => {
      assert.equal(await afterFault('damage'), undefined);
      // A busy browser may hear of the cut before it reads what came: it then begins anew, and draws all the same.
      let range;
      for (let at = 0; at < 6 && range === undefined; at += 1) range = await afterFault('cut');
      assert.match(range ?? 'no range', /^bytes=\d{4,}-$/);
    });

    test('a strict Content-Security-Policy suffices, and one that forbids is named', async () => {
      await browser.goto(`${blog.url}/strict`);
      const { image, problem } = await browser.evaluate(outcome);
      assert.equal(problem, undefined);
      assert.ok(worst(image) <= TOLERANCE);
      await browser.goto(`${blog.url}/forbidden`);
      const forbidden = await browser.evaluate(outcome);
      assert.match(forbidden.problem ?? 'it draws', /^WebAssembly does not run here: .*(Content Security|CSP)/s);
    });

    test('a sandboxed frame without origin draws and reports; storage is denied there', async () => {
      await browser.goto(`${blog.url}/frame`);
      const received = await browser.evaluate(() => window.received);
      assert.equal(received.message, undefined);
      assert.equal(received.caption, CAPTION);
      await browser.goto(`${blog.url}/opaque`);
      const { from, origin, denied } = await browser.evaluate(() => window.received);
      assert.equal(origin, 'null');
      assert.notEqual(denied, 'no');
      assert.deepEqual(from, ['network', 'cache'], 'the page itself keeps the files');
    });

    test('the page works from its sub-folder, on the CPU where there is no WebGPU', async () => {
      await browser.goto(`${host.url}/?caption=${encodeURIComponent(CAPTION)}&seed=42`);
      const { badge, image } = await browser.evaluate(async () => {
        for (let waited = 0; waited < 60_000 && !document.documentElement.dataset.drawn; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
        let image;
        for await (const frame of window.aligndraw.draw('the digit seven is on the left of the digit two', { seed: 42 })) ({ image } = frame);
        // The trial of WebGPU ends with a reason.
        for (let waited = 0; waited < 60_000 && /being tried/.test(document.getElementById('badge').textContent); waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
        return { badge: document.getElementById('badge').textContent, image: [...image] };
      });
      assert.ok(worst(image) <= TOLERANCE);
      assert.match(badge, name === 'chromium' ? /Drawn on the CPU \((no GPU adapter|the only GPU adapter is software|faster here)|Drawn on the WebGPU/ : /Drawn on the CPU \(this browser has no WebGPU\)|Drawn on the WebGPU/);
    });

    test('the page opens and draws without a network the second time', async () => {
      const own = await startHost('site', { at: '/blog/' });
      const drawn = async () => {
        for (let waited = 0; waited < 30_000 && !document.documentElement.dataset.drawn; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
        await navigator.serviceWorker.ready;
        return document.documentElement.dataset.drawn;
      };
      try {
        await browser.goto(`${own.url}/?seed=42&device=cpu`);
        const first = await browser.evaluate(drawn);
        assert.match(first, /\|42$/);
        own.stop();
        await browser.goto(`${own.url}/?seed=43&device=cpu`);
        assert.match(await browser.evaluate(drawn), /\|43$/);
      } finally {
        own.stop();
      }
    });

    test('add, remove, move and change while it draws', async () => {
      await browser.goto(`${blog.url}/empty`);
      const result = await browser.evaluate(async (caption) => {
        await customElements.whenDefined('align-draw');
        const element = Object.assign(document.createElement('align-draw'), { caption, seed: 1, device: 'cpu', autoplay: 'none' });
        document.body.append(element);
        element.draw().catch(() => {});
        element.seed = 2;
        element.remove();
        const section = document.body.appendChild(document.createElement('section'));
        section.append(element);
        element.seed = 42;
        await element.draw();
        const first = [...element.frames.at(-1).image];
        document.body.prepend(element);
        element.caption = 'the digit nine is at the top left of the image';
        await new Promise((resolve) => element.addEventListener('done', resolve, { once: true }));
        const differs = element.frames.at(-1).image.some((x, i) => Math.abs(x - first[i]) > 0.1);
        element.caption = 'a word it never saw';
        const { detail } = await new Promise((resolve) => element.addEventListener('error', resolve, { once: true }));
        return { first, differs, message: detail.message };
      }, CAPTION);
      assert.ok(worst(result.first) <= TOLERANCE);
      assert.ok(result.differs);
      assert.match(result.message, /never/);
    });

    test('PNG, GIF and WebM say what they were drawn from', async () => {
      await browser.goto(`${blog.url}/element`);
      await browser.evaluate(outcome);
      const files = await browser.evaluate(async () => {
        const element = document.querySelector('align-draw');
        element.seek(element.frames.length);
        const written = {};
        for (const type of ['image/png', 'image/gif', 'video/webm', 'image/tiff']) {
          try {
            written[type] = [...new Uint8Array(await (await element.toBlob(type)).arrayBuffer())];
          } catch (error) {
            written[type] = error.message;
          }
        }
        return written;
      });
      const { fromPng } = await import('../../www/lib/metadata.js');
      const drawn = fromPng(Uint8Array.from(files['image/png']));
      assert.equal(drawn.caption, CAPTION);
      assert.equal(drawn.seed, 42);
      assert.equal(drawn.model, 'digits');
      assert.match(drawn.sha256, /^[0-9a-f]{64}$/);
      assert.equal(drawn.step, undefined);
      const gif = Buffer.from(files['image/gif']).toString('latin1');
      assert.match(gif, /^GIF89a/);
      assert.ok(gif.includes(JSON.stringify(drawn)));
      // Debian's WebKitGTK has no encoder for it.
      const records = await browser.evaluate(() => Boolean(globalThis.MediaRecorder?.isTypeSupported('video/webm')));
      assert.ok(records || name === 'webkit');
      if (!records) assert.match(files['video/webm'], /cannot write WebM: take the GIF/);
      else assert.ok(Buffer.from(files['video/webm']).toString('latin1').includes(JSON.stringify(drawn)));
      assert.match(files['image/tiff'], /expected image\/png, image\/gif or video\/webm/);
    });
  });
}
