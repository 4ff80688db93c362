// @ts-check
/** Where the model computes, why there, and how long the last drawing took. */

/** @param {HTMLElement} badge @param {import('./lib/aligndraw.js').DeviceState} state @param {string} timing */
export function showBadge(badge, { device, reason, adapter }, timing) {
  const name = Object.assign(document.createElement('b'), { textContent: device === 'cpu' ? 'CPU' : 'WebGPU' });
  badge.replaceChildren('Drawn on the ', name, adapter && ` of ${adapter}`, reason ? ` (${reason})` : '', timing ? `, ${timing}` : '');
  badge.dataset.device = device;
}
