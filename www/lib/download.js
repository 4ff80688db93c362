// @ts-check
/**
 * Downloads that report bytes, go on where the network broke off, and are kept for offline use.
 *
 * Engines and weights are kept by their hash, which is checked before each use; a newer one takes the
 * older one's place. Small files that may change are asked of the network first. Where storage is denied
 * (private windows, foreign frames) the page keeps the bytes as long as it lives.
 */

import { forbidden, forbiddenBy, nameOf, refused } from './cause.js';
import { AlignDrawError } from './protocol.js';

const CACHE = 'aligndraw-2';
/** The service worker's begin with this. */
const PAGES = 'aligndraw-page';
const TRIES = 3;

/**
 * @typedef {import('./assets.js').Asset} Asset
 * @typedef {(loaded: number, total: number, from: 'network' | 'cache') => void} OnBytes
 * @typedef {{kept: Map<string, Uint8Array>, keep: (sha256: string, bytes: Uint8Array) => void}} Memory
 */

/** Those of earlier versions of this file. @returns {Promise<string[]>} */
const outdated = async () => (await caches.keys()).filter((name) => name.startsWith('aligndraw-') && name !== CACHE && !name.startsWith(PAGES));

/** @returns {Promise<Cache | null>} null where storage is denied. */
async function openCache() {
  // A frame without an origin may have a store, which nobody opens a second time.
  if (globalThis.origin === 'null') return null;
  try {
    const cache = await caches.open(CACHE);
    for (const name of await outdated()) await caches.delete(name);
    return cache;
  } catch {
    return null;
  }
}

/** Forgets everything that was stored. @returns {Promise<boolean>} whether there was anything */
export async function clearStored() {
  const cache = await openCache();
  const keys = (await cache?.keys()) ?? [];
  // File by file: WebKit stores nothing in a cache of a name that was deleted before.
  for (const key of keys) await cache?.delete(key);
  return keys.length > 0;
}

/**
 * Stores bytes for the next visit.
 * @param {Cache | null} cache @param {string} key @param {Uint8Array} bytes @param {string} type
 * @returns {Promise<boolean>} false where storage is denied or full
 */
async function store(cache, key, bytes, type) {
  try {
    await cache?.put(key, new Response(/** @type {BodyInit} */ (bytes.slice()), { headers: { 'content-type': type } }));
    return cache !== null;
  } catch {
    return false;
  }
}

/** The part of a file that has arrived. */
class Part {
  /** @type {Uint8Array[]} */
  chunks = [];
  length = 0;

  /** Reads a body to its end. @param {Response} response @param {(length: number) => void} onLength */
  async read(response, onLength) {
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.chunks.push(value);
      this.length += value.length;
      onLength(this.length);
    }
  }

  bytes() {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}

/**
 * @param {string} url @param {AbortSignal} signal @param {number} total bytes, 0 when unknown; of a file that
 * is known a new try asks for the rest alone
 * @param {OnBytes} onBytes
 */
