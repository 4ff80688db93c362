// The package's types, checked as those who use it check them: with their own libraries' declarations too.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

const compiler = resolve('node_modules/typescript/bin/tsc');
const STRICT = { noEmit: true, strict: true, types: [], target: 'es2022', lib: ['es2022', 'dom'], module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: false };
let project;

before(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'aligndraw-types-')));
  writeFileSync(join(project, 'package.json'), '{ "name": "scratch", "private": true, "type": "module" }');
  cpSync('tests/types', project, { recursive: true });
  mkdirSync(join(project, 'node_modules/aligndraw'), { recursive: true });
  for (const part of ['package.json', 'types']) cpSync(join('pkg', part), join(project, 'node_modules/aligndraw', part), { recursive: true });
});
after(() => rmSync(project, { recursive: true, force: true }));

/** What the compiler says of a file, with packages of ours within its reach. */
function compile(file, options, packages = []) {
  for (const name of packages) {
    mkdirSync(join(project, 'node_modules', name, '..'), { recursive: true });
    symlinkSync(resolve('node_modules', name), join(project, 'node_modules', name));
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...STRICT, ...options }, files: [file] }));
  try {
    return execFileSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' });
  } catch ({ stdout }) {
    return stdout;
  } finally {
    for (const name of packages) rmSync(join(project, 'node_modules', name));
  }
}

test('without React and Preact: the element, its events, the library', () => assert.equal(compile('plain.ts', {}), ''));
test('JSX of React', () => assert.equal(compile('react.tsx', { jsx: 'react-jsx' }, ['@types/react', 'csstype']), ''));
test('JSX of Preact', () => assert.equal(compile('preact.tsx', { jsx: 'react-jsx', jsxImportSource: 'preact' }, ['preact']), ''));
