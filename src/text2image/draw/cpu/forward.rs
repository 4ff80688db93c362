//! One step of a drawing on the CPU, for painting and training alike (models of the paper's
//! equations: read, infer, sample, attend, generate, write).

use super::super::config::{Conditioning, WriteMode};
use super::{
    caption::Caption,
    tape::{Mode, Tape},
    weights::Weights,
};
use crate::kernels::{
    attention,
    cross_entropy::cross_entropy,
    gaussian, lstm,
    math::{add_scaled, exp, sigmoid_into, softplus, tanh_biased},
    matmul::{Mat, matmul},
    window::Geometry,
};

/// Writes the first entries of the tape that do not come from a step; `images` as [`step`] takes them.
pub fn begin(weights: &Weights, tape: &mut Tape, mode: Mode, images: &[f32]) {
    tape.prior.at_mut(0).fill(0.0);
    decoder_products(weights, tape, mode, 0);
    for b in 0..tape.batch {
        show(weights, tape, 0, b);
        if mode != Mode::Prior {
            read(weights, tape, images, 0, b);
        }
    }
    if mode != Mode::Prior {
        encoder_products(weights, tape, 0);
    }
}

/// Runs step `t` (0-based). `images` [batch, CHW] is not read in [`Mode::Prior`]; the step's
/// noise must stand in the tape.
pub fn step(weights: &Weights, caption: &Caption, tape: &mut Tape, mode: Mode, images: &[f32], t: usize) {
    match mode {
        Mode::Posterior | Mode::Bound => infer(weights, tape, t),
        Mode::Prior => sample_prior(weights, tape, t),
    }
    generate(weights, caption, tape, t);
    decoder_products(weights, tape, mode, t + 1);
    if t + 1 < tape.num_steps {
        prior(weights, tape, t + 1);
    }
    let reads = mode != Mode::Prior && t + 1 < tape.num_steps;
    let geometry = weights.config.write_geometry(t);
    // Picture by picture, each while it lies in the processor's cache.
    for b in 0..tape.batch {
        write(weights, tape, &geometry, t, b);
        show(weights, tape, t + 1, b);
        if reads {
            read(weights, tape, images, t + 1, b);
        }
    }
}

/// Multiplies the decoder state after step `t` with everything that waits for it.
fn decoder_products(weights: &Weights, tape: &mut Tape, mode: Mode, t: usize) {
    let (size, layout) = (weights.config.decoder_size, &weights.decoder_layout);
    let first = match mode {
        Mode::Prior => layout.painting,
        // After the last step there is only a patch to write.
        Mode::Posterior | Mode::Bound if t == tape.num_steps => layout.write.start,
        Mode::Posterior | Mode::Bound => 0,
    };
    if let (Mode::Prior, Some(painting)) = (mode, &weights.painting) {
        let state = Mat::new(tape.decoder_hidden.at(t), tape.batch, size);
        return painting.decoder.matmul(&mut tape.products.at_mut(t)[first..], layout.width, false, state);
    }
    matmul(
        &mut tape.products.at_mut(t)[first..],
        layout.width,
        false,
        Mat::new(tape.decoder_hidden.at(t), tape.batch, size),
        Mat::strided(&weights.decoder[first..], size, layout.width - first, layout.width),
    );
}

/// Multiplies the encoder state after step `t` with everything that waits for it.
fn encoder_products(weights: &Weights, tape: &mut Tape, t: usize) {
    let (size, width) = (weights.config.encoder_size, weights.encoder_layout.width);
    matmul(
        tape.encoder_products.at_mut(t),
        width,
        false,
        Mat::new(tape.encoder_hidden.at(t), tape.batch, size),
        Mat::new(&weights.encoder, size, width),
    );
}

/// `[μ_p ; λ_p] = tanh(h_dec W_p + b_p)` for the step after `t`.
fn prior(weights: &Weights, tape: &mut Tape, t: usize) {
    let layout = &weights.decoder_layout;
    if layout.prior.len == 0 {
        return;
    }
    let rows = tape.products.at(t).chunks_exact(layout.width);
    let priors = tape.prior.at_mut(t).chunks_exact_mut(layout.prior.len);
    for (row, prior) in rows.zip(priors) {
        prior.copy_from_slice(layout.prior.of(row));
        tanh_biased(prior, &weights.host.prior_bias);
    }
}

/// The image of picture `b` after `t` steps, σ(c_t).
fn show(weights: &Weights, tape: &mut Tape, t: usize, b: usize) {
    let len = weights.config.image_len();
    sigmoid_into(tape.image.row_mut(t, b, len), &tape.canvas.at(t)[b * len..][..len]);
}

