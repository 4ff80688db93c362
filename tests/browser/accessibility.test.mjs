// axe-core on every page and on the element, light and dark, wide and narrow.
import assert from 'node:assert/strict';
import axe from 'axe-core';
import { after, before, test } from 'node:test';
import { startBrowser, startServer } from './harness.mjs';
import { startBlog } from './host.mjs';

let server, browser, blog;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
  blog = await startBlog({
    '/': `<meta name="viewport" content="width=device-width"><main><h1>A blog</h1><align-draw caption="the digit seven is on the left of the digit two" seed="42" words controls editable></align-draw></main><script type="module" src="${server.url}/lib/align-draw.js"></script>`,
  });
});
after(async () => {
  await browser.close();
  server.stop();
  blog.stop();
});

const drawn = () => document.documentElement.dataset.drawn || [...document.querySelectorAll('align-draw')].some(({ frames }) => frames.length > 0 && frames.length === frames[0].numSteps);
/** Path, and when the page is ready. */
const PAGES = { page: ['/', drawn], scenes: ['/?model=scenes', drawn], gallery: ['/gallery.html', () => document.querySelectorAll('canvas').length > 3], describe: ['/describe.html', () => document.querySelector('#paint')], search: ['/search.html?q=a cup on a table', () => document.documentElement.dataset.found], roundtrip: ['/roundtrip.html', () => document.documentElement.dataset.back], painters: ['/painters.html?kind=mnist-captions', drawn], embed: ['/embed.html', drawn], element: [null, drawn] };

for (const [name, [path, ready]] of Object.entries(PAGES)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe-core finds nothing on the ${name}, ${colorScheme}`, async () => {
      for (const width of [1280, 390]) {
        const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce', bypassCSP: true });
        const page = await context.newPage();
        await page.goto(path === null ? blog.url : server.url + path);
        await page.waitForFunction(ready, null, { timeout: 60_000 });
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} (${failureSummary})`).join('; ')}`);
        assert.deepEqual(found, [], `${width} px`);
        await context.close();
      }
    });
  }
}
