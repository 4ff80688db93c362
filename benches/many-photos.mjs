// Memory of a training on as many photos as MS-COCO has: makes a folder of small pictures of noise with five captions
// each, trains on it for some updates, and prints the most memory that the process had: all of it, and without the pages of
// mapped files, which the system takes back when it needs them. Linux alone.
// Usage: node benches/many-photos.mjs [photos]
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

const [photos = '83000'] = process.argv.slice(2);
const [WIDTH, HEIGHT, CAPTIONS] = [48, 36, 5];
const WORDS = 'a dog cat man woman child bus plane boat is on in the grass snow street beach red blue green yellow runs sits stands near old young small large'.split(' ');
const binary = process.env.ALIGNDRAW_BINARY ?? 'target/release/aligndraw';

/** Small numbers from a seed: xorshift. */
let state = 2463534242;
function below(most) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % most;
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A PNG of four coloured fields. */
function picture() {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const colours = Array.from({ length: 4 }, () => [below(256), below(256), below(256)]);
  const rows = Buffer.alloc(HEIGHT * (1 + 3 * WIDTH));
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      rows.set(colours[2 * Number(2 * y >= HEIGHT) + Number(2 * x >= WIDTH)], y * (1 + 3 * WIDTH) + 1 + 3 * x);
    }
  }
  const png = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 1 })), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), ...png]);
}

const caption = () => Array.from({ length: 6 + below(8) }, () => WORDS[below(WORDS.length)]).join(' ');

function makeFolder(folder) {
  mkdirSync(join(folder, 'images'), { recursive: true });
  const lines = [];
  for (let at = 0; at < Number(photos); at += 1) {
    writeFileSync(join(folder, 'images', `${at}.png`), picture());
    for (let i = 0; i < CAPTIONS; i += 1) lines.push(JSON.stringify({ image: `${at}.png`, caption: caption() }));
  }
  writeFileSync(join(folder, 'captions.jsonl'), `${lines.join('\n')}\n`);
}

/** Runs the program; the most KiB that each kind of memory had. */
function measure(args) {
  const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const most = { VmHWM: 0, RssAnon: 0 };
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      for (const name of Object.keys(most)) most[name] = Math.max(most[name], Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0));
    } catch {
      // It has ended.
    }
  }, 20);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      clearInterval(look);
      if (code) reject(new Error(`${binary} ended with ${code}`));
      else resolve(most);
    });
  });
}

const scratch = mkdtempSync(join(tmpdir(), 'aligndraw-photos-'));
try {
  const folder = join(scratch, 'photos');
  makeFolder(folder);
  const begun = performance.now();
  const { VmHWM, RssAnon } = await measure(['train', '--preset', 'photos', '--data', folder, '--epochs', '1', '--batches', '20', '--out', join(scratch, 'run')]);
  const seconds = (performance.now() - begun) / 1000;
  console.log(`${photos} photos, read and trained on for 20 updates in ${seconds.toFixed(0)} s: ${(VmHWM / 1024).toFixed(0)} MiB in all, ${(RssAnon / 1024).toFixed(0)} MiB without mapped files`);
} finally {
  rmSync(scratch, { recursive: true });
}
