// @ts-check
/** How the element looks, and the elements of its shadow tree. */

/** The element's own names begin with an underscore, so that a page may set ours from one of its own. */
const STYLE = `
:host {
  --_size: var(--align-draw-size, 320px);
  --_paper: var(--align-draw-paper, #ffffff);
  --_ink: var(--align-draw-ink, #1e1b22);
  --_accent: var(--align-draw-accent, #b93a12);
  --_line: var(--align-draw-line, #dedad0);
  --_text: var(--align-draw-text, inherit);
  display: inline-block;
  vertical-align: top;
  width: var(--_size);
  max-width: 100%;
  color: var(--_text);
}
@media (prefers-color-scheme: dark) {
  :host {
    --_paper: var(--align-draw-paper, #1f1e23);
    --_ink: var(--align-draw-ink, #f7f2e8);
    --_accent: var(--align-draw-accent, #ff8a5c);
    --_line: var(--align-draw-line, #38363d);
  }
}
:host([hidden]), [hidden] { display: none !important; }
figure { margin: 0; }
.picture { position: relative; aspect-ratio: 1; overflow: hidden; border: 1px solid var(--_line); border-radius: 10px; background: var(--_paper); }
canvas, .poster { display: block; width: 100%; height: 100%; color: var(--_ink); background: var(--_paper); }
.poster { position: absolute; inset: 0; object-fit: cover; }
/* The caption, until it is drawn. */
.placeholder { position: absolute; inset: 0; display: grid; place-content: center; margin: 0; padding: 14%; text-align: center; font: italic 1.05em/1.5 Georgia, serif; color: var(--_ink); opacity: 0.72; text-wrap: balance; }
.window { position: absolute; box-sizing: border-box; border: 1.5px solid var(--_accent); border-radius: 3px; pointer-events: none; transition: all 70ms linear; }
.message { position: absolute; inset: auto 0 0; margin: 0; padding: 8px 12px; font-size: 0.85em; line-height: 1.35; color: var(--_ink); background: var(--_paper); }
.message[data-problem] { border-top: 2px solid var(--_accent); }
figcaption { margin-top: 8px; line-height: 1.6; }
figcaption span { --attention: 0%; padding: 0 2px; border-radius: 3px; background: color-mix(in srgb, var(--_accent) var(--attention), transparent); }
input[type=text] { box-sizing: border-box; width: 100%; min-height: 40px; padding: 6px 2px; border: 0; border-bottom: 2px solid var(--_line); color: inherit; background: none; font: inherit; }
.controls { display: flex; align-items: center; gap: 8px; margin-top: 8px; }
button { min-width: 40px; min-height: 40px; border: 1px solid var(--_line); border-radius: 8px; color: inherit; background: none; font: inherit; cursor: pointer; }
input[type=range] { flex: 1; min-width: 0; height: 40px; margin: 0; accent-color: var(--_accent); }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
@media (prefers-reduced-motion: reduce) { .window { transition: none; } }
`;

/** A constructed sheet belongs to one document, whose elements share it. @type {WeakMap<Document, Map<string, CSSStyleSheet>>} */
const sheets = new WeakMap();

/**
 * Gives a shadow tree our style, in the document in which it is now: adopted by another one, it has lost its sheet.
 * @param {ShadowRoot} root @param {string} [style]
 */
export function applyStyle(root, style = STYLE) {
  const { ownerDocument } = root;
  const Sheet = ownerDocument.defaultView?.CSSStyleSheet;
  root.querySelector('style')?.remove();
  try {
    // Not a style element where it can be helped: many a Content-Security-Policy forbids those.
    const known = sheets.get(ownerDocument) ?? new Map();
    const sheet = known.get(style) ?? (Sheet && new Sheet());
    if (!sheet) throw new TypeError('a document without a window has no sheets of its own');
    if (!known.has(style)) sheet.replaceSync(style);
    sheets.set(ownerDocument, known.set(style, sheet));
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.prepend(Object.assign(ownerDocument.createElement('style'), { textContent: style }));
  }
}