/// `r_t = γ [read(x) ; read(x − σ(c))]` of picture `b`.
fn read(weights: &Weights, tape: &mut Tape, images: &[f32], t: usize, b: usize) {
    let (config, geometry) = (&weights.config, weights.config.read_geometry());
    let image_len = config.image_len();
    let row = &tape.products.at(t)[b * weights.decoder_layout.width..];
    let raw = tape.read_raw.row_mut(t, b, 5);
    raw.copy_from_slice(weights.decoder_layout.read.of(row));
    add_scaled(raw, 1.0, &weights.host.read_window_bias);
    let window = geometry.window(raw);
    let banks = tape.read_banks.row_mut(t, b, geometry.bank_len());
    geometry.fill(&window, banks);
    let glimpse = tape.glimpse.row_mut(t, b, config.glimpse_len());
    let rows = tape.read_rows.row_mut(t, b, 2 * config.channels * config.read_size * config.width);
    let planes = [&images[b * image_len..][..image_len], tape.image.row(t, b, image_len)];
    geometry.glimpse(&window, banks, planes, rows, glimpse);
}

/// The inference LSTM, the posterior, its sample and its KL from the prior.
fn infer(weights: &Weights, tape: &mut Tape, t: usize) {
    let (config, host) = (&weights.config, &weights.host);
    let (size, batch, z) = (config.encoder_size, tape.batch, config.latent_size);
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    let gates = tape.inference_gates.at_mut(t);
    for (b, gates) in gates.chunks_exact_mut(4 * size).enumerate() {
        let from_decoder = decoder.inference.of(&tape.products.at(t)[b * decoder.width..]);
        let from_encoder = encoder.recurrent.of(&tape.encoder_products.at(t)[b * encoder.width..]);
        gates.copy_from_slice(from_decoder);
        add_scaled(gates, 1.0, from_encoder);
    }
    matmul(
        gates,
        4 * size,
        true,
        Mat::new(tape.glimpse.at(t), batch, config.glimpse_len()),
        Mat::new(&host.inference_input, config.glimpse_len(), 4 * size),
    );
    let (cell_before, cell) = tape.encoder_cell.pair(t);
    lstm::forward(gates, &host.inference_bias, cell_before, cell, tape.encoder_hidden.at_mut(t + 1));
    encoder_products(weights, tape, t + 1);

    for b in 0..batch {
        let row = &tape.encoder_products.at(t + 1)[b * encoder.width..];
        let mean = &mut tape.posterior_mean.at_mut(t)[b * z..][..z];
        mean.copy_from_slice(encoder.mean.of(row));
        add_scaled(mean, 1.0, &host.posterior_mean_bias);
        let log_std = &mut tape.posterior_log_std.at_mut(t)[b * z..][..z];
        let parts = encoder.log_std.of(row).iter().zip(&host.posterior_log_std_bias);
        for (log_std, (raw, bias)) in log_std.iter_mut().zip(parts) {
            *log_std = 0.5 * (raw + bias);
        }
        let noise = &tape.noise.at(t)[b * z..][..z];
        let latent = &mut tape.latent.at_mut(t)[b * z..][..z];
        let (prior_mean, prior_log_std) = tape.prior.at(t)[b * 2 * z..][..2 * z].split_at(z);
        gaussian::sample(latent, mean, log_std, noise);
        tape.kl[t * batch + b] = gaussian::kl(mean, log_std, prior_mean, prior_log_std);
    }
}

/// `z_t = μ_p + e^{λ_p} ε`.
fn sample_prior(weights: &Weights, tape: &mut Tape, t: usize) {
    let z = weights.config.latent_size;
    for b in 0..tape.batch {
        let (mean, log_std) = tape.prior.at(t)[b * 2 * z..][..2 * z].split_at(z);
        let noise = &tape.noise.at(t)[b * z..][..z];
        gaussian::sample(&mut tape.latent.at_mut(t)[b * z..][..z], mean, log_std, noise);
    }
}

