// @ts-check
/**
 * Trusted Types: where a page asks for them (`require-trusted-types-for 'script'`), a worker's address must come
 * from a policy. Ours is called `aligndraw` and passes no address but that of our own worker.
 */

import { AlignDrawError } from './protocol.js';

/** The address that is being passed. */
let ours = '';
/** Null where the page's `trusted-types` does not list it. @type {{createScriptURL: (url: string) => any} | null | undefined} */
let policy;

function createPolicy() {
  const createScriptURL = (/** @type {string} */ url) => {
    if (url !== ours) throw new TypeError('this policy is for the worker of aligndraw alone');
    return url;
  };
  try {
    return /** @type {any} */ (globalThis).trustedTypes?.createPolicy('aligndraw', { createScriptURL }) ?? null;
  } catch {
    return null;
  }
}

/** Starts a worker. Throws a `policy` error where the page's policy forbids it. @param {string} url @param {WorkerOptions} [options] */
export function newWorker(url, options) {
  if (policy === undefined) policy = createPolicy();
  ours = url;
  try {
    return new Worker(policy ? policy.createScriptURL(url) : url, options);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    const advice = policy === null && 'trustedTypes' in globalThis ? '. Where the page’s policy lists trusted-types, it must list aligndraw' : '';
    throw new AlignDrawError({ code: 'policy', message: `the worker could not start: ${message}${advice}` });
  } finally {
    ours = '';
  }
}
