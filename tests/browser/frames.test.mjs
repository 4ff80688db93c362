// Frames of words: moved by keys and by pointer they change the picture, its link and its file; natively the same.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, drawn, openPage } from './harness.mjs';
import { served } from './served.mjs';

const CAPTION = 'the digit seven is on the left of the digit two';
const SEED = 7;
const { server, browser } = await served();

const query = new URLSearchParams({ caption: CAPTION, seed: String(SEED) });
const framesOf = (page) => page.evaluate(() => new URL(location.href).searchParams.get('frames'));
const moved = (page) => page.waitForFunction(() => new URL(location.href).searchParams.has('frames') && document.documentElement.dataset.drawn);

/** The last image natively, with frames as a link writes them: `2:0.3,0.7,0.4;…`. */
function paintedNatively(frames) {
  const folder = mkdtempSync(join(tmpdir(), 'aligndraw-'));
  try {
    const json = join(folder, 'frames.json');
    const flags = frames.split(';').flatMap((frame) => ['--frame', frame.replace(':', '=')]);
    execFileSync(binary, ['paint', CAPTION, '--seed', String(SEED), '-o', join(folder, 'out.png'), '--json', json, ...flags], { stdio: 'pipe' });
    return JSON.parse(readFileSync(json, 'utf8')).frames.at(-1).image;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('arrow keys move a frame, plus resizes it; the link draws it again, and so does the command line', async () => {
  const context = await browser.newContext();
  const page = await openPage(context, `${server.url}?${query}`);
  await drawn(page, CAPTION);
  const frames = page.locator('.frame:not([disabled])');
  await frames.first().waitFor({ state: 'attached' });
  assert.equal(await frames.count(), 2);
  await frames.first().focus();
  for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', '+']) await page.keyboard.press(key);
  await moved(page);
  await page.waitForFunction(() => !document.querySelector('#frames-reset').hidden);
  const link = await framesOf(page);
  assert.match(link, /^2:[\d.]+,[\d.]+,[\d.]+$/);

  const again = await openPage(context, `${server.url}?${query}&frames=${encodeURIComponent(link)}`);
  await drawn(again, CAPTION);
  assert.equal(await framesOf(again), link);
  const [, numbers] = link.split(':');
  const [x, y, size] = numbers.split(',').map(Number);
  const image = await again.evaluate(async ({ caption, seed, frames }) => {
    let last;
    for await (const frame of window.aligndraw.draw(caption, { seed, frames })) last = frame;
    return [...last.image];
  }, { caption: CAPTION, seed: SEED, frames: { 2: { x, y, size } } });
  const native = paintedNatively(link);
  const worst = image.reduce((most, value, at) => Math.max(most, Math.abs(value - native[at])), 0);
  assert.ok(worst <= 1e-4, `off by ${worst}`);

  await page.locator('#frames-reset').click();
  await page.waitForFunction(() => !new URL(location.href).searchParams.has('frames'));
  assert.deepEqual(page.problems, []);
});

test('a frame is dragged with a pointer and stays on the canvas', async () => {
  const page = await openPage(await browser.newContext(), `${server.url}?${query}`);
  await drawn(page, CAPTION);
  const frame = page.locator('.frame:not([disabled])').last();
  await frame.waitFor({ state: 'attached' });
  const box = await frame.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 - 30, box.y + box.height / 2 - 5_000, { steps: 4 });
  await page.mouse.up();
  await moved(page);
  const [, y] = (await framesOf(page)).split(':')[1].split(',').map(Number);
  assert.equal(y, 0, 'no further than the edge');
});

test('the temperature of the link is that of the picture, and the model’s own is not written', async () => {
  const page = await openPage(await browser.newContext(), `${server.url}?${query}&temperature=0`);
  await drawn(page, CAPTION);
  const same = await page.evaluate(() => {
    const canvases = [...document.querySelectorAll('#samples canvas')];
    return new Set(canvases.map((canvas) => canvas.toDataURL())).size;
  });
  assert.equal(same, 1, 'at temperature 0 every sample is the same');
  await page.getByRole('button', { name: 'The model’s own' }).click();
  await page.waitForFunction(() => !new URL(location.href).searchParams.has('temperature'));
});

test('the element draws in the same frames at the same temperature, and its file says so', async () => {
  const page = await openPage(await browser.newContext(), `${server.url}?${query}&frames=${encodeURIComponent('2:0.7,0.3,0.3')}`);
  await drawn(page, CAPTION);
  const found = await page.evaluate(async ({ caption, seed }) => {
    await import('./lib/align-draw.js');
    const element = Object.assign(document.createElement('align-draw'), { caption, seed, layout: '2:0.7,0.3,0.3', temperature: 0.2, autoplay: 'none' });
    document.body.append(element);
    await element.draw();
    let last;
    for await (const frame of window.aligndraw.draw(caption, { seed, temperature: 0.2, frames: { 2: { x: 0.7, y: 0.3, size: 0.3 } } })) last = frame;
    const mine = element.frames.at(-1).image;
    element.seek(element.frames.length);
    const text = new TextDecoder('latin1').decode(await (await element.toBlob()).arrayBuffer());
    element.setAttribute('temperature', '0.9');
    const redrawn = await new Promise((resolve) => element.addEventListener('done', () => resolve(element.frames.at(-1).image), { once: true }));
    return { same: mine.every((value, at) => value === last.image[at]), other: redrawn.some((value, at) => value !== mine[at]), text };
  }, { caption: CAPTION, seed: SEED });
  assert.ok(found.same && found.other, JSON.stringify({ same: found.same, other: found.other }));
  assert.match(found.text, /2:0\.7,0\.3,0\.3/);
});
