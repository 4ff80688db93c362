// A plain static host, and blogs on other origins.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

async function listen(answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

/**
 * Serves a folder below `at` as the plainest of hosts does: nothing is compressed, wasm has a wrong type,
 * ranges are ignored unless `ranges`. It lets other origins read, and nothing more.
 * `requests` holds {path, range} of each; `faults.cut` names files of which the next answer breaks off half way,
 * `faults.damage` those that come with a byte changed; those that `faults.page` matches are a web page, as of a network
 * that asks to log in.
 */
export async function startHost(folder, { at = '/', ranges = false, headers = {} } = {}) {
  const requests = [];
  const faults = { cut: [], damage: [], page: null };
  const take = (list, path) => {
    const found = list.findIndex((ending) => path.endsWith(ending));
    return found >= 0 && list.splice(found, 1).length > 0;
  };
  const { url, stop } = await listen(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    const path = normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    requests.push({ path, range: request.headers.range });
    const file = join(folder, path.slice(at.length - 1));
    if (!path.startsWith(at) || !existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
    if (faults.page?.test(path)) return response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Log in</title>');
    const { size } = statSync(file);
    const asked = ranges && /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const start = asked ? Number(asked[1]) : 0;
    const cut = take(faults.cut, path);
    const damage = take(faults.damage, path);
    response.writeHead(asked ? 206 : 200, {
      'content-type': TYPES[extname(file)] ?? 'text/plain',
      'content-length': size - start,
      'access-control-allow-origin': '*',
      ...(asked ? { 'content-range': `bytes ${start}-${size - 1}/${size}` } : {}),
      ...headers,
    });
    const body = createReadStream(file, { start, end: cut ? Math.floor(size / 2) : undefined });
    let first = true;
    for await (const chunk of body) {
      if (damage && first) chunk[100] ^= 255;
      first = false;
      await new Promise((resolve) => response.write(chunk, resolve));
    }
    if (cut) response.destroy();
    else response.end();
  });
  return { url: url + at.replace(/\/$/, ''), origin: url, stop, requests, faults };
}

/**
 * Another site: pages by path, each HTML or {html, headers}.
 * @returns {Promise<{url: string, stop: () => void}>}
 */
export function startBlog(pages) {
  return listen((request, response) => {
    const page = pages[new URL(request.url, 'http://x').pathname];
    if (!page) return response.writeHead(404).end();
    const { html, headers } = typeof page === 'string' ? { html: page, headers: {} } : page;
    response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>A blog</title>${html}`);
  });
}
