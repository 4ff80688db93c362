// A server and a browser for all tests of a file, which end with it.
import { after } from 'node:test';
import { startBrowser, startServer } from './harness.mjs';

/** @returns both, once they have started */
export async function served() {
  const server = await startServer();
  const browser = await startBrowser();
  after(async () => {
    await browser.close();
    server.stop();
  });
  return { server, browser };
}
