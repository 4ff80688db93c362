// @ts-check
/** The shadow tree of the element. */

/**
 * @typedef {object} Actions what the visitor asks for
 * @property {() => void} play
 * @property {(step: number) => void} seek
 * @property {(text: string) => void} type
 */

/**
 * Builds the tree.
 * @param {ShadowRoot} root @param {Actions} actions
 * @returns {Record<string, any>} its elements by their part
 */
export function buildParts(root, { play, seek, type }) {
  /** @type {Record<string, any>} */
  const parts = {};
  /** @param {string} tag @param {string} part @param {Record<string, any>} [more] */
  const make = (tag, part, more = {}) => {
    const element = Object.assign(document.createElement(tag), { className: part }, more);
    element.part.add(part);
    return (parts[part] = element);
  };
  const picture = make('div', 'picture');
  picture.append(
    make('canvas', 'canvas'),
    make('p', 'placeholder', { ariaHidden: 'true' }),
    make('img', 'poster', { alt: '', hidden: true }),
    make('div', 'window', { hidden: true }),
    make('p', 'message', { hidden: true }),
  );
  parts.canvas.setAttribute('role', 'img');
  parts.message.setAttribute('role', 'status');
  const button = make('button', 'play', { type: 'button', textContent: '▶' });
  button.addEventListener('click', play);
  const slider = make('input', 'slider', { type: 'range', min: '0', max: '32', value: '0' });
  slider.setAttribute('aria-label', 'Step');
  slider.addEventListener('input', () => seek(Number(slider.value)));
  const controls = make('div', 'controls');
  controls.append(button, slider);
  const input = make('input', 'input', { type: 'text', spellcheck: false, autocapitalize: 'off' });
  input.setAttribute('aria-label', 'What to draw');
  input.addEventListener('input', () => type(input.value));
  const figure = make('figure', 'figure');
  figure.append(picture, make('figcaption', 'caption'), input, controls);
  root.append(figure);
  return parts;
}
