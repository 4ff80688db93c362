// @ts-check
/** The caption box: marks unknown words while typing and suggests known ones. */

const MAX_SUGGESTIONS = 8;

/** @param {string} word without the punctuation that the tokeniser drops */
const normalized = (word) => word.trim().toLowerCase().replace(/^[,;:!?"“”]+|[,;:!?"“”.]+$/g, '');

export class CaptionBox {
  /**
   * @param {{input: HTMLInputElement, marks: HTMLElement, suggestions: HTMLElement, hint: HTMLElement, known: HTMLElement}} parts
   * @param {() => void} onChange
   */
  constructor(parts, onChange) {
    Object.assign(this, parts);
    this.input = parts.input;
    this.marks = parts.marks;
    this.suggestions = parts.suggestions;
    this.hint = parts.hint;
    this.known = parts.known;
    this.onChange = onChange;
    /** Words of the caption that the model does not know, as it said. @type {Set<string>} */
    this.unknown = new Set();
    /** What can be completed to: words and other spellings of one word. @type {string[]} */
    this.spellings = [];
    /** @type {string[][]} */
    this.groups = [];
    this.input.addEventListener('input', () => this.changed());
    this.input.addEventListener('scroll', () => (this.marks.scrollLeft = this.input.scrollLeft));
    for (const event of ['click', 'keyup', 'focus']) this.input.addEventListener(event, () => this.suggest());
  }

  /** @param {import('./lib/aligndraw.js').ModelInfo} info */
  setVocabulary(info) {
    const words = info.words.filter((word) => word !== info.fullStop);
    const aliases = Object.keys(info.aliases).filter((spelling) => !spelling.includes(' '));
    this.spellings = [...words, ...aliases];
    this.groups = info.alternatives;
    this.input.placeholder = info.example;
    this.unknown.clear();
    // Numbers are offered as words where there are words for them.
    const numerals = aliases.filter((alias) => /^\d$/.test(info.aliases[alias]));
    const shown = [...numerals, ...words.filter((word) => !numerals.length || !/^\d$/.test(word))];
    this.known.replaceChildren(...shown.map((word) => this.chip(word, () => this.append(word))));
    this.mark();
  }

  get value() {
    return this.input.value;
  }

  set value(text) {
    this.input.value = text;
    this.mark();
  }

  changed() {
    this.mark();
    this.suggest();
    this.onChange();
  }

  /** Underlines the unknown words in the copy of the text behind the box. */
  mark() {
    const parts = this.input.value.split(/(\s+|\.)/);
    this.marks.replaceChildren(
      ...parts.map((part) => {
        const word = normalized(part);
        if (!word || !this.unknown.has(word)) return document.createTextNode(part);
        const mark = document.createElement('mark');
        mark.textContent = part;
        return mark;
      }),
    );
    this.marks.scrollLeft = this.input.scrollLeft;
  }

  /** The word under the caret, with its place. */
  current() {
    const { value } = this.input;
    const caret = this.input.selectionStart ?? value.length;
    const start = value.slice(0, caret).search(/[^\s.]*$/);
    const end = caret + (value.slice(caret).match(/^[^\s.]*/)?.[0].length ?? 0);
    return { start, end, word: normalized(value.slice(start, end)) };
  }

  /** Words that can stand for this one: the other digits, the other colours. @param {string} word */
  alternatives(word) {
    const others = this.groups.filter((group) => group.includes(word)).flat();
    return [...new Set(others)].filter((other) => other !== word);
  }

  /** Suggests the words that begin like the one under the caret, or those that can stand for it. */
  suggest() {
    const { start, end, word } = this.current();
    if (document.activeElement !== this.input || !word) return this.suggestions.replaceChildren();
    const others = this.alternatives(word);
    const fits = this.spellings.filter((known) => known !== word && known.startsWith(word));
    const choice = others.length ? others.slice(0, 2 * MAX_SUGGESTIONS) : fits.slice(0, MAX_SUGGESTIONS);
    this.suggestions.replaceChildren(...choice.map((known) => this.chip(known, () => this.replace(start, end, known))));
  }

  /** @param {string} word @param {() => void} action */
  chip(word, action) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = word;
    // Keep the caret where it is when a pointer takes the word.
    button.addEventListener('pointerdown', (event) => event.preventDefault());
    button.addEventListener('click', action);
    return button;
  }

  /** @param {number} start @param {number} end @param {string} word */
  replace(start, end, word) {
    const { value } = this.input;
    this.input.value = value.slice(0, start) + word + value.slice(end);
    this.input.focus();
    this.input.setSelectionRange(start + word.length, start + word.length);
    this.changed();
  }

  /** @param {string} word */
  append(word) {
    const { value } = this.input;
    this.input.value = value && !/\s$/.test(value) ? `${value} ${word}` : value + word;
    this.input.focus();
    this.changed();
  }

  /**
   * Shows what is wrong with the caption, with known words to take instead.
   * @param {{message: string, words?: {word: string, suggestions: string[]}[]} | null} problem
   */
  showProblem(problem) {
    this.input.setAttribute('aria-invalid', String(Boolean(problem)));
    this.unknown = new Set((problem?.words ?? []).map(({ word }) => word));
    this.mark();
    if (!problem) return this.hint.replaceChildren();
    if (!problem.words) {
      this.hint.textContent = problem.message[0].toUpperCase() + problem.message.slice(1) + '.';
      return;
    }
    const parts = problem.words.flatMap(({ word, suggestions }) => {
      const strong = document.createElement('strong');
      strong.textContent = `“${word}”`;
      const chips = suggestions.flatMap((known) => [this.chip(known, () => this.replaceFirst(word, known)), ' ']);
      const without = this.chip(`draw it without “${word}”`, () => this.replaceFirst(word, ''));
      return [strong, suggestions.length ? ' is not in its vocabulary. Did you mean ' : ' is not in its vocabulary: ', ...chips, suggestions.length ? ' or ' : '', without, ' '];
    });
    this.hint.replaceChildren(...parts);
  }

  /** Shows a note that is not an error. @param {string} text */
  showNote(text) {
    this.hint.textContent = text;
  }

  /** @param {string} word @param {string} known */
  replaceFirst(word, known) {
    const at = this.input.value.toLowerCase().indexOf(word);
    if (at >= 0) this.replace(at, at + word.length, known);
  }

  /**
   * A caption with one of its words replaced.
   * @param {string} text @param {[number, number]} span where the word stands in it @param {string} word
   */
  static withReplaced(text, [from, to], word) {
    return text.slice(0, from) + word + text.slice(to);
  }
}
