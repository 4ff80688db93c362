// What every project draws: through the library, and with the element of the page.
import { load } from 'aligndraw';
import 'aligndraw/element';

export async function draw() {
  const pkg = new URLSearchParams(location.search).get('pkg') ?? undefined;
  const model = await load({ device: 'cpu', pkg });
  let image;
  for await (const frame of model.draw('the digit seven is on the left of the digit two', { seed: 42 })) ({ image } = frame);
  model.dispose();
  globalThis.drawn = [...image];
}
