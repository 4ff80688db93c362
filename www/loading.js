// @ts-check
/** What the pages that work with several models share: each is loaded once, its progress and what went wrong are shown. */

import { load } from './lib/aligndraw.js';

/** @typedef {import('./lib/aligndraw.js').AlignDraw} AlignDraw */

const el = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Models that were asked for, by name. @type {Map<string, Promise<AlignDraw>>} */
const models = new Map();

/**
 * A model, loaded when it is first asked for; after a failure it is tried again.
 * @param {string} name @param {import('./lib/aligndraw.js').DeviceChoice} [device] @returns {Promise<AlignDraw>}
 */
export function model(name, device = 'auto') {
  const known = models.get(name);
  if (known) return known;
  const bar = /** @type {HTMLProgressElement} */ (el('progress'));
  const coming = load({
    model: name,
    device,
    onProgress: ({ loaded, total }) => {
      bar.hidden = loaded >= total;
      [bar.max, bar.value] = [total, loaded];
      el('status').textContent = bar.hidden ? '' : `Loading the model: ${Math.round((100 * loaded) / total)} %`;
    },
  });
  models.set(name, coming);
  coming.catch(() => models.delete(name)).finally(() => (bar.hidden = true));
  return coming;
}

/** @param {unknown} error */
export function showError(error) {
  el('status').textContent = '';
  el('error-text').textContent = String(/** @type {any} */ (error)?.message ?? error);
  el('error').hidden = false;
}
