//! One step of a drawing: choose a word, read, infer, sample, generate, write, inside the word's frame.

use super::super::window::stroke_window;
use super::frames::FRAME;
use super::tape::{Tape, WINDOW};
use super::weights::Weights;
use crate::kernels::columns::Columns;
use crate::kernels::cross_entropy::cross_entropy;
use crate::kernels::math::{add_scaled, sigmoid_into, tanh_biased};
use crate::kernels::matmul::{Mat, matmul};
use crate::kernels::steps::StepBuffer;
use crate::kernels::{gaussian, lstm};

/// Writes what the first steps read of the initial states. `paints` leaves out what serves the posterior alone.
pub fn begin(weights: &Weights, tape: &mut Tape, paints: bool) {
    decoder_products(weights, tape, paints, 0);
    show(tape, 0);
    if !paints {
        encoder_products(weights, tape, 0);
    }
}

/// Step `t` (0-based), whose noise and words must stand in the tape, in raw frames [batch, slot, 3]. With `images` [batch,
/// CHW] the latents come from the posterior, without from the prior.
pub fn step(weights: &Weights, frames: &[f32], tape: &mut Tape, images: Option<&[f32]>, t: usize) {
    prior(weights, tape, t);
    match images {
        Some(images) => {
            read(weights, frames, tape, images, t);
            infer(weights, tape, t);
        }
        None => sample_prior(weights, tape, t),
    }
    generate(weights, tape, t);
    decoder_products(weights, tape, images.is_none(), t + 1);
    write(weights, frames, tape, t);
    show(tape, t + 1);
}

/// Multiplies the decoder states after step `t` with everything that waits for them.
fn decoder_products(weights: &Weights, tape: &mut Tape, paints: bool, t: usize) {
    let (size, layout) = (weights.config.decoder_size, &weights.decoder_layout);
    let first = if paints { layout.painting } else { 0 };
    matmul(
        &mut tape.products.at_mut(t)[first..],
        layout.width,
        false,
        Mat::new(tape.decoder_hidden.at(t), tape.batch, size),
        Mat::strided(&weights.decoder[first..], size, layout.width - first, layout.width),
    );
}

/// Multiplies the encoder states after step `t` with everything that waits for them.
fn encoder_products(weights: &Weights, tape: &mut Tape, t: usize) {
    let (size, width) = (weights.config.encoder_size, weights.encoder_layout.width);
    let state = Mat::new(tape.encoder_hidden.at(t), tape.batch, size);
    matmul(tape.encoder_products.at_mut(t), width, false, state, Mat::new(&weights.encoder, size, width));
}

/// Some columns of what a state of picture `b` was multiplied with.
fn product(products: &StepBuffer, at: usize, b: usize, width: usize, columns: Columns) -> &[f32] {
    columns.of(&products.at(at)[b * width..])
}

/// `[μ_p ; λ_p] = tanh(h W + b + word)`.
fn prior(weights: &Weights, tape: &mut Tape, t: usize) {
    let (layout, values, len) = (&weights.decoder_layout, &weights.values, weights.decoder_layout.prior.len);
    for b in 0..tape.batch {
        let (_, id, before) = tape.word(t, b);
        let prior = tape.prior.row_mut(t, b, len);
        prior.copy_from_slice(product(&tape.products, before, b, layout.width, layout.prior));
        add_scaled(prior, 1.0, &values.prior_words[id * len..][..len]);
        tanh_biased(prior, &values.prior_bias);
    }
}

/// A raw window: the word's frame, then the stroke from a state's product and a bias.
fn raw_window(raw: &mut [f32], frame: &[f32], stroke: &[f32], bias: &[f32]) {
    raw[..FRAME].copy_from_slice(frame);
    raw[FRAME..].copy_from_slice(stroke);
    add_scaled(&mut raw[FRAME..], 1.0, bias);
}

/// `r_t = γ [read(x) ; read(x − σ(c))]`.
fn read(weights: &Weights, frames: &[f32], tape: &mut Tape, images: &[f32], t: usize) {
    let (config, layout) = (&weights.config, &weights.decoder_layout);
    let (geometry, len) = (config.geometry(config.read_size), images.len() / tape.batch);
    for b in 0..tape.batch {
        let (slot, _, before) = tape.word(t, b);
        let stroke = product(&tape.products, before, b, layout.width, layout.read);
        let raw = tape.read_raw.row_mut(t, b, WINDOW);
        raw_window(raw, &frames[slot * FRAME..][..FRAME], stroke, &weights.values.read_window_bias);
        let window = stroke_window(config, config.read_size, raw);
        let banks = tape.read_banks.row_mut(t, b, geometry.bank_len());
        geometry.fill(&window, banks);
        let rows = tape.read_rows.row_mut(t, b, 2 * config.channels * config.read_size * config.width);
        let planes = [&images[b * len..][..len], tape.image.row(t, b, len)];
        geometry.glimpse(&window, banks, planes, rows, tape.glimpse.row_mut(t, b, config.glimpse_len()));
    }
}

