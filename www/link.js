// @ts-check
/** A picture's address: caption and seed in the link reproduce it. */

import { formatFrames, parseFrames } from './lib/frames.js';
import { parseSeed } from './lib/seed.js';

/**
 * A drawing that goes on otherwise after some steps.
 * @typedef {{step: number, caption: string, seed: bigint}} Branch
 */

/** What the address asks for. */
export function readLink() {
  const query = new URLSearchParams(location.search);
  const device = query.get('device');
  const step = /^\d{1,4}$/.test(query.get('branch') ?? '') ? Number(query.get('branch')) : null;
  return {
    caption: query.get('caption'),
    seed: parseSeed(query.get('seed') ?? ''),
    model: query.get('model') ?? undefined,
    /** @type {Branch | null} */
    branch: step === null ? null : { step, caption: query.get('then') ?? query.get('caption') ?? '', seed: parseSeed(query.get('seed2') ?? '') ?? 0n },
    frames: parseFrames(query.get('frames')),
    temperature: /^[\d.]+$/.test(query.get('temperature') ?? '') ? Math.min(Number(query.get('temperature')), 2) : undefined,
    sharpen: query.get('sharpen') === '1',
    device: /** @type {'auto' | 'cpu' | 'webgpu'} */ (['cpu', 'webgpu'].includes(device ?? '') ? device : 'auto'),
  };
}

/**
 * Puts the picture into the address without a new entry in the history.
 * @param {{model: string, caption: string, seed: import('./lib/seed.js').Seed, branch?: Branch | null, frames?: import('./lib/aligndraw.js').WordFrames, temperature?: number, sharpen?: boolean}} picture
 */
export function writeLink({ model, caption, seed, branch, frames = {}, temperature, sharpen }) {
  const url = new URL(location.href);
  const query = url.searchParams;
  query.set('caption', caption);
  query.set('seed', String(seed));
  if (model === 'digits') query.delete('model');
  else query.set('model', model);
  for (const name of ['branch', 'then', 'seed2']) query.delete(name);
  if (branch) {
    query.set('branch', String(branch.step));
    query.set('then', branch.caption);
    query.set('seed2', String(branch.seed));
  }
  const optional = { frames: formatFrames(frames), temperature: temperature === undefined ? '' : String(temperature), sharpen: sharpen ? '1' : '' };
  for (const [name, value] of Object.entries(optional)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  history.replaceState(null, '', url);
  return url.href;
}
