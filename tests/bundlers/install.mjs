// A folder with the pinned bundlers, kept in ALIGNDRAW_CACHE under the hash of their lock, and in it a folder of its
// own for each run, with the projects and the packed package.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const kept = join(process.env.ALIGNDRAW_CACHE ?? join(homedir(), '.cache/aligndraw'), 'bundlers');

/** The folder in which `node_modules` holds what the lock names; installed when it is first asked for. */
function installed() {
  const lock = readFileSync(join(here, 'package-lock.json'));
  const folder = join(kept, createHash('sha256').update(lock).digest('hex').slice(0, 12));
  if (existsSync(join(folder, 'node_modules'))) return folder;
  mkdirSync(kept, { recursive: true });
  console.error('installing the bundlers (once, about a minute)');
  // Beside it first: an install that is broken off is none, and of two at a time one is kept.
  const making = mkdtempSync(`${folder}-`);
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) cpSync(join(here, file), join(making, file));
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: making, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    renameSync(making, folder);
  } catch (error) {
    if (!existsSync(join(folder, 'node_modules'))) throw error;
    rmSync(making, { recursive: true });
  }
  return folder;
}

/**
 * The projects, ready to be built.
 * @returns {{tools: string, project: (name: string) => string, remove: () => void}} `tools`: the installed commands
 */
export function scratch() {
  const home = installed();
  const run = mkdtempSync(join(home, 'run-'));
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', run], { cwd: 'pkg', stdio: ['ignore', 'pipe', 'ignore'] }));
  const project = (name) => {
    const folder = mkdtempSync(join(run, `${name}-`));
    cpSync(join(here, 'projects', name), folder, { recursive: true });
    cpSync(join(here, 'projects/draw.js'), join(folder, 'draw.js'));
    writeFileSync(join(folder, 'package.json'), `{ "name": "scratch-${name}", "private": true, "type": "module" }\n`);
    // As npm does it: the package has no dependencies, and runs nothing when it is installed.
    const at = join(folder, 'node_modules/aligndraw');
    mkdirSync(at, { recursive: true });
    execFileSync('tar', ['-xzf', join(run, packed.filename), '--strip-components=1', '-C', at]);
    return folder;
  };
  return { tools: join(home, 'node_modules/.bin'), project, remove: () => rmSync(run, { recursive: true, force: true }) };
}
