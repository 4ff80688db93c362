// Starts the server and Chromium for the browser tests.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

export const binary = process.env.ALIGNDRAW_BINARY ?? 'target/release/aligndraw';
const executablePath =
  process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const QUIET = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
/** A software GPU: for correctness, not for speed. */
export const SOFTWARE_GPU = [
  '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--use-vulkan=swiftshader',
  '--ignore-gpu-blocklist',
];

/** Serves the project on a free port. */
export async function startServer(args = []) {
  const process = spawn(binary, ['serve', '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await new Promise((resolve, reject) => {
    createInterface({ input: process.stdout }).once('line', (line) => resolve([line]));
    process.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { url: line.trim(), stop: () => process.kill() };
}

export async function startBrowser(flags = []) {
  if (!executablePath) throw new Error('Chromium is missing: apt-get install chromium, or set CHROMIUM to its path');
  return chromium.launch({ executablePath, args: ['--headless=new', '--no-sandbox', ...QUIET, ...flags] });
}

/** Opens the page and waits until its first picture is drawn. */
export async function openPage(context, url) {
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
  await page.goto(url);
  return page;
}

/** Waits until the page has drawn this caption and seed to the end. */
export const drawn = (page, text, timeout = 30_000) =>
  page.waitForFunction((text) => document.documentElement.dataset.drawn?.startsWith(text), text, { timeout });

/** What the native binary paints: {words, frames}. */
export function paintNatively(caption, seed, model = 'digits', more = []) {
  const folder = mkdtempSync(join(tmpdir(), 'aligndraw-'));
  try {
    const json = join(folder, 'frames.json');
    execFileSync(binary, ['paint', caption, '--model', model, '--seed', String(seed), '-o', join(folder, 'out.png'), '--json', json, ...more], { stdio: 'pipe' });
    return JSON.parse(readFileSync(json, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All frames of a drawing in the page, as plain arrays. */
export const drawInPage = (page, caption, seed) =>
  page.evaluate(
    async ([caption, seed]) => {
      const frames = [];
      for await (const { image, alignment, window, step } of aligndraw.draw(caption, { seed })) {
        frames.push({ step, image: [...image], alignment: [...alignment], window });
      }
      return frames;
    },
    [caption, seed],
  );

/** The largest difference between two drawings' pixels and alignments, over all steps. */
export function worstDifference(a, b) {
  if (a.length !== b.length) throw new Error(`${a.length} frames against ${b.length}`);
  const between = (x, y) => {
    if (x.length !== y.length) throw new Error(`${x.length} numbers against ${y.length}`);
    return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i])), 0);
  };
  return Math.max(...a.map((frame, i) => Math.max(between(frame.image, b[i].image), between(frame.alignment, b[i].alignment))));
}
