// @ts-check
/**
 * Where the worker, the engines and the models lie, and which hashes their bytes must have. This is the
 * version for the project's own server. `scripts/bundle.mjs` writes the one of the npm package and of the
 * static site, with the same exports.
 */

/**
 * A file that is known by its hash. `name` says what it is, so that a newer one takes its place.
 * @typedef {{name: string, url: string, sha256: string, bytes: number}} Asset
 * The files of an engine. On the CPU there are several: `engineOf` says by a model's system which it takes, `others`
 * where those besides this one lie.
 * @typedef {{glue: string, wasm: Asset, others?: Record<string, EngineFiles>, engineOf?: Record<string, string>}} EngineFiles
 * `text` gives a manifest that comes with the code; without `weights` they lie beside the manifest. `eyes` are what
 * models of photos look with, beside the manifest unless they are given.
 * @typedef {{manifest: string, text?: () => Promise<string>, weights?: string, eyes?: ModelFiles}} ModelFiles
 */

const root = new URL('../', import.meta.url);

export const worker = () => new URL('./worker.js', import.meta.url);

/**
 * @param {'cpu' | 'webgpu'} device @param {string} [folder] URL of another folder with engines
 * @returns {Promise<EngineFiles>}
 */
export async function engine(device, folder) {
  const pkg = folder ? new URL(folder.replace(/\/?$/, '/'), document.baseURI) : new URL('pkg/', root);
  const { engines, engineOf } = await import(new URL('engines.js', pkg).href);
  const files = (/** @type {string} */ name) => {
    const url = (/** @type {string} */ file) => new URL(`${name}/${file}`, pkg).href;
    return { glue: url('aligndraw.js'), wasm: { name: `engine/${name}`, url: url('aligndraw_bg.wasm'), ...engines[name] } };
  };
  if (device === 'webgpu') return files(device);
  return { ...files('cpu'), others: { flex: files('flex'), describe: files('describe') }, engineOf };
}

/** @param {string} name @returns {ModelFiles} */
export const model = (name) => ({ manifest: new URL(`models/${name}.json`, root).href });

/** The encoder of GIFs, gifenc, when one is first wanted. */
export const gifEncoder = () => import(new URL('pkg/gifenc.js', root).href);

/** The script of the custom element, as other sites name it. */
export const element = () => new URL('./align-draw.js', import.meta.url);
