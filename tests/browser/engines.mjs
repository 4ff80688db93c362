// The three browser engines behind one small interface: {goto(url), evaluate(function, ...arguments), close()}.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';
import { Builder, Capabilities } from 'selenium-webdriver';
import { startBrowser } from './harness.mjs';

/** The first file that exists. */
const found = (name, ...paths) => {
  const path = paths.filter(Boolean).find(existsSync);
  if (!path) throw new Error(`${name} is missing: run scripts/apt-install.sh firefox-esr webkit2gtk-driver xvfb`);
  return path;
};

async function chromium() {
  const browser = await startBrowser();
  const page = await (await browser.newContext()).newPage();
  return {
    goto: (url) => page.goto(url),
    evaluate: (run, ...values) => page.evaluate(([text, values]) => (0, eval)(`(${text})`)(...values), [String(run), values]),
    close: () => browser.close(),
  };
}

/** Debian's own Firefox, over WebDriver BiDi. */
async function firefox() {
  const executablePath = found('Firefox', process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox');
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
  const page = await browser.newPage();
  return {
    goto: (url) => page.goto(url),
    evaluate: (run, ...values) => page.evaluate(run, ...values),
    close: () => browser.close(),
  };
}

/** Waits for a server that is starting. */
async function answers(url) {
  for (let waited = 0; waited < 30_000; waited += 100) {
    if (await fetch(url).then(({ ok }) => ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing answers at ${url}`);
}

/** WebKitGTK's small browser, which needs a display. */
async function webkit() {
  const driver = found('WebKitWebDriver', process.env.WEBKIT_DRIVER, '/usr/bin/WebKitWebDriver');
  const binary = found('MiniBrowser', ...['4.1', '6.0', '4.0'].map((api) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${api}/MiniBrowser`), '/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser');
  const display = process.env.DISPLAY ? null : spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const number = display && (await new Promise((resolve) => display.stdio[3].once('data', (text) => resolve(String(text).trim()))));
  const port = 20_000 + (process.pid % 20_000);
  const environment = { ...process.env, ...(number ? { DISPLAY: `:${number}` } : {}), WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' };
  const server = spawn(driver, [`--port=${port}`], { stdio: 'ignore', env: environment });
  const end = () => {
    server.kill();
    display?.kill();
  };
  try {
    await answers(`http://127.0.0.1:${port}/status`);
    const capabilities = new Capabilities({ browserName: 'MiniBrowser', 'webkitgtk:browserOptions': { binary, args: ['--automation'] } });
    const open = async () => {
      const session = await new Builder().usingServer(`http://127.0.0.1:${port}`).withCapabilities(capabilities).build();
      await session.manage().setTimeouts({ script: 90_000, pageLoad: 60_000 });
      return session;
    };
    let session = await open();
    return {
      goto: async (url) => {
        try {
          await session.get(url);
        } catch (problem) {
          // On a busy machine WebKitGTK's own process dies now and then between two pages: a new one, once. It has no other
          // name for that; what else goes wrong, a page that takes too long say, has.
          if (!['WebDriverError', 'NoSuchSessionError'].includes(problem.name)) throw problem;
          console.error(`WebKit ended before ${url} and is started again: ${problem}`);
          await session.quit().catch(() => {});
          session = await open();
          await session.get(url);
        }
      },
      evaluate: async (run, ...values) => {
        const script = `const [values, done] = arguments; Promise.resolve().then(() => (${run})(...values)).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
        const { value, error } = await session.executeAsyncScript(script, values);
        if (error) throw new Error(error);
        return value;
      },
      close: async () => {
        await session.quit().catch(() => {});
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

export const ENGINES = { chromium, firefox, webkit };
