// @ts-check
/** Plays the steps of a drawing that has arrived, or is still arriving. */

/** Milliseconds that a step is shown. */
const STEP_TIME = 75;

export class Player {
  /** @param {(step: number, playing: boolean) => void} show */
  constructor(show) {
    this.show = show;
    this.step = 0;
    this.available = 0;
    this.total = 0;
    this.playing = false;
    this.last = 0;
    this.frame = 0;
  }

  /** A new drawing of `total` steps; plays it from the empty canvas unless motion is unwelcome. @param {number} total */
  begin(total) {
    this.total = total;
    this.available = 0;
    this.step = 0;
    this.calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.set(!this.calm);
    this.show(this.step, this.playing);
  }

  /** Step `available` has arrived. @param {number} available */
  arrive(available) {
    this.available = available;
    if (this.calm && !this.playing) this.go(available);
  }

  /** Shows a step, without stopping. @param {number} step */
  go(step) {
    this.step = Math.max(0, Math.min(step, this.available));
    this.show(this.step, this.playing);
  }

  /** Shows a step and stops there. @param {number} step */
  seek(step) {
    this.set(false);
    this.calm = false;
    this.go(step);
  }

  toggle() {
    this.calm = false;
    if (!this.playing && this.step === this.total) this.step = 0;
    this.set(!this.playing);
    this.show(this.step, this.playing);
  }

  /** @param {boolean} playing */
  set(playing) {
    if (playing === this.playing) return;
    this.playing = playing;
    cancelAnimationFrame(this.frame);
    if (!playing) return;
    this.last = performance.now();
    const tick = (/** @type {number} */ now) => {
      if (!this.playing) return;
      if (now - this.last >= STEP_TIME && this.step < this.available) {
        this.last = now;
        this.step += 1;
        if (this.step === this.total) this.playing = false;
        this.show(this.step, this.playing);
      }
      if (this.playing) this.frame = requestAnimationFrame(tick);
    };
    this.frame = requestAnimationFrame(tick);
  }
}
