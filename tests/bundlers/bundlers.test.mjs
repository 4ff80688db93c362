// The packed package, unchanged, in the projects of many bundlers and frameworks: built or served, opened in Chromium,
// and its drawing compared with the native one. ALIGNDRAW_BUNDLERS=all adds those that take longer.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { paintNatively, startBrowser } from '../browser/harness.mjs';
import { startHost } from '../browser/host.mjs';
import { scratch } from './install.mjs';

const CAPTION = 'the digit seven is on the left of the digit two';
const more = process.env.ALIGNDRAW_BUNDLERS === 'all' ? test : () => {};
let place, browser, expected;

before(async () => {
  place = scratch();
  browser = await startBrowser();
  expected = paintNatively(CAPTION, 42).frames.at(-1).image;
});
after(async () => {
  await browser?.close();
  place?.remove();
});

const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', ASTRO_TELEMETRY_DISABLED: '1', NO_COLOR: '1', FORCE_COLOR: '0', CI: '1' };

/** Starts one of the installed commands. */
function command(folder, name, args) {
  const child = spawn(resolve(place.tools, name), args, { cwd: folder, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  child.said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (child.said += text));
  child.ended = new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  return child;
}

/** Runs one of the installed commands to its end. @returns {Promise<string>} what it said */
async function run(folder, name, ...args) {
  const child = command(folder, name, args);
  assert.equal(await child.ended, 0, `${name} ${args.join(' ')}\n${child.said}`);
  return child.said;
}

/** A port that nobody listens at. */
const freePort = () =>
  new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

/** Opens a page: what the library drew there is the native picture, and the element drew it too. */
async function draws(url) {
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(url);
  const done = () => globalThis.drawn && document.querySelector('align-draw')?.frames?.length === 8;
  await page.waitForFunction(done, null, { timeout: 90_000 }).catch((error) => problems.push(String(error)));
  const told = await page.evaluate(() => document.querySelector('align-draw')?.shadowRoot?.querySelector('[data-problem]')?.textContent ?? '');
  assert.deepEqual([...problems, told].filter(Boolean), []);
  for (const image of await page.evaluate(() => [globalThis.drawn, [...document.querySelector('align-draw').frames.at(-1).image]])) {
    const worst = image.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i])), 0);
    assert.ok(image.length === expected.length && worst <= 1e-4, `off by ${worst}`);
  }
  await page.close();
}

/** Serves a built folder below `at`, and opens it. */
async function built(folder, at = '/', query = '') {
  const host = await startHost(folder, { at });
  try {
    await draws(`${host.url}/${query}`);
  } finally {
    host.stop();
  }
}

/** Starts a server of one of the installed commands, opens `path` there, and ends it. */
async function served(folder, name, args, path = '/') {
  const port = String(await freePort());
  const child = command(folder, name, args.map((arg) => arg.replace('PORT', port)));
  let over = false;
  child.ended.then(() => (over = true));
  try {
    const url = `http://127.0.0.1:${port}${path}`;
    while (!(await fetch(url).then(({ ok }) => ok, () => false))) {
      assert.equal(over, false, child.said);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await draws(url);
  } catch (error) {
    error.message += `\n${child.said}`;
    throw error;
  } finally {
    if (!over) process.kill(-child.pid);
    await child.ended;
  }
}

/** What esbuild and Rollup leave to be copied, as the package's README says. */
function copied(folder) {
  for (const file of ['worker.js', 'engine-cpu.js', 'engine-flex.js', 'engine-describe.js', 'engine-webgpu.js', 'cpu', 'flex', 'describe', 'webgpu', 'models']) {
    cpSync(join(folder, 'node_modules/aligndraw', file), join(folder, 'dist', file), { recursive: true });
  }
  cpSync(join(folder, 'index.html'), join(folder, 'dist/index.html'));
}

describe('the packed package draws', () => {
  for (const [bundler, flags] of [['Turbopack', []], ['webpack', ['--webpack']]]) {
    test(`in Next.js, built by ${bundler}`, async () => {
      const folder = place.project('next');
      await run(folder, 'next', 'build', ...flags);
      await served(folder, 'next', ['start', '--port', 'PORT', '--hostname', '127.0.0.1']);
    });
    const developed = bundler === 'Turbopack' ? test : more;
    developed(`in Next.js while it develops, with ${bundler}`, async () => {
      await served(place.project('next'), 'next', ['dev', ...flags, '--port', 'PORT', '--hostname', '127.0.0.1']);
    });
  }

  test('in Vite while it develops, as it comes', async () => {
    await served(place.project('vite'), 'vite', ['--port', 'PORT', '--strictPort', '--host', '127.0.0.1']);
  });

  test('in Vite, built for a sub-folder', async () => {
    const folder = place.project('vite');
    assert.doesNotMatch(await run(folder, 'vite', 'build', '--base', '/blog/', '--target', 'es2022'), /warn/i);
    await built(join(folder, 'dist'), '/blog/');
  });

  test('in React, whose properties it takes', async () => {
    const folder = place.project('react');
    await run(folder, 'vite', 'build', '--target', 'es2022');
    await built(join(folder, 'dist'));
  });

  test('in Preact', async () => {
    const folder = place.project('preact');
    await run(folder, 'vite', 'build', '--target', 'es2022');
    await built(join(folder, 'dist'));
  });

  test('in webpack, without a warning', async () => {
    const folder = place.project('webpack');
    await run(folder, process.execPath, 'build.mjs');
    cpSync(join(folder, 'index.html'), join(folder, 'dist/index.html'));
    await built(join(folder, 'dist'));
    // Engines of another folder, of another origin.
    const engines = await startHost('pkg');
    try {
      await built(join(folder, 'dist'), '/', `?pkg=${engines.url}`);
      assert.ok(engines.requests.some(({ path }) => path === '/cpu/aligndraw_bg.wasm'));
    } finally {
      engines.stop();
    }
  });

  test('in esbuild, with its files copied', async () => {
    const folder = place.project('esbuild');
    assert.doesNotMatch(await run(folder, 'esbuild', 'main.js', '--bundle', '--format=esm', '--minify', '--outdir=dist'), /warning/i);
    copied(folder);
    await built(join(folder, 'dist'));
  });

  test('in Rollup, with its files copied', async () => {
    const folder = place.project('rollup');
    const said = await run(folder, 'rollup', 'main.js', '--plugin', 'node-resolve', '--dir', 'dist');
    assert.doesNotMatch(said, /\(!\)/);
    copied(folder);
    await built(join(folder, 'dist'));
  });

  more('in Rollup with the plugin for such files', async () => {
    const folder = place.project('rollup');
    await run(folder, 'rollup', 'main.js', '--plugin', 'node-resolve', '--plugin', '@web/rollup-plugin-import-meta-assets', '--dir', 'dist');
    cpSync(join(folder, 'index.html'), join(folder, 'dist/index.html'));
    await built(join(folder, 'dist'));
  });

  test('in Parcel', async () => {
    const folder = place.project('parcel');
    await run(folder, 'parcel', 'build', 'index.html', '--no-cache');
    await built(join(folder, 'dist'));
  });

  test('in Astro, built', async () => {
    const folder = place.project('astro');
    await run(folder, 'astro', 'build');
    await built(join(folder, 'dist'));
  });

  more('in Astro while it develops', async () => {
    await served(place.project('astro'), 'astro', ['dev', '--port', 'PORT', '--host', '127.0.0.1']);
  });

  test('on a plain page', async () => {
    await built(place.project('plain'));
  });
});
