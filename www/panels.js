// @ts-check
/** Hides what a model has nothing to show in: `data-needs` in the page names what a part needs, with spaces between. */

/** @param {import('./lib/aligndraw.js').ModelInfo} info */
export function showPanels({ shows, words }) {
  /** @type {Record<string, boolean>} */
  const has = { ...shows, words: words.length > 0 };
  for (const part of document.querySelectorAll('[data-needs]')) {
    const { needs = '' } = /** @type {HTMLElement} */ (part).dataset;
    /** @type {HTMLElement} */ (part).hidden = !needs.split(' ').every((name) => has[name]);
  }
}
