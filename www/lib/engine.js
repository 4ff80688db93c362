// @ts-check
/** A worker with its pending requests. */

import { worker as workerUrl } from './assets.js';
import { AlignDrawError } from './protocol.js';
import { newWorker } from './trusted.js';

/** @typedef {import('./aligndraw.js').ModelInfo} ModelInfo */

/**
 * Starts the worker. One of another origin (a CDN), or of any origin in a page that has none of its own
 * (a sandboxed frame), may not be started by its address: a script of the page's own imports it. That is
 * a classic script, since Chromium starts no module from an object URL in such a frame.
 */
function startWorker() {
  const url = workerUrl();
  if (url.origin === globalThis.origin) return newWorker(url.href, { type: 'module' });
  const script = `const early = [];
    onmessage = (event) => early.push(event);
    import(${JSON.stringify(url.href)}).then(
      () => early.forEach((event) => onmessage(event)),
      (error) => postMessage({ type: 'lost', message: 'the worker could not be loaded: ' + error.message }),
    );`;
  const own = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const worker = newWorker(own);
  // Not before it has been read.
  worker.addEventListener('message', () => URL.revokeObjectURL(own), { once: true });
  return worker;
}

/** One worker with its pending requests. */
export class Engine {
  /** @param {() => void} onLost */
  constructor(onLost) {
    this.worker = startWorker();
    /** @type {Map<number, (message: any) => void>} */
    this.pending = new Map();
    this.next = 1;
    this.memory = 0;
    this.alive = true;
    /** @type {ModelInfo | undefined} */
    this.info = undefined;
    this.worker.onmessage = ({ data }) => {
      if (data.memory) this.memory = data.memory;
      if (data.type === 'lost') this.fail(data.message, onLost);
      else this.pending.get(data.id)?.(data);
    };
    this.worker.onerror = (event) => {
      event.preventDefault?.();
      this.fail(event.message || 'the worker could not start: does the Content-Security-Policy allow it (worker-src)?', onLost);
    };
  }

  /** @param {string} message @param {() => void} [onLost] */
  fail(message, onLost) {
    if (!this.alive) return;
    this.alive = false;
    onLost?.();
    for (const settle of [...this.pending.values()]) {
      settle({ type: 'error', error: { message, code: 'lost' } });
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
