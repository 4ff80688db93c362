// @ts-check
/** One engine, one worker and one copy of the weights for all drawings of a page. */

import { load } from './aligndraw.js';

/**
 * @typedef {import('./aligndraw.js').AlignDraw} AlignDraw
 * @typedef {import('./aligndraw.js').Progress} Progress
 * @typedef {{model: Promise<AlignDraw>, value?: AlignDraw, watchers: Set<(progress: Progress) => void>}} Shared
 */

/** By model and device. @type {Map<string, Shared>} */
const loaded = new Map();

/**
 * The page's model of this name, loaded when it is first asked for.
 * @param {{model?: string, device?: import('./aligndraw.js').DeviceChoice, onProgress?: (progress: Progress) => void}} options
 * @returns {Promise<AlignDraw>} rejects like `load`; the next call then tries again
 */
export function sharedModel({ model, device, onProgress }) {
  const key = JSON.stringify([model ?? null, device ?? null]);
  let shared = loaded.get(key);
  if (!shared) {
    /** @type {Set<(progress: Progress) => void>} */
    const watchers = new Set();
    const report = (/** @type {Progress} */ progress) => watchers.forEach((watcher) => watcher(progress));
    const entry = /** @type {Shared} */ ({ model: load({ model, device, onProgress: report }), watchers });
    loaded.set(key, entry);
    entry.model.then(
      (value) => {
        entry.value = value;
        watchers.clear();
      },
      () => loaded.delete(key),
    );
    shared = entry;
  }
  if (onProgress && !shared.value) shared.watchers.add(onProgress);
  return shared.model;
}

/** Forgets a model whose engine stopped, so that the next call loads it again. @param {AlignDraw} model */
export function dropShared(model) {
  for (const [key, shared] of loaded) if (shared.value === model) loaded.delete(key);
  model.dispose();
}
