// @ts-check
/** Moved frames as text, for links, attributes and files: `2:0.3,0.7,0.4;5.1:…` — word, then which of several, centre and size. */

/** @typedef {import('./aligndraw.js').WordFrames} WordFrames */

/** @param {WordFrames} frames @returns {string} empty where nothing is moved */
export function formatFrames(frames) {
  const number = (/** @type {number} */ x) => String(Number(x.toFixed(3)));
  const parts = Object.entries(frames).flatMap(([word, of]) =>
    [of].flat().map(({ x, y, size }, instance) => `${word}${instance ? `.${instance}` : ''}:${[x, y, size].map(number).join(',')}`),
  );
  return parts.join(';');
}

/** @param {string | null | undefined} text @returns {WordFrames} what of it is understood */
export function parseFrames(text) {
  /** @type {Record<string, import('./aligndraw.js').WordFrame[]>} */
  const frames = {};
  for (const part of (text ?? '').split(';')) {
    const [, word, instance, ...numbers] = part.match(/^(\d+)(?:\.(\d+))?:(-?[\d.]+),(-?[\d.]+),([\d.]+)$/) ?? [];
    const [x, y, size] = numbers.map(Number);
    if (word && [x, y, size].every(Number.isFinite) && Number(instance ?? 0) === (frames[word]?.length ?? 0)) (frames[word] ??= []).push({ x, y, size });
  }
  return frames;
}
