// @ts-check
/** What to paste into one's own page. */

import { element } from './lib/assets.js';

/**
 * @typedef {{caption: string, seed: import('./lib/seed.js').Seed, model?: string, autoplay?: string, switches?: string[], size?: number, temperature?: number, layout?: string}} Options
 */

/** Pixels of an element, unless its style says otherwise. */
const SIZE = 320;
/** Pixels that a part below the picture takes. */
const HEIGHTS = [['words', 44], ['controls', 48], ['editable', 44]];

const escape = (/** @type {string} */ text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

/** Names and values; a switch has none. @param {Options} options @returns {[string, string][]} */
const attributes = ({ caption, seed, model = 'digits', autoplay = 'visible', switches = [], temperature, layout }) => [
  ['caption', caption],
  ['seed', String(seed)],
  ...(model === 'digits' ? [] : /** @type {[string, string][]} */ ([['model', model]])),
  ...(autoplay === 'visible' ? [] : /** @type {[string, string][]} */ ([['autoplay', autoplay]])),
  ...(temperature === undefined ? [] : /** @type {[string, string][]} */ ([['temperature', String(temperature)]])),
  ...(layout ? /** @type {[string, string][]} */ ([['layout', layout]]) : []),
  ...switches.map((name) => /** @type {[string, string]} */ ([name, ''])),
];

/** The custom element, with its script. @param {Options} options */
export function elementSnippet(options) {
  const { size = SIZE } = options;
  const text = attributes(options).map(([name, value]) => (value ? ` ${name}="${escape(value)}"` : ` ${name}`));
  const style = size === SIZE ? '' : ` style="--align-draw-size: ${size}px"`;
  return `<script type="module" src="${element().href}"></script>\n<align-draw${text.join('')}${style}></align-draw>`;
}

/** The frame. @param {Options} options */
export function frameSnippet(options) {
  const { caption, switches = [], size = SIZE } = options;
  const address = new URL('embed.html', document.baseURI);
  address.search = String(new URLSearchParams(attributes(options)));
  const height = HEIGHTS.reduce((sum, [name, pixels]) => sum + (switches.includes(String(name)) ? Number(pixels) : 0), size);
  return `<iframe src="${escape(address.href)}" width="${size}" height="${height}" style="border: 0" loading="lazy" title="${escape(caption)}"></iframe>`;
}
