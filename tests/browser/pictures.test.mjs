// What a colour picture's canvas gets is what its numbers say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from './harness.mjs';
import { served } from './served.mjs';

const { server, browser } = await served();

test('the pixels of every step are its numbers, also when steps and pictures follow one another', async () => {
  const page = await openPage(await browser.newContext(), `${server.url}/embed.html?poster=`);
  const worst = await page.evaluate(async () => {
    const { load } = await import('/lib/aligndraw.js');
    const model = await load({ model: 'scenes', device: 'cpu', pkg: '/pkg/' });
    const { width, height } = model.info;
    let worst = 0;
    for await (const frames of model.drawMany(model.info.example, { seeds: [1, 2, 3, 4] })) {
      for (const { image, pixels } of frames) {
        for (let at = 0; at < width * height; at += 1) {
          for (let c = 0; c < 3; c += 1) worst = Math.max(worst, Math.abs(pixels.data[4 * at + c] - 255 * image[c * width * height + at]));
        }
      }
    }
    model.dispose();
    return worst;
  });
  assert.ok(worst < 0.51, `a pixel is off by ${worst}`);
});
