// @ts-check
/** Variants of a drawing: with one word replaced, or branched from a step. */

/** @typedef {import('./lib/aligndraw.js').Frame} Frame */
/** @typedef {import('./lib/aligndraw.js').AlignDraw} AlignDraw */
/** @typedef {import('./link.js').Branch} Branch */
/**
 * The drawing that is shown.
 * @typedef {{model: AlignDraw, caption: string, seed: bigint, words: string[], frames: Frame[], picture: number, drawing: import('./lib/aligndraw.js').Kept | null}} Shown
 */

export class Variants {
  /**
   * @param {import('./compare.js').Compare} compare
   * @param {HTMLElement} choices where the words to take instead are shown
   * @param {{shown: () => Shown | null, onFrame: () => void, showError: (error: unknown) => void, onBranch: (branch: Branch | null) => void}} page
   */
  constructor(compare, choices, page) {
    this.compare = compare;
    this.choices = choices;
    this.page = page;
    /** @type {AbortController | undefined} */
    this.running = undefined;
  }

  /** Ends the comparison: the drawing changed. */
  end() {
    this.running?.abort();
    this.choices.replaceChildren();
    if (this.compare.open) this.page.onBranch(null);
    this.compare.close();
  }

  /**
   * Shows words to put in the place of one.
   * @param {string} word @param {string[]} others @param {(other: string) => void} onChoose
   */
  showAlternatives(word, others, onChoose) {
    const label = Object.assign(document.createElement('span'), { textContent: `Instead of “${word}”:` });
    const buttons = others.map((other) => {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: other });
      button.addEventListener('click', () => onChoose(other));
      return button;
    });
    this.choices.replaceChildren(label, ...buttons);
    buttons[0]?.focus({ preventScroll: true });
    this.choices.scrollIntoView({ block: 'nearest' });
  }

  /** Draws the caption with a word replaced, from the same seed. @param {string} title @param {string} caption */
  async flip(title, caption) {
    const shown = this.page.shown();
    if (!shown) return;
    await this.draw(title, caption, shown.seed, [], (signal) =>
      oneEach(shown.model.drawMany(caption, { seeds: [shown.seed], signal })),
    );
  }

  /** Goes on from a step with another caption, another seed, or both. @param {Branch} branch */
  async branch(branch) {
    const shown = this.page.shown();
    if (!shown) return;
    if (!shown.drawing) return this.page.showError(new Error('draw the caption to its end first, then branch from a step'));
    const { drawing, picture } = shown;
    const before = shown.frames.slice(0, branch.step);
    const title = `Branched at step ${branch.step}`;
    const whole = await this.draw(title, branch.caption, branch.seed, before, (signal) =>
      shown.model.branch(drawing, { ...branch, picture, signal }),
    );
    if (whole) this.page.onBranch(branch);
  }

  /**
   * @param {string} title @param {string} caption @param {bigint} seed @param {Frame[]} before frames that are shared
   * @param {(signal: AbortSignal) => AsyncIterable<Frame>} begin
   * @returns {Promise<boolean>} whether it was drawn to the end
   */
  async draw(title, caption, seed, before, begin) {
    const shown = this.page.shown();
    if (!shown) return false;
    this.running?.abort();
    const controller = new AbortController();
    this.running = controller;
    try {
      const words = await shown.model.words(caption);
      controller.signal.throwIfAborted();
      const right = { caption, seed, words, frames: [...before] };
      this.compare.begin(title, shown, right);
      for await (const frame of begin(controller.signal)) {
        right.frames.push(frame);
        this.page.onFrame();
      }
      return true;
    } catch (error) {
      if (!controller.signal.aborted) this.page.showError(error);
      return false;
    }
  }
}

/** @param {AsyncIterable<Frame[]>} steps @returns {AsyncGenerator<Frame, void, void>} */
async function* oneEach(steps) {
  for await (const [frame] of steps) yield frame;
}
