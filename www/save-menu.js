// @ts-check
/** Saves a drawing as a file, copies it as a link or a snippet, and opens a saved one again. */

import { fromPng } from './lib/metadata.js';
import { elementSnippet, frameSnippet } from './snippets.js';

/**
 * @typedef {import('./lib/metadata.js').Drawn} Drawn
 * @typedef {import('./lib/record.js').Drawing} Drawing
 * @typedef {{drawing: Drawing, step: number, link: string}} Shown what the page shows, and its address
 */

const TYPES = { png: 'image/png', gif: 'image/gif', webm: 'video/webm' };
/** Milliseconds that a button shows its confirmation. */
const CONFIRMATION_TIME = 1600;

export class SaveMenu {
  /**
   * @param {HTMLElement} root holds the buttons: `data-save` a kind of file, `data-copy` a kind of text, and
   * an input for files
   * @param {{shown: () => Shown | null, open: (drawn: Drawn) => void, showNote: (text: string) => void}} page
   */
  constructor(root, page) {
    this.page = page;
    for (const button of root.querySelectorAll('button')) {
      const { save, copy } = button.dataset;
      if (save) button.addEventListener('click', () => this.save(button, /** @type {keyof typeof TYPES} */ (save)));
      if (copy) button.addEventListener('click', () => this.copy(button, copy));
    }
    import('./lib/record.js').then(({ canRecord }) => {
      /** @type {HTMLElement} */ (root.querySelector('[data-save=webm]')).hidden = !canRecord();
    });
    const input = /** @type {HTMLInputElement} */ (root.querySelector('input[type=file]'));
    input.addEventListener('change', () => {
      if (input.files?.[0]) this.open(input.files[0]);
      input.value = '';
    });
    document.addEventListener('dragover', (event) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    });
    document.addEventListener('drop', (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      this.open(file);
    });
  }

  /** Confirms an action, on its button. @param {HTMLButtonElement} button @param {string} text */
  confirm(button, text) {
    button.dataset.label ??= button.textContent ?? '';
    button.textContent = text;
    this.page.showNote(text);
    setTimeout(() => (button.textContent = button.dataset.label ?? ''), CONFIRMATION_TIME);
  }

  /** @param {HTMLButtonElement} button @param {keyof typeof TYPES} kind */
  async save(button, kind) {
    const shown = this.page.shown();
    if (!shown) return this.confirm(button, 'Nothing is drawn yet');
    const { drawing, step } = shown;
    const { drawn, frames } = drawing;
    const last = kind === 'png' ? Math.max(1, step) : frames.length;
    button.disabled = true;
    try {
      const { toFile } = await import('./lib/record.js');
      const part = { ...drawing, frames: frames.slice(0, last), drawn: last < frames.length ? { ...drawn, step: last } : drawn };
      const blob = await toFile(part, TYPES[kind]);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = `${drawn.caption.replace(/\W+/g, '-')}-${drawn.seed}.${kind}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      this.confirm(button, 'Saved');
    } catch (error) {
      this.confirm(button, 'Saving failed');
      this.page.showNote(/** @type {Error} */ (error).message);
    } finally {
      button.disabled = false;
    }
  }

  /** @param {HTMLButtonElement} button @param {string} kind */
  async copy(button, kind) {
    const shown = this.page.shown();
    if (!shown) return this.confirm(button, 'Nothing is drawn yet');
    const { caption, seed, model, temperature, frames: layout } = shown.drawing.drawn;
    const options = { caption, seed, model, temperature, layout, switches: ['words', 'controls'] };
    const text = kind === 'element' ? elementSnippet(options) : kind === 'frame' ? frameSnippet(options) : shown.link;
    const copied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    this.confirm(button, copied ? 'Copied' : kind === 'link' ? 'It is in the address bar' : 'Copying is not allowed here');
  }

  /** Draws again what a saved picture was drawn from. @param {Blob} file */
  async open(file) {
    const drawn = fromPng(new Uint8Array(await file.arrayBuffer()));
    if (drawn) this.page.open(drawn);
    else this.page.showNote('That file does not say what it was drawn from: expected a PNG that was saved here.');
  }
}
