// @ts-check
/**
 * What a picture was drawn from, written into the file that shows it: PNG (an iTXt chunk, PNG 1.2 §4.2.3.3),
 * GIF (a comment extension, GIF89a §24) and WebM (a Matroska tag, RFC 9559 §5.1.8). In each the value is the
 * JSON of a {@link Drawn} under the name `aligndraw`.
 */

import { parseSeed, plainSeed } from './seed.js';

/**
 * @typedef {object} Drawn
 * @property {string} caption
 * @property {number | bigint} seed in the file above 2^53 − 1 as a text of digits, which JSON's readers keep exact
 * @property {string} model its name
 * @property {string} sha256 of the model's weights
 * @property {string} [frames] moved ones, as `frames.js` writes them
 * @property {number} [temperature] other than the model's own
 * @property {boolean} [sharpen] whether the finished picture was sharpened
 * @property {number} [step] the last that is shown, when it is not the last of the drawing
 */

const NAME = 'aligndraw';
const isText = (/** @type {unknown} */ value) => typeof value === 'string';
/** What the parts of a {@link Drawn} must be, in their order. @type {Record<string, (value: any) => boolean>} */
const IS_GOOD = {
  caption: isText,
  seed: (value) => value !== null,
  model: isText,
  sha256: isText,
  frames: isText,
  temperature: (value) => value >= 0 && value <= 2 && typeof value === 'number',
  sharpen: (value) => typeof value === 'boolean',
  step: (value) => Number.isSafeInteger(value) && value > 0,
};
const utf8 = new TextEncoder();

/** @param {(Uint8Array | number[])[]} parts @returns {Uint8Array<ArrayBuffer>} */
function join(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** @param {Drawn} drawn */
const toJson = (drawn) => JSON.stringify(drawn, (_, value) => (typeof value === 'bigint' ? String(value) : value));

/** Big-endian. @param {number} value @returns {number[]} four bytes */
const word = (value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

/** The CRC-32 of PNG's annex D. @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** A PNG's chunks: name, and where its data begin and end. @param {Uint8Array} png */
function* chunks(png) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let at = 8; at + 12 <= png.length; ) {
    const length = view.getUint32(at);
    if (at + 12 + length > png.length) return;
    yield { name: String.fromCharCode(...png.subarray(at + 4, at + 8)), begin: at + 8, end: at + 8 + length };
    at += 12 + length;
  }
}

/** @param {Uint8Array} png @param {Drawn} drawn */
export function intoPng(png, drawn) {
  const [header] = chunks(png);
  if (header?.name !== 'IHDR') throw new Error('this is not a PNG');
  // Keyword, no compression, no language, no translated keyword; then the text.
  const text = join(utf8.encode(`iTXt${NAME}`), [0, 0, 0, 0, 0], utf8.encode(toJson(drawn)));
  const after = header.end + 4;
  return join(png.subarray(0, after), word(text.length - 4), text, word(crc32(text)), png.subarray(after));
}

/** What a PNG was drawn from, or null. @param {Uint8Array} png @returns {Drawn | null} */
export function fromPng(png) {
  if (word(0x89504e47).some((byte, i) => png[i] !== byte)) return null;
  for (const { name, begin, end } of chunks(png)) {
    const data = png.subarray(begin, end);
    const prefix = utf8.encode(`${NAME}\0\0\0\0\0`);
    if (name !== 'iTXt' || prefix.some((byte, i) => data[i] !== byte)) continue;
    try {
      const drawn = JSON.parse(new TextDecoder().decode(data.subarray(prefix.length)));
      const seed = parseSeed(drawn.seed);
      Object.assign(drawn, { seed: seed === null ? seed : plainSeed(seed), sha256: drawn.sha256 ?? '' });
      const parts = Object.entries(IS_GOOD).filter(([name]) => name in drawn);
      const whole = 'caption' in drawn && 'model' in drawn && parts.every(([name, isGood]) => isGood(drawn[name]));
      if (whole) return /** @type {Drawn} */ (Object.fromEntries(parts.map(([name]) => [name, drawn[name]])));
    } catch {
      // Someone else's chunk, or a damaged one.
    }
  }
  return null;
}

/** @param {Uint8Array} gif @param {Drawn} drawn */
export function intoGif(gif, drawn) {
  const text = utf8.encode(`${NAME} ${toJson(drawn)}`);
  const blocks = [];
  for (let at = 0; at < text.length; at += 255) {
    const block = text.subarray(at, at + 255);
    blocks.push([block.length], block);
  }
  const TRAILER = 1;
  return join(gif.subarray(0, -TRAILER), [0x21, 0xfe], ...blocks, [0], gif.subarray(-TRAILER));
}

/** An EBML element: id, length in eight bytes, data. @param {number[]} id @param {...(Uint8Array | number[])} data */
function ebml(id, ...data) {
  const body = join(...data);
  return join(id, [1, 0, 0, 0], word(body.length), body);
}

/**
 * The tag at the end of a recording: browsers leave the segment's length open, so that it may follow.
 * @param {Drawn} drawn
 */
export function webmTag(drawn) {
  const [TAGS, TAG, TARGETS, SIMPLE, TAG_NAME, TAG_STRING] = [[0x12, 0x54, 0xc3, 0x67], [0x73, 0x73], [0x63, 0xc0], [0x67, 0xc8], [0x45, 0xa3], [0x44, 0x87]];
  const simple = ebml(SIMPLE, ebml(TAG_NAME, utf8.encode(NAME)), ebml(TAG_STRING, utf8.encode(toJson(drawn))));
  return ebml(TAGS, ebml(TAG, ebml(TARGETS), simple));
}
