// @ts-check
/** Why a file did not come: there is none, the server cannot be reached, or a policy forbids it. */

import { AlignDrawError } from './protocol.js';

/** The latest violations of the Content-Security-Policy that were reported here. @type {SecurityPolicyViolationEvent[]} */
const violations = [];
globalThis.addEventListener?.('securitypolicyviolation', (event) => {
  if (violations.push(event) > 20) violations.shift();
});

/** A file's name for messages. @param {string} url */
export const nameOf = (url) => new URL(url).pathname.split('/').pop() || url;

/**
 * The directive that forbids an address, or undefined. It is reported in a task of its own.
 * @param {string} url @param {RegExp} [kind] of the directives that count
 */
export async function forbiddenBy(url, kind = /./) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const found = violations.findIndex(({ blockedURI, effectiveDirective }) => blockedURI && url.startsWith(blockedURI) && kind.test(effectiveDirective));
  return found < 0 ? undefined : violations.splice(found, 1)[0].effectiveDirective;
}

/** @param {string} code @param {string} url @param {string} reason */
const unloaded = (code, url, reason) => new AlignDrawError({ code, message: `${nameOf(url)} could not be loaded: ${reason}` });

/** @param {string} url @param {string} directive */
export const forbidden = (url, directive) => unloaded('policy', url, `the page’s Content-Security-Policy forbids it (${directive})`);

/** An answer that is not the file. @param {string} url @param {Response} response */
export const refused = (url, { status }) => unloaded(status === 404 ? 'missing' : 'network', url, `the server answered ${status}`);

/**
 * Asks for a script once more, to say why it could not be started.
 * @param {string} url @returns {Promise<AlignDrawError | undefined>} undefined when there is nothing wrong with the script
 */
export async function whyNot(url) {
  const directive = await forbiddenBy(url);
  if (directive) return forbidden(url, directive);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) return refused(url, response);
    const type = response.headers.get('content-type') ?? '';
    return /script/i.test(type) || url.startsWith('data:') ? undefined : unloaded('missing', url, `the server answered with ${type || 'no type'} instead of JavaScript`);
  } catch (error) {
    if (await forbiddenBy(url)) return unloaded('network', url, 'a policy keeps the page from finding out why');
    // Of another origin: what may not be read may still be answered.
    const answered = await fetch(url, { mode: 'no-cors' }).then(() => true, () => false);
    if (answered) return unloaded('missing', url, 'the server has none, or lets no other site read it (Access-Control-Allow-Origin)');
    return unloaded('network', url, `the server cannot be reached (${/** @type {Error} */ (error).message}). Check the connection and try again.`);
  }
}

/**
 * Rethrows the error of an `import()`, with its cause where it names the script's address, as all browsers' do.
 * @param {any} error @returns {Promise<never>}
 */
export async function explain(error) {
  const [url] = /https?:[^\s)]+/.exec(error.message) ?? [];
  throw (url && (await whyNot(url))) || error;
}
