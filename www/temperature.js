// @ts-check
/** How much the pictures of a caption differ: a slider with named stops. */

/** Stops with their names; the model's own is a third. */
const TYPICAL = 0.3;
const VARIED = 1;
const NEAR = 0.025;

export class TemperatureSlider {
  /** @param {HTMLElement} root holds a range, an output and buttons with `data-temperature` @param {() => void} onChange */
  constructor(root, onChange) {
    this.range = /** @type {HTMLInputElement} */ (root.querySelector('input'));
    this.output = /** @type {HTMLElement} */ (root.querySelector('output'));
    this.buttons = [...root.querySelectorAll('button')];
    this.own = 1;
    const changed = () => {
      this.show();
      onChange();
    };
    this.range.addEventListener('input', changed);
    for (const button of this.buttons) {
      button.addEventListener('click', () => {
        this.range.value = String(this.stop(button));
        changed();
      });
    }
  }

  /** A model is loaded. @param {number} own its temperature @param {number} [asked] what the link asks for */
  begin(own, asked) {
    this.own = own;
    this.range.value = String(asked ?? own);
    // The model's own may be one of the others.
    for (const button of this.buttons) button.hidden = button.dataset.temperature !== 'own' && Math.abs(this.stop(button) - own) < NEAR;
    this.show();
  }

  /** @param {HTMLButtonElement} button */
  stop({ dataset }) {
    return dataset.temperature === 'own' ? this.own : dataset.temperature === 'typical' ? TYPICAL : VARIED;
  }

  /** What is asked of a drawing: nothing at the model's own. @returns {number | undefined} */
  get value() {
    const value = Number(this.range.value);
    return Math.abs(value - this.own) < NEAR ? undefined : value;
  }

  show() {
    const value = Number(this.range.value);
    this.output.textContent = value.toFixed(2);
    for (const button of this.buttons) button.setAttribute('aria-pressed', String(Math.abs(this.stop(button) - value) < NEAR));
  }
}
