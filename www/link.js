// @ts-check
/** A picture's address: caption and seed in the link reproduce it. */

/** Seeds that every JavaScript number holds exactly. */
export const MOST_SEED = 2 ** 53 - 4;

/** @param {string} text @returns {number | null} */
export function parseSeed(text) {
  const seed = /^\d{1,16}$/.test(text.trim()) ? Number(text) : NaN;
  return Number.isSafeInteger(seed) && seed <= MOST_SEED ? seed : null;
}

/** What the address asks for. */
export function readLink() {
  const query = new URLSearchParams(location.search);
  const device = query.get('device');
  return {
    caption: query.get('caption'),
    seed: parseSeed(query.get('seed') ?? ''),
    model: query.get('model') ?? undefined,
    device: /** @type {'auto' | 'cpu' | 'webgpu'} */ (['cpu', 'webgpu'].includes(device ?? '') ? device : 'auto'),
  };
}

/** Puts the picture into the address without a new entry in the history. @param {string} caption @param {number} seed */
export function writeLink(caption, seed) {
  const url = new URL(location.href);
  url.searchParams.set('caption', caption);
  url.searchParams.set('seed', String(seed));
  history.replaceState(null, '', url);
  return url.href;
}
