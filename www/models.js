// @ts-check
/**
 * The models that the page offers, with captions to try: `models/index.json`, which `aligndraw index` writes from the
 * manifests and from `models/<name>.page.json`.
 */

/**
 * @typedef {{title: string, note: string, captions: string[]}} Group
 * @typedef {object} Entry
 * @property {string} name
 * @property {string} title
 * @property {string} system
 * @property {string} kind `text-to-image`, say
 * @property {string} caption that is drawn first
 * @property {number} seed of that drawing
 * @property {Group[]} groups captions to try
 * @property {number} width of its pictures, pixels
 * @property {number} height
 * @property {number} channels 1 or 3
 * @property {number} numSteps
 * @property {number} bytes of its weights
 * @property {string} data what it learned from: `photos`, say
 * @property {string} note a sentence about what it can and cannot do, or ''
 */

const INDEX = 'models/index.json';

/** @returns {Promise<Entry[]>} */
async function fetchIndex() {
  const response = await fetch(INDEX);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

/** The list; until it comes the page says why not and offers to try again. @returns {Promise<Entry[]>} */
async function readIndex() {
  const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
  for (;;) {
    try {
      return await fetchIndex();
    } catch (error) {
      part('error-text').textContent = `The list of models (${INDEX}) could not be loaded: ${/** @type {Error} */ (error).message}.`;
      const there = document.getElementById('retry');
      const retry = there ?? Object.assign(document.createElement('button'), { type: 'button', textContent: 'Try again' });
      if (!there) part('error').append(retry);
      part('error').hidden = false;
      await new Promise((resolve) => retry.addEventListener('click', resolve, { once: true }));
      part('error').hidden = true;
      if (!there) retry.remove();
    }
  }
}

const INDEXED = await readIndex();

/** Those that draw captions. */
export const MODELS = INDEXED.filter(({ kind }) => kind === 'text-to-image');

/** Those that describe pictures; one of regions describes parts of them, on the command line. */
export const CAPTIONERS = INDEXED.filter(({ kind, data }) => kind === 'image-to-text' && data !== 'snippets');

/** @param {string | undefined} name @returns {Entry} the model of that name, else the first */
export const choice = (name) => MODELS.find((model) => model.name === name) ?? MODELS[0];

/**
 * Captions to try as buttons, a row for each group.
 * @param {Entry} model @param {(caption: string) => void} onChoose @returns {HTMLElement[]}
 */
export function chips(model, onChoose) {
  return model.groups.map(({ title, captions }) => {
    const row = document.createElement('div');
    row.setAttribute('role', 'group');
    row.setAttribute('aria-label', title);
    const name = Object.assign(document.createElement('span'), { textContent: title });
    const buttons = captions.map((text) => {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
      button.addEventListener('click', () => onChoose(text));
      return button;
    });
    const list = document.createElement('p');
    list.append(...buttons);
    row.append(name, list);
    return row;
  });
}
