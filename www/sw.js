// @ts-check
/**
 * Keeps the page for offline use: the network first, the last copy when it cannot be reached. The
 * engine's wasm and the weights are kept by `lib/download.js`, which checks them.
 */

/** `scripts/bundle.mjs` names the files of the static site. @type {{version: string, files: string[]} | undefined} */
const site = /** @type {any} */ (self).SITE;
const CACHE = `aligndraw-page-${site?.version ?? 2}`;
const FILES = site?.files ?? [
  './',
  'style.css',
  'icon.svg',
  'main.js',
  'attention-view.js',
  'badge.js',
  'caption.js',
  'compare.js',
  'frame-editor.js',
  'keys.js',
  'link.js',
  'loading.js',
  'models.js',
  'panels.js',
  'models/index.json',
  'strip.js',
  'temperature.js',
  'variants.js',
  'gallery.html',
  'gallery.css',
  'gallery.js',
  'sheets.js',
  'describe.html',
  'describe.css',
  'describe.js',
  'search.html',
  'search.css',
  'search.js',
  'roundtrip.html',
  'roundtrip.css',
  'roundtrip.js',
  'painters.html',
  'painters.css',
  'painters.js',
  'embed.html',
  'embed.css',
  'embed.js',
  'samples.js',
  'save-menu.js',
  'sharpening.js',
  'snippets.js',
  'lib/align-describe.js',
  'lib/align-draw.js',
  'lib/aligndraw.js',
  'lib/assets.js',
  'lib/cause.js',
  'lib/download.js',
  'lib/element-attributes.js',
  'lib/element-parts.js',
  'lib/element-style.js',
  'lib/engine.js',
  'lib/frames.js',
  'lib/look.js',
  'lib/metadata.js',
  'lib/picture.js',
  'lib/player.js',
  'lib/probe.js',
  'lib/protocol.js',
  'lib/rank.js',
  'lib/record.js',
  'lib/seed.js',
  'lib/shared.js',
  'lib/sharpen.js',
  'lib/trusted.js',
  'lib/worker.js',
  'pkg/engines.js',
  'pkg/gifenc.js',
  'pkg/cpu/aligndraw.js',
  'pkg/flex/aligndraw.js',
  'pkg/describe/aligndraw.js',
];
const worker = /** @type {any} */ (self);

worker.addEventListener('install', (/** @type {any} */ event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => worker.skipWaiting()));
});
worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(settle()));

/** Takes over the open pages, and forgets what earlier versions kept. */
async function settle() {
  for (const name of await caches.keys()) if (name.startsWith('aligndraw-page') && name !== CACHE) await caches.delete(name);
  await worker.clients.claim();
}

worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  // `lib/download.js` keeps engines, weights and manifests; the list of models is the page's.
  if (/\.(wasm|safetensors|json)$/.test(url.pathname) && !/\/models\/index\.json$/.test(url.pathname)) return;
  event.respondWith(answer(request));
});

/**
 * Whether this may be the file: a captive portal answers everything with its own page.
 * @param {Request} request @param {Response} response
 */
function fits({ url }, { ok, headers }) {
  const type = headers.get('content-type') ?? '';
  if (/\.js$/.test(new URL(url).pathname)) return ok && /script/.test(type);
  return ok && (!/\.(css|svg|json)$/.test(new URL(url).pathname) || !/html/.test(type));
}

/** @param {Request} request */
async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = () => cache.match(request, { ignoreSearch: true });
  try {
    const response = await fetch(request);
    if (fits(request, response)) await cache.put(request, response.clone());
    else if (response.ok) return (await kept()) ?? response;
    return response;
  } catch (error) {
    const found = await kept();
    if (found) return found;
    throw error;
  }
}
