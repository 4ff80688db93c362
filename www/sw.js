// @ts-check
/**
 * Keeps the page for offline use: the network first, the last copy when it cannot be reached. The
 * engine's wasm and the weights are kept by `lib/download.js`, which checks them.
 */

const CACHE = 'aligndraw-page-1';
const FILES = [
  './',
  'style.css',
  'icon.svg',
  'main.js',
  'caption.js',
  'compare.js',
  'link.js',
  'models.js',
  'reading.js',
  'strip.js',
  'variants.js',
  'gallery.html',
  'gallery.css',
  'gallery.js',
  'embed.html',
  'embed.css',
  'embed.js',
  'lib/align-draw.js',
  'lib/aligndraw.js',
  'lib/download.js',
  'lib/engine.js',
  'lib/picture.js',
  'lib/player.js',
  'lib/protocol.js',
  'lib/shared.js',
  'lib/worker.js',
  'pkg/cpu/aligndraw.js',
];
const worker = /** @type {any} */ (self);

worker.addEventListener('install', (/** @type {any} */ event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => worker.skipWaiting()));
});
worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  // Of everything else `lib/download.js` takes care.
  if (/\.(wasm|safetensors|json)$/.test(url.pathname)) return;
  event.respondWith(answer(request));
});

/** @param {Request} request */
async function answer(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