/// What the caption adds, by the alignment where there is one, and the generative LSTM.
fn generate(weights: &Weights, caption: &Caption, tape: &mut Tape, t: usize) {
    let (config, host, layout) = (&weights.config, &weights.host, &weights.decoder_layout);
    let (size, words, align) = (config.decoder_size, caption.words, config.alignment_size());
    let gates = tape.generative_gates.at_mut(t);
    for (b, gates) in gates.chunks_exact_mut(4 * size).enumerate() {
        let row = &tape.products.at(t)[b * layout.width..];
        // Where one caption is said of all images, it was encoded once.
        let said = b % caption.batch;
        gates.copy_from_slice(layout.generative.of(row));
        match config.conditioning {
            Conditioning::Attention => attention::forward(
                &caption.keys[said * words * align..][..words * align],
                layout.query.of(row),
                &host.align_score,
                &caption.values[said * words * 4 * size..][..words * 4 * size],
                &mut tape.alignment.at_mut(t)[b * words..][..words],
                &mut tape.activations.at_mut(t)[b * words * align..][..words * align],
                gates,
            ),
            Conditioning::Mean | Conditioning::Sentence { .. } => {
                add_scaled(gates, 1.0, &caption.context[said * 4 * size..][..4 * size]);
            }
            Conditioning::None => {}
        }
    }
    let latent = Mat::new(tape.latent.at(t), tape.batch, config.latent_size);
    match &weights.painting {
        Some(painting) => painting.latent.matmul(gates, 4 * size, true, latent),
        None => {
            let weight = Mat::new(&host.generative_latent, config.latent_size, 4 * size);
            matmul(gates, 4 * size, true, latent, weight);
        }
    }
    let (cell_before, cell) = tape.decoder_cell.pair(t);
    lstm::forward(gates, &host.generative_bias, cell_before, cell, tape.decoder_hidden.at_mut(t + 1));
}

/// `c_t = c_{t−1} + (1/γ) F_yᵀ K F_x` of picture `b`, the canvas attenuated first if the patch is composited
/// ([`WriteMode::Composite`]).
fn write(weights: &Weights, tape: &mut Tape, geometry: &Geometry, t: usize, b: usize) {
    let (config, host, layout) = (&weights.config, &weights.host, &weights.decoder_layout);
    let (plane, cells) = (config.height * config.width, config.write_size * config.write_size);
    let row = &tape.products.at(t + 1)[b * layout.width..];
    let raw = tape.write_raw.row_mut(t, b, 5);
    raw.copy_from_slice(layout.write.of(row));
    add_scaled(raw, 1.0, &host.write_window_bias);
    let window = geometry.window(raw);
    let banks = tape.write_banks.row_mut(t, b, geometry.bank_len());
    geometry.fill(&window, banks);
    let patch = tape.patch.row_mut(t, b, config.patch_len());
    patch.copy_from_slice(layout.patch.of(row));
    add_scaled(patch, 1.0, &host.write_patch_bias);
    let scale = 1.0 / window.intensity;
    let canvas = tape.canvas.carried(t, b, config.image_len());
    if config.write_mode == WriteMode::Composite {
        let depth: Vec<f32> = patch[config.channels * cells..].iter().map(|&m| softplus(m)).collect();
        let kept = tape.kept.row_mut(t, b, plane);
        kept.fill(0.0);
        geometry.write(&window, banks, -scale, &depth, kept);
        exponentials(kept);
        for canvas in canvas.chunks_exact_mut(plane) {
            multiply(canvas, kept);
        }
    }
    for (canvas, patch) in canvas.chunks_exact_mut(plane).zip(patch.chunks_exact(cells)) {
        geometry.write(&window, banks, scale, patch, canvas);
    }
}

/// `x ← e^x`.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn exponentials(values: &mut [f32]) {
    values.iter_mut().for_each(|value| *value = exp(*value));
}

/// `x ← x · factor`.
fn multiply(values: &mut [f32], factors: &[f32]) {
    values.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
}

/// Reconstruction of each image in nats: `Σ softplus(c_T) − x·c_T` over its pixels, the cross
/// entropy of real-valued pixels under Bernoulli(σ(c_T)); with a deviation, minus the log density under a Gaussian around
/// σ(c_T).
pub fn reconstruction(weights: &Weights, tape: &Tape, images: &[f32]) -> Vec<f64> {
    let len = weights.config.image_len();
    let nats = |canvas: &[f32], image: &[f32]| match weights.config.deviation {
        None => cross_entropy(canvas, image),
        Some(deviation) => {
            let mut drawn = vec![0.0; len];
            sigmoid_into(&mut drawn, canvas);
            gaussian::surprise(image, &drawn, deviation)
        }
    };
    let canvas = tape.canvas.at(tape.num_steps).chunks_exact(len);
    canvas.zip(images.chunks_exact(len)).map(|(canvas, image)| nats(canvas, image)).collect()
}
