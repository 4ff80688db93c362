// What the server sends.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { request } from 'node:http';
import { startServer } from './harness.mjs';

describe('server', () => {
  let server;
  before(async () => {
    server = await startServer();
  });
  after(() => server?.stop());

  /** A raw request: fetch would tidy the path. */
  const get = (path, headers = {}) =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(server.url);
      request({ hostname, port, path, headers }, (response) => {
        response.resume();
        response.on('end', () => resolve(response));
      }).on('error', reject).end();
    });

  test('MIME types and pre-compressed files', async () => {
    const types = { '/': 'text/html', '/main.js': 'text/javascript', '/style.css': 'text/css', '/icon.svg': 'image/svg+xml', '/pkg/cpu/aligndraw_bg.wasm': 'application/wasm', '/models/digits.json': 'application/json' };
    for (const [path, type] of Object.entries(types)) {
      const response = await get(path);
      assert.equal(response.statusCode, 200, path);
      assert.ok(response.headers['content-type'].startsWith(type), `${path}: ${response.headers['content-type']}`);
    }
    const small = await get('/pkg/cpu/aligndraw_bg.wasm', { 'accept-encoding': 'br' });
    assert.equal(small.headers['content-encoding'], 'br');
  });

  test('a strict policy and cache headers on everything', async () => {
    for (const path of ['/', '/pkg/cpu/aligndraw.js', '/nothing']) {
      const { headers } = await get(path);
      assert.match(headers['content-security-policy'], /script-src 'self' 'wasm-unsafe-eval';/);
      assert.doesNotMatch(headers['content-security-policy'], /unsafe-inline/);
      assert.equal(headers['cache-control'], 'no-cache');
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
    const { headers } = await get('/main.js');
    const again = await get('/main.js', { 'if-modified-since': headers['last-modified'] });
    assert.equal(again.statusCode, 304);
  });

  test('nothing outside the served folders', async () => {
    for (const path of ['/Cargo.toml', '/../Cargo.toml', '/pkg/../Cargo.toml', '/%2e%2e/Cargo.toml', '/pkg/..%2f..%2fCargo.toml', '/models/../../etc/passwd', '//etc/passwd', '/pkg/cpu/']) {
      assert.equal((await get(path)).statusCode, 404, path);
    }
  });
});
