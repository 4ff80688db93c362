// How a worker's frames reach a canvas, in Chromium: as ImageData that the page puts, as this project does, or by the worker
// itself into an OffscreenCanvas of the page. Usage: node benches/canvas.mjs
import { startBrowser } from '../tests/browser/harness.mjs';
import { startBlog } from '../tests/browser/host.mjs';

const SIDE = 64;
const FRAMES = 2000;
const ROUNDS = 5;

// Each frame is asked for when the one before has come, as a drawing's steps are.
const worker = `
  let context = null;
  const pixels = new Uint8ClampedArray(${4 * SIDE * SIDE});
  onmessage = ({ data }) => {
    if (data.canvas) context = data.canvas.getContext('2d');
    if (data.canvas) return;
    pixels.fill(data.frame % 256);
    const image = new ImageData(pixels.slice(), ${SIDE}, ${SIDE});
    if (context) context.putImageData(image, 0, 0);
    postMessage(context ? { frame: data.frame } : { frame: data.frame, image }, context ? [] : [image.data.buffer]);
  };`;
const blog = await startBlog({ '/': `<!doctype html><canvas width="${SIDE}" height="${SIDE}"></canvas>` });
const browser = await startBrowser();
const page = await browser.newPage();
await page.goto(blog.url);

/** Microseconds of the page's own thread a frame, and of a frame from asking to coming. */
const measured = (offscreen) =>
  page.evaluate(
    async ({ offscreen, source, side, frames }) => {
      const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
      const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
      document.querySelector('canvas').replaceWith(canvas);
      const context = offscreen ? null : canvas.getContext('2d');
      if (offscreen) {
        const given = canvas.transferControlToOffscreen();
        worker.postMessage({ canvas: given }, [given]);
      }
      let busy = 0;
      const began = performance.now();
      for (let frame = 0; frame < frames; frame += 1) {
        const came = new Promise((resolve) => {
          worker.onmessage = ({ data }) => {
            const from = performance.now();
            // Reading data deserialises the message: it counts.
            if (data.image) context.putImageData(data.image, 0, 0);
            busy += performance.now() - from;
            resolve();
          };
        });
        worker.postMessage({ frame });
        await came;
      }
      const all = performance.now() - began;
      worker.terminate();
      return { busy: (1000 * busy) / frames, all: (1000 * all) / frames };
    },
    { offscreen, source: worker, side: SIDE, frames: FRAMES },
  );

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rounds = { page: [], worker: [] };
for (let round = 0; round < ROUNDS; round += 1) {
  rounds.page.push(await measured(false));
  rounds.worker.push(await measured(true));
}
const of = (name, what) => median(rounds[name].map((round) => round[what]));
console.log(`frames of ${SIDE}×${SIDE}, medians of ${ROUNDS} rounds of ${FRAMES}, microseconds a frame`);
console.log(`ImageData, put by the page: ${of('page', 'all').toFixed(0)}, of which the page's thread ${of('page', 'busy').toFixed(1)}`);
console.log(`OffscreenCanvas, put by the worker: ${of('worker', 'all').toFixed(0)}, of which the page's thread ${of('worker', 'busy').toFixed(1)}`);
console.log(`ratio ${(of('page', 'all') / of('worker', 'all')).toFixed(2)}`);
await browser.close();
blog.stop();
