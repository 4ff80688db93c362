// Bundles the JavaScript of the npm package into pkg/ (`node scripts/bundle.mjs package`) and the whole page as
// a static site (`node scripts/bundle.mjs site`): minified, every file but the entries named by its hash,
// relative URLs, pre-compressed for hosts that send such files.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** What a browser can run: paraphrasers are the command line's. */
const MODELS = JSON.parse(readFileSync('models/index.json', 'utf8')).filter(({ kind }) => kind !== 'text-to-text').map(({ name }) => name);
/** Models of photos, which look with the eyes. */
const OF_PHOTOS = MODELS.filter((name) => JSON.parse(readFileSync(`models/${name}.json`, 'utf8')).data.name.startsWith('photo'));
const WEIGHTS = [...MODELS, ...(OF_PHOTOS.length ? ['eyes'] : [])];
/** What other scripts import, by its file in www/lib. */
const LIBRARY = ['aligndraw', 'align-draw', 'align-describe', 'rank', 'sharpen'];
const ENGINES = ['cpu', 'flex', 'describe', 'webgpu'];
const { engineOf } = await import(pathToFileURL('pkg/engines.js').href);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const short = (bytes) => sha256(bytes).slice(0, 10);
const version = /^version = "(.*)"/m.exec(readFileSync('Cargo.toml', 'utf8'))[1];

/** Options of every build. */
const common = { bundle: true, format: 'esm', minify: true, target: 'es2022', legalComments: 'none', logLevel: 'warning', charset: 'utf8' };

/**
 * `lib/assets.js` with the files that are there: each URL is written out, so that bundlers see it.
 *
 * Next (Turbopack and webpack) gives a URL without an origin, which nothing but the page can resolve: it is
 * done here, since a worker has another base or, made of an object URL, none.
 * @param {Record<string, string>} names of the files beside the bundled script, by what they are
 * @param {string} element the element's script, seen from the bundled one
 * @param {boolean} inline whether manifests come as scripts: Parcel turns a JSON file that is named by its URL
 * into a script, and Vite makes a `data:` URL of a small one, which policies forbid
 */
function assets(names, element, inline) {
  const url = (name) => `absolute(new URL(${JSON.stringify(`./${names[name]}`)}, import.meta.url))`;
  const engines = ENGINES.map((device) => {
    const bytes = readFileSync(`pkg/${device}/aligndraw_bg.wasm`);
    const wasm = `{ name: 'engine/${device}', url: ${url(`${device}.wasm`)}.href, sha256: '${sha256(bytes)}', bytes: ${bytes.length} }`;
    return `${device}: () => ({ glue: ${url(`${device}.js`)}.href, wasm: ${wasm} })`;
  });
  const files = (name) => {
    const manifest = inline ? `'${name}.json', text: async () => (await import('../../models/${name}.json')).default` : `${url(`${name}.json`)}.href`;
    return `manifest: ${manifest}, weights: ${url(`${name}.safetensors`)}.href`;
  };
  const eyes = (name) => (OF_PHOTOS.includes(name) ? `, eyes: { ${files('eyes')} }` : '');
  const models = MODELS.map((name) => `'${name}': () => ({ ${files(name)}${eyes(name)} })`);
  return `
    import { AlignDrawError } from './protocol.js';
    function absolute(url) {
      // While it develops, Vite moves scripts, and scripts alone, from their package to a folder of its own.
      const href = url.href.replace(/\\/\\.vite\\/deps(_\\w+)?\\/(?=[^?]*$)/, '/aligndraw/');
      return new URL(href, globalThis.document?.baseURI ?? location.href);
    }
    const engines = { ${engines.join(', ')} };
    const models = { ${models.join(', ')} };
    export const worker = () => ${url('worker.js')};
    export async function engine(device, folder) {
      const base = folder && new URL(folder.replace(/\\/?$/, '/'), document.baseURI);
      const found = base && (await import(new URL('engines.js', base).href));
      const files = (name) => {
        if (!base) return engines[name]();
        const at = (file) => new URL(name + '/' + file, base).href;
        return { glue: at('aligndraw.js'), wasm: { name: 'engine/' + name, url: at('aligndraw_bg.wasm'), ...found.engines[name] } };
      };
      if (device === 'webgpu') return files(device);
      const engineOf = found?.engineOf ?? ${JSON.stringify(engineOf)};
      return { ...files('cpu'), others: { flex: files('flex'), describe: files('describe') }, engineOf };
    }
    export function model(name) {
      if (!Object.hasOwn(models, name)) throw new AlignDrawError({ code: 'missing', message: 'there is no model "' + name + '", expected ' + Object.keys(models).join(' or ') + ', or the URL of a manifest' });
      return models[name]();
    }
    export const gifEncoder = () => import('gifenc/dist/gifenc.esm.js');
    export const element = () => new URL(${JSON.stringify(element)}, import.meta.url);
  `;
}

