// The WebGPU engine on a software adapter: right, not fast.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { SOFTWARE_GPU, drawInPage, drawn, openPage, paintNatively, startBrowser, startServer, worstDifference } from './harness.mjs';

const CAPTION = 'the digit seven is on the left of the digit two';
/** Another order of summation on another machine. */
const GPU_TOLERANCE = 1e-2;
const PATIENCE = 150_000;

describe('webgpu', () => {
  let server, browser, page;
  before(async () => {
    server = await startServer();
    browser = await startBrowser(SOFTWARE_GPU);
    page = await openPage(await browser.newContext(), `${server.url}/?device=webgpu&model=aligndraw-digits`);
    await page.waitForFunction(() => document.getElementById('badge').dataset.device === 'webgpu', null, { timeout: PATIENCE }).catch(async () => {
      throw new Error(`WebGPU was not taken: ${await page.locator('#badge').textContent()}; ${page.problems.join('; ')}`);
    });
  });
  after(async () => {
    await browser?.close();
    server?.stop();
  });

  test('draws the native picture of the same seed', { timeout: PATIENCE }, async () => {
    const worst = worstDifference(await drawInPage(page, CAPTION, 7), paintNatively(CAPTION, 7, 'aligndraw-digits').frames);
    console.log(`native CPU against browser WebGPU: ${worst.toExponential(1)}`);
    assert.ok(worst <= GPU_TOLERANCE, `differs by ${worst}`);
  });

  test('the badge names the adapter, and nothing of WebGPU is patched', { timeout: PATIENCE }, async () => {
    const { adapter } = await page.evaluate(() => aligndraw.state);
    assert.match(adapter, /swiftshader/i);
    assert.ok((await page.locator('#badge').textContent()).startsWith(`Drawn on the WebGPU of ${adapter}`));
    assert.doesNotMatch(readFileSync('www/lib/worker.js', 'utf8'), /prototype/);
  });

  test('a lost device goes on at the same seed on the CPU', { timeout: PATIENCE }, async () => {
    await drawn(page, CAPTION, PATIENCE);
    const frames = await page.evaluate(async (caption) => {
      const frames = [];
      for await (const { image, alignment, step } of aligndraw.draw(caption, { seed: 7 })) {
        frames.push({ step, image: [...image], alignment: [...alignment] });
        if (step === 2) aligndraw.loseGpu();
      }
      return frames;
    }, CAPTION);
    assert.deepEqual(frames.map((frame) => frame.step), Array.from({ length: 32 }, (_, i) => i + 1));
    assert.ok(worstDifference(frames, paintNatively(CAPTION, 7, 'aligndraw-digits').frames) <= GPU_TOLERANCE);
    assert.match(await page.locator('#badge').textContent(), /CPU \(the GPU device was lost\)/);
  });
});
