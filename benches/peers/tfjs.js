// alignDRAW's painting in TensorFlow.js: the peer's natural form, all steps in one tidy.
// The caption's encoding, its keys and its values are computed once for a picture, as in the others.

const [L, D, Z, N, SIDE] = [128, 300, 150, 8, 60];

/** Half precision to single. @param {Uint16Array} halves */
function widen(halves) {
  return Float32Array.from(halves, (h) => {
    const [sign, exponent, fraction] = [h & 0x8000 ? -1 : 1, (h >> 10) & 31, h & 1023];
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

export function readSafetensors(buffer) {
  const size = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, size)));
  const tensors = {};
  for (const [name, { shape, data_offsets: [begin, end] }] of Object.entries(header)) {
    if (name !== '__metadata__') tensors[name] = { shape, values: widen(new Uint16Array(buffer.slice(8 + size + begin, 8 + size + end))) };
  }
  return tensors;
}

export class TfAlignDraw {
  constructor(tf, tensors, steps) {
    this.tf = tf;
    this.steps = steps;
    this.w = Object.fromEntries(Object.entries(tensors).map(([name, { shape, values }]) => [name, tf.tensor(values, shape)]));
    this.offsets = tf.range(0, N).sub((N - 1) / 2).reshape([1, N]);
    this.pixels = tf.range(0, SIDE).reshape([1, 1, SIDE]);
  }

  lstm(gates, cell) {
    const { tf } = this;
    const [i, f, g, o] = tf.split(gates, 4, 1);
    const next = tf.sigmoid(f).mul(cell).add(tf.sigmoid(i).mul(tf.tanh(g)));
    return [tf.sigmoid(o).mul(tf.tanh(next)), next];
  }

  encode(ids) {
    const { tf, w } = this;
    const halves = ['forward', 'backward'].map((name) => {
      const inputs = tf.gather(w[`caption_${name}_input`], ids).add(w[`caption_${name}_bias`]);
      let hidden = w.caption_initial_hidden.reshape([1, L]);
      let cell = tf.zeros([1, L]);
      const states = [];
      const order = [...Array(ids.length).keys()];
      for (const j of name === 'forward' ? order : order.toReversed()) {
        [hidden, cell] = this.lstm(tf.slice(inputs, [j, 0], [1, 4 * L]).add(tf.matMul(hidden, w[`caption_${name}_recurrent`])), cell);
        states[j] = hidden;
      }
      return tf.concat(states, 0);
    });
    const states = tf.concat(halves, 1);
    const words = w.generative_caption.shape[0] !== 2 * L;
    return {
      keys: tf.matMul(states, w.align_key).add(w.align_bias),
      values: words ? tf.gather(w.generative_caption, ids) : tf.matMul(states, w.generative_caption),
      score: w.align_score.reshape([-1, 1]),
    };
  }

  bank(center, stride, variance) {
    const { tf } = this;
    const mean = center.add(stride.mul(this.offsets)).reshape([1, N, 1]);
    const filters = tf.exp(tf.square(this.pixels.sub(mean)).div(variance.mul(-2)));
    return filters.div(filters.sum(2, true).add(1e-4)).reshape([N, SIDE]);
  }

  /** The image after every step, [steps, 60, 60]. noise: Float32Array [steps, Z]. */
  async draw(ids, noise) {
    const { tf, w } = this;
    const images = tf.tidy(() => {
      const { keys, values, score } = this.encode(ids);
      let hidden = w.generative_initial_hidden.reshape([1, D]);
      let cell = tf.zeros([1, D]);
      let [mean, logStd] = [tf.zeros([1, Z]), tf.zeros([1, Z])];
      let canvas = w.initial_canvas.reshape([SIDE, SIDE]);
      const drawn = [];
      for (let t = 0; t < this.steps; t += 1) {
        const z = mean.add(tf.exp(logStd).mul(tf.tensor(noise.subarray(t * Z, (t + 1) * Z), [1, Z])));
        const energy = tf.matMul(tf.tanh(keys.add(tf.matMul(hidden, w.align_query))), score);
        const alpha = tf.softmax(energy.reshape([1, -1]));
        const gates = tf.matMul(z, w.generative_latent).add(tf.matMul(alpha, values)).add(tf.matMul(hidden, w.generative_recurrent)).add(w.generative_bias);
        [hidden, cell] = this.lstm(gates, cell);
        [mean, logStd] = tf.split(tf.tanh(tf.matMul(hidden, w.prior).add(w.prior_bias)), 2, 1);
        const raw = tf.split(tf.matMul(hidden, w.write_window).add(w.write_window_bias), 5, 1);
        const stride = tf.exp(raw[2]).mul((SIDE - 1) / (N - 1));
        const [x, y] = [raw[0], raw[1]].map((g) => this.bank(g.add(1).mul((SIDE + 1) / 2).sub(1), stride, tf.exp(raw[3])));
        const patch = tf.matMul(hidden, w.write_patch).add(w.write_patch_bias).reshape([N, N]);
        canvas = canvas.add(tf.matMul(tf.matMul(y, patch, true), x).div(tf.exp(raw[4])));
        drawn.push(tf.sigmoid(canvas));
      }
      return tf.stack(drawn);
    });
    const data = await images.data();
    images.dispose();
    return data;
  }
}
