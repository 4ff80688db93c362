// @ts-check
/** Seeds: whole numbers from 0 to 2^64 − 1, as on the command line. */

import { AlignDrawError } from './protocol.js';

/** @typedef {number | bigint} Seed a bigint above 2^53 − 1, where numbers are no longer exact */

export const MOST_SEED = 2n ** 64n - 1n;

/** @param {unknown} value a number, a bigint or its decimal digits @returns {bigint | null} null for anything else */
export function parseSeed(value) {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return null;
  const text = String(value).trim();
  if (!/^\d{1,20}$/.test(text)) return null;
  const seed = BigInt(text);
  return seed <= MOST_SEED ? seed : null;
}

/** The same, or an error that says what a seed is. @param {unknown} value @returns {bigint} */
export function toSeed(value) {
  const seed = parseSeed(value);
  if (seed === null) throw new AlignDrawError({ code: 'seed', message: `the seed is ${String(value) || 'empty'}, expected a whole number from 0 to ${MOST_SEED}` });
  return seed;
}

/** As a number where that is exact. @param {bigint} seed @returns {Seed} */
export const plainSeed = (seed) => (seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed);
