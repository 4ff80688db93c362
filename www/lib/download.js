// @ts-check
/**
 * Downloads that report bytes, retry when the network breaks off, and are kept for offline use.
 *
 * Everything goes through one cache of the Cache API where there is one: the network is asked first
 * for small files that may change, the cache first for weights, which are named by their hash.
 */

import { AlignDrawError } from './protocol.js';

const CACHE = 'aligndraw-1';
const TRIES = 3;

/** @typedef {(loaded: number, total: number, from: 'network' | 'cache') => void} OnBytes */

/** @returns {Promise<Cache | null>} null where storage is denied. */
async function openCache() {
  try {
    return await caches.open(CACHE);
  } catch {
    return null;
  }
}

/** Forgets everything that was kept. */
export async function clearCache() {
  try {
    return await caches.delete(CACHE);
  } catch {
    return false;
  }
}

/**
 * Keeps bytes for the next visit; failing to is no error.
 * @param {Cache | null} cache @param {string} key @param {Uint8Array} bytes @param {string} type
 */
async function keep(cache, key, bytes, type) {
  try {
    await cache?.put(key, new Response(bytes.slice(), { headers: { 'content-type': type } }));
  } catch {
    // A full or denied store only costs the next visit a download.
  }
}

/**
 * Reads a body and reports progress.
 * @param {Response} response @param {number} total bytes, 0 when unknown
 * @param {OnBytes} onBytes @param {'network' | 'cache'} from
 */
async function readBody(response, total, onBytes, from) {
  if (!response.body) return new Uint8Array(await response.arrayBuffer());
  const reader = response.body.getReader();
  const parts = [];
  let loaded = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    loaded += value.length;
    onBytes(loaded, Math.max(total, loaded), from);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * @param {string} url @param {AbortSignal} signal @param {number} total @param {OnBytes} onBytes
 */
async function fromNetwork(url, signal, total, onBytes) {
  const name = new URL(url).pathname.split('/').pop();
  let failure = '';
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    signal.throwIfAborted();
    try {
      const response = await fetch(url, { signal });
      if (!response.ok) {
        const code = response.status === 404 ? 'missing' : 'network';
        throw new AlignDrawError({ code, message: `${name} could not be loaded: the server answered ${response.status}` });
      }
      const length = Number(response.headers.get('content-length') ?? 0);
      const expected = response.headers.get('content-encoding') ? 0 : length;
      const bytes = await readBody(response, total || expected, onBytes, 'network');
      if ((total && bytes.length < total) || (expected && bytes.length < expected)) {
        throw new TypeError(`it broke off after ${bytes.length} bytes`);
      }
      return { bytes, type: response.headers.get('content-type') ?? '' };
    } catch (error) {
      if (signal.aborted || error instanceof AlignDrawError) throw error;
      failure = /** @type {Error} */ (error).message;
      await new Promise((resolve) => setTimeout(resolve, 150 * attempt));
    }
  }
  throw new AlignDrawError({
    code: 'network',
    message: `${name} could not be loaded after ${TRIES} tries (${failure}). Check the connection and try again.`,
  });
}

/**
 * A small file that may change: the network's, or the kept one when offline.
 * @param {string} url @param {AbortSignal} signal @param {OnBytes} [onBytes]
 */
export async function freshFile(url, signal, onBytes = () => {}) {
  const cache = await openCache();
  try {
    const { bytes, type } = await fromNetwork(url, signal, 0, onBytes);
    await keep(cache, url, bytes, type);
    return bytes;
  } catch (error) {
    const kept = signal.aborted ? undefined : await cache?.match(url);
    if (!kept || /** @type {any} */ (error).code === 'missing') throw error;
    return readBody(kept, 0, onBytes, 'cache');
  }
}

/**
 * A file named by its hash: the kept one if it is whole, else the network's.
 * @param {string} url @param {{sha256: string, bytes: number}} record
 * @param {AbortSignal} signal @param {OnBytes} onBytes
 */
export async function hashedFile(url, record, signal, onBytes) {
  const cache = await openCache();
  const key = `${url}?sha256=${record.sha256}`;
  const kept = await cache?.match(key);
  if (kept) {
    const bytes = await readBody(kept, record.bytes, onBytes, 'cache');
    if ((await sha256(bytes)) === record.sha256) return bytes;
    await cache?.delete(key);
  }
  const { bytes, type } = await fromNetwork(url, signal, record.bytes, onBytes);
  const found = await sha256(bytes);
  if (found && found !== record.sha256) {
    throw new AlignDrawError({
      code: 'wrong-hash',
      message: `The weights are damaged: SHA-256 ${found.slice(0, 12)}…, expected ${record.sha256.slice(0, 12)}…. Try again.`,
    });
  }
  await keep(cache, key, bytes, type);
  return bytes;
}

/**
 * Lower-case hexadecimal, or '' where the page's context has no WebCrypto (plain http on a foreign
 * host): the engine checks the hash again in any case.
 * @param {Uint8Array} bytes
 */
async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) return '';
  const digest = await crypto.subtle.digest('SHA-256', /** @type {BufferSource} */ (bytes));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
