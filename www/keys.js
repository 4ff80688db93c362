// @ts-check
/** Keys that do something wherever the focus is, but where they mean something else: in text, on buttons. */

/** @param {Record<string, () => void>} actions by the name of their key */
export function listenForKeys(actions) {
  document.addEventListener('keydown', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|BUTTON|SUMMARY|SELECT)$/.test(target.tagName)) return;
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });
}