async function fromNetwork(url, signal, total, onBytes) {
  const name = nameOf(url);
  let failure = '';
  let part = new Part();
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    signal.throwIfAborted();
    try {
      const from = total ? part.length : 0;
      const response = await fetch(url, { signal, headers: from ? { range: `bytes=${from}-` } : {} });
      if (!response.ok) throw refused(url, response);
      // A server that knows no ranges begins anew.
      if (response.status !== 206) part = new Part();
      const length = Number(response.headers.get('content-length') ?? 0);
      const expected = total || (response.headers.get('content-encoding') ? 0 : length);
      await part.read(response, (loaded) => onBytes(loaded, Math.max(expected, loaded), 'network'));
      if (part.length < expected) throw new TypeError(`it broke off after ${part.length} bytes`);
      return { bytes: part.bytes(), type: response.headers.get('content-type') ?? '' };
    } catch (error) {
      if (signal.aborted || error instanceof AlignDrawError) throw error;
      const directive = await forbiddenBy(url, /connect/);
      if (directive) throw forbidden(url, directive);
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
 * A file's bytes, and what is done when they have proved right: only then the ones before are forgotten.
 * @typedef {{bytes: Uint8Array, settle: () => Promise<unknown>}} Fetched
 */

/** What came instead of a file, for messages. @param {string} type a content type */
const instead = (type) => (/^text\/html/.test(type) ? ' (the server answered with a web page)' : '');

/**
 * A small file that may change: the network's, or the stored one when offline or when something else comes
 * in its place, as from a network that asks to log in.
 * @param {string} url @param {AbortSignal} signal
 * @param {(bytes: Uint8Array) => boolean} fits whether these bytes are such a file
 * @param {string} what it is
 * @returns {Promise<Fetched>}
 */
export async function freshFile(url, signal, fits, what) {
  const cache = await openCache();
  try {
    const { bytes, type } = await fromNetwork(url, signal, 0, () => {});
    if (!fits(bytes)) throw new AlignDrawError({ code: 'model', message: `${nameOf(url)} is not ${what}${instead(type)}` });
    return { bytes, settle: async () => url.startsWith('data:') || store(cache, url, bytes, type) };
  } catch (error) {
    const response = signal.aborted ? undefined : await cache?.match(url);
    if (!response || /** @type {any} */ (error).code === 'missing') throw error;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (!fits(bytes)) throw error;
    return { bytes, settle: async () => {} };
  }
}

/**
 * A file that is known by its hash: the kept one if it is whole, else the network's.
 * @param {Asset} asset @param {AbortSignal} signal @param {OnBytes} onBytes @param {Memory} memory
 * @returns {Promise<Fetched>}
 */
export async function hashedFile({ name, url, sha256, bytes: length }, signal, onBytes, memory) {
  const cache = await openCache();
  const slot = new URL(`/aligndraw-files/${name}`, 'https://aligndraw.invalid').href;
  const key = `${slot}?sha256=${sha256}`;
  const settle = () => forgetOthers(cache, slot, key);
  const stored = await cache?.match(key);
  if (stored) {
    const bytes = new Uint8Array(await stored.arrayBuffer());
    if ((await digest(bytes)) === sha256) {
      onBytes(bytes.length, bytes.length, 'cache');
      return { bytes, settle };
    }
    await cache?.delete(key);
  }
  const kept = memory.kept.get(sha256);
  if (kept) {
    onBytes(kept.length, kept.length, 'cache');
    return { bytes: kept, settle };
  }
  let [found, came] = ['', ''];
  // A second time from the start: what was put together from two answers may not fit.
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const { bytes, type } = await fromNetwork(url, signal, length, onBytes);
    [found, came] = [await digest(bytes), type];
    if (found && found !== sha256) continue;
    if (await store(cache, key, bytes, type)) return { bytes, settle };
    memory.keep(sha256, bytes);
    return { bytes, settle: async () => {} };
  }
  throw new AlignDrawError({
    code: 'wrong-hash',
    message: `${nameOf(url)} is damaged${instead(came)}: SHA-256 ${found.slice(0, 12)}…, expected ${sha256.slice(0, 12)}…. Try again.`,
  });
}

/** Removes other versions of a file. @param {Cache | null} cache @param {string} slot @param {string} key */
async function forgetOthers(cache, slot, key) {
  for (const request of (await cache?.keys()) ?? []) {
    if (request.url.startsWith(`${slot}?`) && request.url !== key) await cache?.delete(request);
  }
}

/**
 * Lower-case hexadecimal, or '' where there is no WebCrypto (plain http on a foreign host, a frame without
 * origin), and no Cache API either: the engine checks the weights' hash again in any case.
 * @param {Uint8Array} bytes
 */
async function digest(bytes) {
  if (!globalThis.crypto?.subtle) return '';
  const sha256 = await crypto.subtle.digest('SHA-256', /** @type {BufferSource} */ (bytes));
  return [...new Uint8Array(sha256)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