/// The inference LSTM, the posterior, its sample and its KL from the prior.
fn infer(weights: &Weights, tape: &mut Tape, t: usize) {
    let (config, values) = (&weights.config, &weights.values);
    let (size, batch, z) = (config.encoder_size, tape.batch, config.latent_size);
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    for b in 0..batch {
        let (_, id, before) = tape.word(t, b);
        let gates = tape.inference_gates.row_mut(t, b, 4 * size);
        gates.copy_from_slice(product(&tape.products, before, b, decoder.width, decoder.inference));
        let recurrent = product(&tape.encoder_products, before, b, encoder.width, encoder.recurrent);
        add_scaled(gates, 1.0, recurrent);
        add_scaled(gates, 1.0, &values.inference_words[id * 4 * size..][..4 * size]);
        let cell = tape.encoder_cell.row(before, b, size);
        tape.encoder_cell_before.row_mut(t, b, size).copy_from_slice(cell);
    }
    let gates = tape.inference_gates.at_mut(t);
    let len = config.glimpse_len();
    let glimpses = Mat::new(tape.glimpse.at(t), batch, len);
    matmul(gates, 4 * size, true, glimpses, Mat::new(&values.inference_input, len, 4 * size));
    lstm::forward(
        gates,
        &values.inference_bias,
        tape.encoder_cell_before.at(t),
        tape.encoder_cell.at_mut(t + 1),
        tape.encoder_hidden.at_mut(t + 1),
    );
    encoder_products(weights, tape, t + 1);
    for b in 0..batch {
        let posterior = tape.posterior.row_mut(t, b, 2 * z);
        posterior.copy_from_slice(product(
            &tape.encoder_products,
            t + 1,
            b,
            encoder.width,
            encoder.posterior,
        ));
        add_scaled(posterior, 1.0, &values.posterior_bias);
        let (mean, log_std) = posterior.split_at_mut(z);
        log_std.iter_mut().for_each(|log_std| *log_std *= 0.5);
        let (prior_mean, prior_log_std) = tape.prior.row(t, b, 2 * z).split_at(z);
        gaussian::sample(tape.latent.row_mut(t, b, z), mean, log_std, tape.noise.row(t, b, z));
        tape.kl[b] += gaussian::kl(mean, log_std, prior_mean, prior_log_std);
    }
}

/// `z_t = μ_p + e^{λ_p} ε`.
fn sample_prior(weights: &Weights, tape: &mut Tape, t: usize) {
    let z = weights.config.latent_size;
    for b in 0..tape.batch {
        let (mean, log_std) = tape.prior.row(t, b, 2 * z).split_at(z);
        gaussian::sample(tape.latent.row_mut(t, b, z), mean, log_std, tape.noise.row(t, b, z));
    }
}

/// The generative LSTM, which hears the word.
fn generate(weights: &Weights, tape: &mut Tape, t: usize) {
    let (config, values, layout) = (&weights.config, &weights.values, &weights.decoder_layout);
    let (size, batch, z) = (config.decoder_size, tape.batch, config.latent_size);
    for b in 0..batch {
        let (_, id, before) = tape.word(t, b);
        let gates = tape.generative_gates.row_mut(t, b, 4 * size);
        gates.copy_from_slice(product(&tape.products, before, b, layout.width, layout.generative));
        add_scaled(gates, 1.0, &values.generative_words[id * 4 * size..][..4 * size]);
        let cell = tape.decoder_cell.row(before, b, size);
        tape.decoder_cell_before.row_mut(t, b, size).copy_from_slice(cell);
    }
    let gates = tape.generative_gates.at_mut(t);
    let latents = Mat::new(tape.latent.at(t), batch, z);
    matmul(gates, 4 * size, true, latents, Mat::new(&values.generative_input[..z * 4 * size], z, 4 * size));
    lstm::forward(
        gates,
        &values.generative_bias,
        tape.decoder_cell_before.at(t),
        tape.decoder_cell.at_mut(t + 1),
        tape.decoder_hidden.at_mut(t + 1),
    );
}

/// `c_t = c_{t−1} + (1/γ) F_yᵀ K F_x`.
fn write(weights: &Weights, frames: &[f32], tape: &mut Tape, t: usize) {
    let (config, values, layout) = (&weights.config, &weights.values, &weights.decoder_layout);
    let geometry = config.geometry(config.write_size);
    let (plane, cells) = (config.height * config.width, config.write_size * config.write_size);
    for b in 0..tape.batch {
        let (slot, _, _) = tape.word(t, b);
        let stroke = product(&tape.products, t + 1, b, layout.width, layout.write);
        let raw = tape.write_raw.row_mut(t, b, WINDOW);
        raw_window(raw, &frames[slot * FRAME..][..FRAME], stroke, &values.write_window_bias);
        let window = stroke_window(config, config.write_size, raw);
        let banks = tape.write_banks.row_mut(t, b, geometry.bank_len());
        geometry.fill(&window, banks);
        let patch = tape.patch.row_mut(t, b, config.patch_len());
        patch.copy_from_slice(product(&tape.products, t + 1, b, layout.width, layout.patch));
        add_scaled(patch, 1.0, &values.write_patch_bias);
        let canvas = tape.canvas.carried(t, b, config.channels * plane);
        for (canvas, patch) in canvas.chunks_exact_mut(plane).zip(patch.chunks_exact(cells)) {
            geometry.write(&window, banks, 1.0 / window.intensity, patch, canvas);
        }
    }
}

/// The images after `t` steps, σ(c_t).
fn show(tape: &mut Tape, t: usize) {
    sigmoid_into(tape.image.at_mut(t), tape.canvas.at(t));
}

/// Reconstruction of each image [batch, CHW]: cross entropy of its pixels under Bernoulli(σ(c_T)), nats.
pub fn reconstruction(tape: &Tape, images: &[f32]) -> Vec<f64> {
    let len = images.len() / tape.batch;
    let canvas = tape.canvas.at(tape.num_steps).chunks_exact(len);
    canvas.zip(images.chunks_exact(len)).map(|(canvas, image)| cross_entropy(canvas, image)).collect()
}
