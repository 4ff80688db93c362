// The npm package, from its tarball: what is in it, imported on a server, bundled by Vite, and on a plain page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'vite';
import { paintNatively, startBrowser } from './harness.mjs';
import { startHost } from './host.mjs';

const CAPTION = 'the digit seven is on the left of the digit two';
const SCRIPT = `
  import { load } from 'aligndraw';
  import 'aligndraw/element';
  const model = await load({ device: 'cpu' });
  let image;
  for await (const frame of model.draw('${CAPTION}', { seed: 42 })) ({ image } = frame);
  window.drawn = [...image];
`;
const ELEMENT = `<align-draw caption="${CAPTION}" seed="42" device="cpu"></align-draw>`;
let project, browser, files;

before(async () => {
  project = mkdtempSync(join(tmpdir(), 'aligndraw-package-'));
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', project], { cwd: 'pkg', stdio: ['ignore', 'pipe', 'ignore'] }));
  files = packed.files.map(({ path }) => path);
  writeFileSync(join(project, 'package.json'), '{ "name": "scratch", "private": true, "type": "module" }');
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${packed.filename}`], { cwd: project, stdio: 'ignore' });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  rmSync(project, { recursive: true, force: true });
});

/** Opens a page of a host: what the library drew, and whether the element did. */
async function draws(url) {
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(url);
  await page.waitForFunction(() => window.drawn && document.querySelector('align-draw').frames.length === 8, null, { timeout: 60_000 }).catch((error) => problems.push(String(error)));
  assert.deepEqual(problems, []);
  const image = await page.evaluate(() => window.drawn);
  await page.close();
  const native = paintNatively(CAPTION, 42).frames.at(-1).image;
  const worst = image.reduce((most, x, i) => Math.max(most, Math.abs(x - native[i])), 0);
  assert.ok(worst <= 1e-4, `off by ${worst}`);
}

test('the tarball holds what is needed, and runs nothing when it is installed', () => {
  const manifest = JSON.parse(readFileSync(join(project, 'node_modules/aligndraw/package.json')));
  assert.equal(manifest.scripts, undefined);
  assert.equal(manifest.dependencies, undefined);
  const runs = JSON.parse(readFileSync('models/index.json', 'utf8')).filter(({ kind }) => kind !== 'text-to-text');
  const models = [...runs.map(({ name }) => name), 'eyes'].join('|');
  const known = new RegExp(String.raw`^(package\.json|README\.md|LICENSE-(MIT|APACHE)|licenses/[\w-]+\.(txt|md)|types/[\w-]+\.d\.ts|(cpu|flex|describe|webgpu)/aligndraw_bg\.wasm|models/(${models})\.(json|safetensors)|(align-draw|align-describe|aligndraw|rank|sharpen|worker|engine-(cpu|flex|describe|webgpu)|(chunk|look|record|gifenc\.esm|${models})-\w+)\.js)$`);
  assert.deepEqual(files.filter((file) => !known.test(file)), []);
  for (const needed of ['aligndraw.js', 'align-draw.js', 'worker.js', 'types/aligndraw.d.ts', 'licenses/fluent-emoji.txt']) assert.ok(files.includes(needed), needed);
});

test('bundlers leave alone what is imported at run time, and the worker is one file', () => {
  const folder = join(project, 'node_modules/aligndraw');
  for (const file of files.filter((file) => file.endsWith('.js'))) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [whole] of text.matchAll(/\bimport\((?!["'`$])[^;]{0,100}/g)) assert.match(whole, /^import\(\/\* webpackIgnore: true \*\/ .*\/\* @vite-ignore \*\//, file);
    if (/^(worker|engine-\w+)\.js$/.test(file)) assert.doesNotMatch(text, /\bimport\s*["'{*]|\bexport\s*[{*]|import\.meta/, file);
  }
});

test('it imports on a server', () => {
  const script = `
    const library = await import('aligndraw');
    const element = await import('aligndraw/element');
    if (typeof library.load !== 'function' || typeof element.AlignDrawElement !== 'function') throw new Error('exports are missing');
  `;
  execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: project, stdio: 'pipe' });
});

test('Vite bundles it, for a sub-folder', async () => {
  writeFileSync(join(project, 'index.html'), `<!doctype html><title>Scratch</title>${ELEMENT}<script type="module" src="./main.js"></script>`);
  writeFileSync(join(project, 'main.js'), SCRIPT);
  await build({ root: project, base: './', logLevel: 'error', build: { target: 'es2022' } });
  const host = await startHost(join(project, 'dist'), { at: '/blog/' });
  try {
    await draws(`${host.url}/`);
  } finally {
    host.stop();
  }
});

test('a page without a bundler names its files', async () => {
  const folder = join(project, 'node_modules/aligndraw');
  mkdirSync(join(folder, 'page'));
  writeFileSync(join(folder, 'page/index.html'), `<!doctype html><title>Plain</title>${ELEMENT}<script type="module">${SCRIPT.replace("'aligndraw'", "'../aligndraw.js'").replace("'aligndraw/element'", "'../align-draw.js'")}</script>`);
  const host = await startHost(folder);
  try {
    await draws(`${host.url}/page/`);
  } finally {
    host.stop();
  }
});