/**
 * An engine's JavaScript, smaller, and without imports, exports and URLs: Parcel drops the exports of a script
 * that is named by its URL, and looks for the file that the glue names beside itself. The worker has compiled the
 * wasm, so that of the ways to start it one is enough.
 */
async function glue(device) {
  const used = { webgpu: 'Model, memoryBytes, initGpu, failGpu', describe: 'Captioner, Ranker, isRanker, memoryBytes' }[device] ?? 'Model, memoryBytes';
  const contents = `
    import { initSync, ${used} } from './pkg/${device}/aligndraw.js';
    globalThis.alignDrawEngine = { default: ({ module_or_path: module }) => initSync({ module }), ${used} };
  `;
  const { outputFiles } = await build({ ...common, stdin: { contents, resolveDir: '.' }, format: 'iife', logOverride: { 'empty-import-meta': 'silent' }, write: false });
  return outputFiles[0].contents;
}

/**
 * Marks the imports of addresses that are known at run time alone, for bundlers to leave them as they are.
 * esbuild drops such comments where it makes a text smaller.
 */
const unbundled = (text) => text.replace(/\bimport\((?!["'`$])/g, 'import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ ');

/** Puts generated text in the place of `lib/assets.js`. */
const withAssets = (text) => ({
  name: 'assets',
  setup: ({ onLoad }) => onLoad({ filter: /www\/lib\/assets\.js$/ }, () => ({ contents: text, loader: 'js', resolveDir: 'www/lib' })),
});

/** The worker as one file, without imports: it is started by its address. Its text. */
async function worker() {
  const { outputFiles } = await build({ ...common, entryPoints: ['www/lib/worker.js'], write: false });
  return unbundled(outputFiles[0].text);
}

/** What is shipped beside the code, as its own licence and others' ask. */
const LICENCES = [
  ['LICENSE-MIT', 'LICENSE-MIT'],
  ['LICENSE-APACHE', 'LICENSE-APACHE'],
  ['data/scenes/LICENSE', 'licenses/fluent-emoji.txt'],
  ['node_modules/gifenc/LICENSE.md', 'licenses/gifenc.md'],
  ['models/eyes.NOTICE', 'licenses/eyes.txt'],
];

function licences(folder) {
  mkdirSync(join(folder, 'licenses'), { recursive: true });
  for (const [from, to] of LICENCES) cpSync(from, join(folder, to));
}

async function bundlePackage() {
  const out = 'pkg';
  for (const file of readdirSync(out)) if (/\.js$/.test(file) && !['engines.js', 'gifenc.js'].includes(file)) rmSync(join(out, file));
  writeFileSync(join(out, 'worker.js'), await worker());
  mkdirSync(join(out, 'models'), { recursive: true });
  for (const name of WEIGHTS) for (const kind of ['json', 'safetensors']) cpSync(`models/${name}.${kind}`, join(out, 'models', `${name}.${kind}`));
  const names = { 'worker.js': 'worker.js' };
  for (const device of ENGINES) {
    writeFileSync(join(out, `engine-${device}.js`), await glue(device));
    Object.assign(names, { [`${device}.js`]: `engine-${device}.js`, [`${device}.wasm`]: `${device}/aligndraw_bg.wasm` });
  }
  for (const name of WEIGHTS) names[`${name}.safetensors`] = `models/${name}.safetensors`;
  const { outputFiles } = await build({
    ...common,
    write: false,
    loader: { '.json': 'text' },
    entryPoints: LIBRARY.map((name) => `www/lib/${name}.js`),
    outdir: out,
    splitting: true,
    plugins: [withAssets(assets(names, './align-draw.js', true))],
  });
  for (const { path, text } of outputFiles) writeFileSync(path, unbundled(text));
  licences(out);
  cpSync('www/package.md', join(out, 'README.md'));
  const manifest = {
    name: 'aligndraw',
    version,
    description: 'Draws a caption step by step in the browser: a recurrent network with attention, as WebAssembly or on WebGPU',
    license: 'MIT OR Apache-2.0',
    type: 'module',
    exports: {
      '.': { types: './types/aligndraw.d.ts', default: './aligndraw.js' },
      './element': { types: './types/align-draw.d.ts', default: './align-draw.js' },
      './describe': { types: './types/align-describe.d.ts', default: './align-describe.js' },
      './rank': { types: './types/rank.d.ts', default: './rank.js' },
      './sharpen': { types: './types/sharpen.d.ts', default: './sharpen.js' },
      './package.json': './package.json',
    },
    // For what does not read `exports`: Parcel as it comes, and TypeScript's older ways to find a module.
    main: './aligndraw.js',
    types: './types/aligndraw.d.ts',
    alias: { './element': './align-draw.js', './describe': './align-describe.js', './rank': './rank.js', './sharpen': './sharpen.js' },
    typesVersions: { '*': { element: ['./types/align-draw.d.ts'], describe: ['./types/align-describe.d.ts'], rank: ['./types/rank.d.ts'], sharpen: ['./types/sharpen.d.ts'] } },
    sideEffects: ['./align-draw.js', './align-describe.js'],
    files: ['/*.js', '!/engines.js', '!/gifenc.js', 'types/**/*.d.ts', 'cpu/aligndraw_bg.wasm', 'flex/aligndraw_bg.wasm', 'describe/aligndraw_bg.wasm', 'webgpu/aligndraw_bg.wasm', 'models', 'licenses', 'LICENSE-*'],
    keywords: ['text-to-image', 'webassembly', 'webgpu', 'custom-element', 'attention', 'draw'],
  };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Writes a site's file compressed beside it, where that helps. */
function compressed(path) {
  const bytes = readFileSync(path);
  // An engine takes a minute, and was compressed when it was built.
  const engine = /\/(cpu|flex|describe|webgpu)-[^/]*\.wasm$/.exec(path);
  if (engine) {
    cpSync(`pkg/${engine[1]}/aligndraw_bg.wasm.br`, `${path}.br`);
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    return;
  }
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const smaller = [['br', brotliCompressSync(bytes, { params })], ['gz', gzipSync(bytes, { level: 9 })]];
  for (const [ending, small] of smaller) if (small.length < 0.95 * bytes.length) writeFileSync(`${path}.${ending}`, small);
}

async function bundleSite() {
  const out = 'site';
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, 'assets'), { recursive: true });
  mkdirSync(join(out, 'models'));
  const names = {};
  const put = (name, bytes) => {
    const ending = extname(name);
    names[name] = `${basename(name, ending)}-${short(bytes)}${ending}`;
    writeFileSync(join(out, 'assets', names[name]), bytes);
  };
  for (const device of ENGINES) {
    put(`${device}.wasm`, readFileSync(`pkg/${device}/aligndraw_bg.wasm`));
    put(`${device}.js`, await glue(device));
  }
  for (const name of WEIGHTS) {
    put(`${name}.safetensors`, readFileSync(`models/${name}.safetensors`));
    put(`${name}.json`, readFileSync(`models/${name}.json`));
  }
  put('worker.js', await worker());
  const pages = ['index', 'gallery', 'describe', 'search', 'roundtrip', 'painters', 'embed'];
  const styles = readdirSync('www').filter((file) => file.endsWith('.css'));
  const scripts = readdirSync('www').filter((file) => ['main.js', ...pages.map((page) => `${page}.js`)].includes(file));
  const { metafile } = await build({
    ...common,
    entryPoints: [...[...scripts, ...styles].map((file) => `www/${file}`), ...LIBRARY.map((name) => `www/lib/${name}.js`)],
    outdir: join(out, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    splitting: true,
    metafile: true,
    plugins: [withAssets(assets(names, '../align-draw.js', false))],
  });
  /** What an entry is called now, by its path in www/. */
  const renamed = new Map();
  for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint) renamed.set(entryPoint.slice('www/'.length), path.slice(`${out}/`.length));
  }
  /** What a bundled script imports at once, and what that imports. */
  const imported = (path, seen = new Set()) => {
    for (const { path: next, kind } of metafile.outputs[path].imports) {
      if (kind !== 'import-statement' || seen.has(next)) continue;
      seen.add(next);
      imported(next, seen);
    }
    return seen;
  };
  for (const page of pages) {
    const early = new Set();
    const html = readFileSync(`www/${page}.html`, 'utf8').replace(/(src|href)="([^":#?]+\.(?:js|css))"/g, (whole, attribute, path) => {
      if (!renamed.has(path)) throw new Error(`${page}.html names ${path}, which is not bundled`);
      if (path.endsWith('.js')) imported(`${out}/${renamed.get(path)}`).forEach((file) => early.add(file.slice(`${out}/`.length)));
      return `${attribute}="${renamed.get(path)}"`;
    });
    // All at once, not each after the one that names it.
    const links = [...early].map((file) => `  <link rel="modulepreload" href="${file}">\n`).join('');
    writeFileSync(join(out, `${page}.html`), html.replace('</head>', `${links}</head>`));
  }
  // The addresses that other sites name stay.
  for (const entry of LIBRARY) writeFileSync(join(out, `${entry}.js`), `export * from './${renamed.get(`lib/${entry}.js`)}';\n`);
  cpSync('www/icon.svg', join(out, 'icon.svg'));
  cpSync('www/photos', join(out, 'photos'), { recursive: true });
  cpSync('models/index.json', join(out, 'models/index.json'));
  if (existsSync('models/compare.json')) cpSync('models/compare.json', join(out, 'models/compare.json'));
  for (const name of MODELS) if (existsSync(`models/${name}.eval.json`)) cpSync(`models/${name}.eval.json`, join(out, 'models', `${name}.eval.json`));
  licences(out);
  // What the page needs to open; engines and weights are kept by the library, which checks them.
  const assetFiles = readdirSync(join(out, 'assets')).filter((file) => /\.(js|css)$/.test(file) && !file.startsWith('webgpu-'));
  const files = ['./', 'gallery.html', 'describe.html', 'search.html', 'roundtrip.html', 'painters.html', 'embed.html', 'align-draw.js', 'icon.svg', 'models/index.json', ...assetFiles.map((file) => `assets/${file}`)];
  const sw = readFileSync('www/sw.js', 'utf8');
  const site = { version: short(files.join() + readFileSync(join(out, 'index.html'))), files };
  const { outputFiles } = await build({ ...common, stdin: { contents: `self.SITE = ${JSON.stringify(site)};\n${sw}`, loader: 'js' }, format: 'iife', write: false });
  writeFileSync(join(out, 'sw.js'), outputFiles[0].contents);
  for (const file of readdirSync(out, { recursive: true, withFileTypes: true })) {
    if (file.isFile() && !/\.(br|gz)$/.test(file.name)) compressed(join(file.parentPath, file.name));
  }
}

const [what] = process.argv.slice(2);
const targets = { package: bundlePackage, site: bundleSite };
if (!targets[what]) {
  console.error('usage: node scripts/bundle.mjs package|site');
  process.exit(2);
}
await targets[what]();
