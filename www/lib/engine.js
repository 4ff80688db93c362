// @ts-check
/** A worker with its pending requests. */

import { worker as workerUrl } from './assets.js';
import { forbidden, forbiddenBy, whyNot } from './cause.js';
import { AlignDrawError } from './protocol.js';
import { newWorker } from './trusted.js';

/** @typedef {import('./aligndraw.js').ModelInfo} ModelInfo */

/**
 * Starts the worker. One of another origin (a CDN), or of any origin in a page that has none of its own
 * (a sandboxed frame), may not be started by its address: a script of the page's own imports it. That is
 * a classic script, since Chromium starts no module from an object URL in such a frame.
 */
function startWorker(/** @type {URL} */ url) {
  if (url.origin === globalThis.origin) return newWorker(url.href, { type: 'module' });
  const script = `const early = [];
    let directive;
    onmessage = (event) => early.push(event);
    addEventListener('securitypolicyviolation', (event) => (directive = event.effectiveDirective));
    import(${JSON.stringify(url.href)}).then(
      () => early.forEach((event) => onmessage(event)),
      () => setTimeout(() => postMessage({ type: 'unloaded', directive }), 20),
    );`;
  const own = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const worker = newWorker(own);
  // Not before it has been read.
  worker.addEventListener('message', () => URL.revokeObjectURL(own), { once: true });
  return worker;
}

/**
 * Why a worker did not start.
 * @param {string} url of its script @param {string} [directive] that its own policy names
 */
async function whyNoWorker(url, directive) {
  if (directive) return forbidden(url, directive);
  for (const address of [url, 'blob']) {
    const found = await forbiddenBy(address, /worker|child|script/);
    if (found) return new AlignDrawError({ code: 'policy', message: `the worker could not start: the page’s Content-Security-Policy forbids it (${found})` });
  }
  const message = 'the worker could not start, although its script is there: a policy (worker-src, Cross-Origin-Embedder-Policy) or this browser forbids it';
  return (await whyNot(url)) ?? new AlignDrawError({ code: 'policy', message });
}

/** One worker with its pending requests. */
export class Engine {
  /** @param {() => void} onLost */
  constructor(onLost) {
    const url = workerUrl();
    try {
      this.worker = startWorker(url);
    } catch (error) {
      throw error instanceof AlignDrawError ? error : new AlignDrawError({ code: 'policy', message: `the worker could not start: ${/** @type {Error} */ (error).message}` });
    }
    let started = false;
    const explain = (/** @type {string} */ directive = '') =>
      whyNoWorker(url.href, directive).then(({ message, code }) => this.fail(message, onLost, code));
    /** @type {Map<number, (message: any) => void>} */
    this.pending = new Map();
    this.next = 1;
    this.memory = 0;
    this.alive = true;
    this.adapter = '';
    /** @type {ModelInfo | undefined} */
    this.info = undefined;
    this.worker.onmessage = ({ data }) => {
      if (data.type === 'unloaded') return explain(data.directive);
      started = true;
      if (data.memory) this.memory = data.memory;
      if (data.type === 'lost') this.fail(data.message, onLost);
      else this.pending.get(data.id)?.(data);
    };
    this.worker.onerror = (event) => {
      event.preventDefault?.();
      // A script that did not come has nothing to say.
      if (started || event.message) this.fail(event.message || 'the worker stopped', onLost);
      else explain();
    };
  }

  /** @param {string} message @param {() => void} [onLost] @param {string} [code] */
  fail(message, onLost, code = 'lost') {
    if (!this.alive) return;
    this.alive = false;
    onLost?.();
    for (const settle of [...this.pending.values()]) {
      settle({ type: 'error', error: { message, code } });
    }
    this.worker.terminate();
  }

  /**
   * Sends a request; answers arrive at `onMessage` until one of `last` or an error.
   * @param {any} request @param {string} last @param {AbortSignal | undefined} signal
   * @param {(message: any) => void} [onMessage]
   * @returns {Promise<any>}
   */
  ask(request, last, signal, onMessage = () => {}) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const finish = (/** @type {() => void} */ settle) => {
        this.pending.delete(id);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const abort = () => {
        if (this.alive) this.worker.postMessage({ type: 'cancel', id });
        finish(() => reject(signal?.reason));
      };
      if (signal?.aborted) return reject(signal.reason);
      if (!this.alive) return reject(new AlignDrawError({ code: 'lost', message: 'the engine stopped' }));
      signal?.addEventListener('abort', abort);
      this.pending.set(id, (message) => {
        if (message.type === last) finish(() => resolve(message));
        else if (message.type === 'error') finish(() => reject(new AlignDrawError(message.error)));
        else onMessage(message);
      });
      this.worker.postMessage({ ...request, id });
    });
  }
}
