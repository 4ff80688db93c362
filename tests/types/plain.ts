// TypeScript alone: the element, its events and the library, from the package's own types.
import { AlignDrawError, load } from 'aligndraw';
import type { AlignDrawElement } from 'aligndraw/element';
import 'aligndraw/describe';
import 'aligndraw/element';
import { search } from 'aligndraw/rank';
import { sharpen } from 'aligndraw/sharpen';

const found = document.querySelector('align-draw');
const words: boolean | undefined = found?.words;
const made = document.createElement('align-draw');
made.addEventListener('frame', (event) => {
  const step: number = event.detail.step;
  made.seek(step);
});
made.addEventListener('done', ({ detail }) => detail.milliseconds.toFixed());
made.addEventListener('error', ({ detail }) => detail.message.length);
made.addEventListener('click', (event) => event.clientX);
// @ts-expect-error a frame has no such thing
made.addEventListener('frame', (event) => event.detail.colour);
made.caption = null;
made.seed = 2n ** 64n - 1n;
made.seed = undefined;
// @ts-expect-error a caption is a text
made.caption = 7;

const described = document.createElement('align-describe');
described.addEventListener('described', ({ detail }) => detail[0].text.length);
described.src = 'a.jpg';
// @ts-expect-error sentences are not numbers
described.addEventListener('described', ({ detail }) => detail[0].toFixed());

export async function find(pictures: Blob[]): Promise<number> {
  const { pictures: found } = await search(await load({ model: 'align-photos' }), 'a dog', pictures);
  return found[0].score;
}

export async function draw(): Promise<AlignDrawElement> {
  const model = await load({ model: 'scenes', device: 'cpu' });
  for await (const frame of model.draw('x', { seed: 3n })) (await sharpen(model, 'x', frame)).image[0];
  if (words) throw new AlignDrawError({ code: 'x', message: 'y' });
  return made;
}
