//! The backward pass of a whole drawing: back through the steps, then every weight's gradient as one
//! product over all steps at once.

use super::super::{
    config::{Conditioning, WriteMode},
    parameters::ParameterValues,
};
use super::{
    caption::Caption, tape::Tape, transposed::Transposed, weight_gradients::weight_gradients,
    weights::Weights,
};
use crate::kernels::{
    attention, gaussian, lstm,
    math::{add_rows, dot, sigmoid, softplus},
    matmul::{Mat, matmul},
    steps::reset,
    window::{MAX_LOG, RAW, WindowWork},
};

/// Gradients that the backward pass keeps for every step, and its scratch space; kept between
/// iterations so that memory is asked for once.
#[derive(Default)]
pub struct Cotangents {
    /// Of [`Tape::products`], [step + 1, batch, width].
    pub(super) products: Vec<f32>,
    /// Of [`Tape::encoder_products`], [step + 1, batch, width].
    pub(super) encoder_products: Vec<f32>,
    /// Of the generative gates' pre-activations [step, batch, 4D].
    pub(super) generative: Vec<f32>,
    /// Of the inference gates' pre-activations [step, batch, 4E].
    pub(super) inference: Vec<f32>,
    /// Of the canvas [batch, CHW].
    canvas: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// Adds the gradients of `scale · Σ_b (reconstruction_b + KL_b)` to `gradients`.
#[allow(clippy::too_many_arguments)]
pub fn backward(
    weights: &Weights,
    caption: &Caption,
    tape: &Tape,
    images: &[f32],
    scale: f32,
    work: &mut Cotangents,
    gradients: &mut ParameterValues,
) {
    let (config, host) = (&weights.config, &weights.host);
    let (steps, batch) = (tape.num_steps, tape.batch);
    let (d_size, e_size, z) = (config.decoder_size, config.encoder_size, config.latent_size);
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    let transposed = Transposed::of(weights);
    reset(&mut work.products, (steps + 1) * batch * decoder.width);
    reset(&mut work.encoder_products, (steps + 1) * batch * encoder.width);
    work.generative.resize(steps * batch * 4 * d_size, 0.0);
    work.inference.resize(steps * batch * 4 * e_size, 0.0);
    let attention = config.conditioning == Conditioning::Attention;
    if attention {
        reset(&mut work.keys, caption.keys.len());
        reset(&mut work.values, caption.values.len());
    }
    work.canvas.clear();
    let drawn = tape.image.at(steps).iter().zip(images);
    match config.deviation {
        None => work.canvas.extend(drawn.map(|(drawn, x)| scale * (drawn - x))),
        Some(deviation) => {
            let scale = scale / (deviation * deviation);
            work.canvas.extend(drawn.map(|(drawn, x)| scale * (drawn - x) * drawn * (1.0 - drawn)));
        }
    }

    let mut d_hidden = vec![0.0; batch * d_size];
    let mut d_cell = vec![0.0; batch * d_size];
    let mut d_encoder_hidden = vec![0.0; batch * e_size];
    let mut d_encoder_cell = vec![0.0; batch * e_size];
    let mut d_latent = vec![0.0; batch * z];
    let mut d_glimpse = vec![0.0; batch * config.glimpse_len()];

    for t in (0..steps).rev() {
        let products_len = batch * decoder.width;
        let (earlier, later) = work.products.split_at_mut((t + 1) * products_len);
        let (d_before, d_after) = (&mut earlier[t * products_len..], &mut later[..products_len]);
        write_backward(weights, tape, t, &mut work.canvas, d_after);
        if t + 1 < steps {
            prior_backward(weights, tape, t + 1, d_after);
        }
        matmul(&mut d_hidden, d_size, false, Mat::new(d_after, batch, decoder.width), transposed.decoder());

        let d_gates = &mut work.generative[t * batch * 4 * d_size..][..batch * 4 * d_size];
        lstm::backward(
            d_size,
            tape.generative_gates.at(t),
            tape.decoder_cell.at(t),
            tape.decoder_cell.at(t + 1),
            &d_hidden,
            &mut d_cell,
            d_gates,
            4 * d_size,
        );
        let (words, align) = (caption.words, config.alignment_size());
        for (b, d_gates) in d_gates.chunks_exact(4 * d_size).enumerate() {
            let d_row = &mut d_before[b * decoder.width..][..decoder.width];
            decoder.generative.of_mut(d_row).copy_from_slice(d_gates);
            if !attention {
                continue;
            }
            attention::backward(
                &host.align_score,
                &caption.values[b * words * 4 * d_size..][..words * 4 * d_size],
                &tape.alignment.at(t)[b * words..][..words],
                &tape.activations.at(t)[b * words * align..][..words * align],
                d_gates,
                &[],
                decoder.query.of_mut(d_row),
                &mut work.keys[b * words * align..][..words * align],
                &mut work.values[b * words * 4 * d_size..][..words * 4 * d_size],
                &mut gradients.align_score,
            );
        }
        matmul(&mut d_latent, z, false, Mat::new(d_gates, batch, 4 * d_size), transposed.generative_latent());

        let encoder_len = batch * encoder.width;
        let (earlier, later) = work.encoder_products.split_at_mut((t + 1) * encoder_len);
        let (d_encoder_before, d_encoder_after) = (&mut earlier[t * encoder_len..], later);
        posterior_backward(weights, tape, t, scale, &d_latent, d_encoder_after, d_before);
        matmul(
            &mut d_encoder_hidden,
            e_size,
            false,
            Mat::new(&d_encoder_after[..encoder_len], batch, encoder.width),
            transposed.encoder(),
        );
        let d_gates = &mut work.inference[t * batch * 4 * e_size..][..batch * 4 * e_size];
        lstm::backward(
            e_size,
            tape.inference_gates.at(t),
            tape.encoder_cell.at(t),
            tape.encoder_cell.at(t + 1),
            &d_encoder_hidden,
            &mut d_encoder_cell,
            d_gates,
            4 * e_size,
        );
        for (b, d_gates) in d_gates.chunks_exact(4 * e_size).enumerate() {
            let d_encoder_row = &mut d_encoder_before[b * encoder.width..][..encoder.width];
            encoder.recurrent.of_mut(d_encoder_row).copy_from_slice(d_gates);
            decoder.inference.of_mut(&mut d_before[b * decoder.width..]).copy_from_slice(d_gates);
        }
        matmul(
            &mut d_glimpse,
            config.glimpse_len(),
            false,
            Mat::new(d_gates, batch, 4 * e_size),
            transposed.inference_input(),
        );
        read_backward(weights, tape, images, t, &d_glimpse, d_before, &mut work.canvas);
    }

    // The initial states. The first prior is N(0, I), whatever the decoder.
    let width = decoder.width;
    for d_row in work.products[..batch * width].chunks_exact_mut(width) {
        decoder.prior.of_mut(d_row).fill(0.0);
    }
    matmul(
        &mut d_hidden,
        d_size,
        false,
        Mat::new(&work.products[..batch * width], batch, width),
        transposed.decoder(),
    );
    add_rows(&mut gradients.generative_initial_hidden, &d_hidden, d_size);
    let encoder_width = encoder.width;
    matmul(
        &mut d_encoder_hidden,
        e_size,
        false,
        Mat::new(&work.encoder_products[..batch * encoder_width], batch, encoder_width),
        transposed.encoder(),
    );
    add_rows(&mut gradients.inference_initial_hidden, &d_encoder_hidden, e_size);
    add_rows(&mut gradients.initial_canvas, &work.canvas, config.image_len());

    weight_gradients(weights, tape, work, gradients);
    if attention {
        caption.backward(weights, &work.keys, &work.values, gradients);
    } else {
        caption.context_backward(weights, &work.generative, gradients);
    }
}

/// From the canvas's gradient after step `t` to those of the raw write window and the patch, and to
/// that of the canvas before it.
fn write_backward(weights: &Weights, tape: &Tape, t: usize, d_canvas: &mut [f32], d_products: &mut [f32]) {
    let (config, geometry, layout) =
        (&weights.config, weights.config.write_geometry(t), &weights.decoder_layout);
    let (bank_len, patch_len) = (geometry.bank_len(), config.patch_len());
    let (plane, cells) = (config.height * config.width, config.write_size * config.write_size);
    let mut work = WindowWork::new(&geometry);
    let mut d_depth = vec![0.0; plane];
    for b in 0..tape.batch {
        let raw = &tape.write_raw.at(t)[b * RAW..][..RAW];
        let window = geometry.window(raw);
        let banks = &tape.write_banks.at(t)[b * bank_len..][..bank_len];
        let d_canvas = &mut d_canvas[b * config.image_len()..][..config.image_len()];
        let patch = &tape.patch.at(t)[b * patch_len..][..patch_len];
        let d_row = &mut d_products[b * layout.width..][..layout.width];
        work.d_banks.fill(0.0);
        let mut along = 0.0;
        for channel in 0..config.channels {
            let d_canvas = &d_canvas[channel * plane..][..plane];
            let patch = &patch[channel * cells..][..cells];
            let d_patch = &mut layout.patch.of_mut(d_row)[channel * cells..][..cells];
            along += geometry.write_backward(&window, banks, patch, d_canvas, d_patch, &mut work);
        }
        if config.write_mode == WriteMode::Composite {
            let canvas = &tape.canvas.at(t)[b * config.image_len()..][..config.image_len()];
            let kept = &tape.kept.at(t)[b * plane..][..plane];
            attenuate_backward(canvas, kept, d_canvas, &mut d_depth);
            let raw_depth = &patch[config.channels * cells..];
            let depth: Vec<f32> = raw_depth.iter().map(|&m| softplus(m)).collect();
            let d_patch = &mut layout.patch.of_mut(d_row)[config.channels * cells..];
            along += geometry.write_backward(&window, banks, &depth, &d_depth, d_patch, &mut work);
            d_patch.iter_mut().zip(raw_depth).for_each(|(d, &m)| *d *= sigmoid(m));
        }
        let d_raw = layout.write.of_mut(d_row);
        geometry.window_backward(raw, &geometry.fill_backward(&window, banks, &work.d_banks), d_raw);
        if raw[4].abs() <= MAX_LOG {
            d_raw[4] -= along;
        }
    }
}

/// Through `e^{−m} c`: the optical depth's gradient into `d_depth`, the canvas's in place.
fn attenuate_backward(canvas: &[f32], kept: &[f32], d_canvas: &mut [f32], d_depth: &mut [f32]) {
    d_depth.fill(0.0);
    let planes = canvas.chunks_exact(kept.len()).zip(d_canvas.chunks_exact_mut(kept.len()));
    for (canvas, d_canvas) in planes {
        for (((d_depth, d), c), kept) in d_depth.iter_mut().zip(d_canvas).zip(canvas).zip(kept) {
            *d *= kept;
            *d_depth -= *d * c;
        }
    }
}

/// Through the tanh of the prior that was made after `t` steps.
fn prior_backward(weights: &Weights, tape: &Tape, t: usize, d_products: &mut [f32]) {
    let layout = &weights.decoder_layout;
    if layout.prior.len == 0 {
        return;
    }
    let priors = tape.prior.at(t).chunks_exact(layout.prior.len);
    for (prior, d_row) in priors.zip(d_products.chunks_exact_mut(layout.width)) {
        for (d, prior) in layout.prior.of_mut(d_row).iter_mut().zip(prior) {
            *d *= 1.0 - prior * prior;
        }
    }
}

/// From the latent's gradient and the KL to the posterior's and (in `d_before`, before its tanh)
/// the prior's.
fn posterior_backward(
    weights: &Weights,
    tape: &Tape,
    t: usize,
    kl_scale: f32,
    d_latent: &[f32],
    d_encoder: &mut [f32],
    d_before: &mut [f32],
) {
    let z = weights.config.latent_size;
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    let mut d_mean = vec![0.0; z];
    let mut d_log_std = vec![0.0; z];
    // Where the prior is N(0, I), its gradient goes nowhere.
    let mut unused = vec![0.0; 2 * z];
    for b in 0..tape.batch {
        let (prior_mean, prior_log_std) = tape.prior.at(t)[b * 2 * z..][..2 * z].split_at(z);
        let d_prior = match decoder.prior.len {
            0 => unused.as_mut_slice(),
            _ => decoder.prior.of_mut(&mut d_before[b * decoder.width..]),
        };
        let (d_prior_mean, d_prior_log_std) = d_prior.split_at_mut(z);
        gaussian::backward(
            kl_scale,
            &tape.posterior_mean.at(t)[b * z..][..z],
            &tape.posterior_log_std.at(t)[b * z..][..z],
            prior_mean,
            prior_log_std,
            &tape.noise.at(t)[b * z..][..z],
            &d_latent[b * z..][..z],
            &mut d_mean,
            &mut d_log_std,
            d_prior_mean,
            d_prior_log_std,
        );
        let d_row = &mut d_encoder[b * encoder.width..][..encoder.width];
        encoder.mean.of_mut(d_row).copy_from_slice(&d_mean);
        for (d, d_log_std) in encoder.log_std.of_mut(d_row).iter_mut().zip(&d_log_std) {
            *d = 0.5 * d_log_std;
        }
    }
}

/// From the glimpse's gradient to those of the raw read window and of the canvas that was read.
fn read_backward(
    weights: &Weights,
    tape: &Tape,
    images: &[f32],
    t: usize,
    d_glimpse: &[f32],
    d_before: &mut [f32],
    d_canvas: &mut [f32],
) {
    let (config, geometry, layout) =
        (&weights.config, weights.config.read_geometry(), &weights.decoder_layout);
    let (bank_len, glimpse_len) = (geometry.bank_len(), config.glimpse_len());
    let rows_len = 2 * config.channels * config.read_size * config.width;
    let mut work = WindowWork::new(&geometry);
    for b in 0..tape.batch {
        let raw = &tape.read_raw.at(t)[b * RAW..][..RAW];
        let window = geometry.window(raw);
        let banks = &tape.read_banks.at(t)[b * bank_len..][..bank_len];
        let d_glimpse = &d_glimpse[b * glimpse_len..][..glimpse_len];
        let rows = &tape.read_rows.at(t)[b * rows_len..][..rows_len];
        let picture = b * config.image_len()..(b + 1) * config.image_len();
        let planes = [&images[picture.clone()], &tape.image.at(t)[picture.clone()]];
        let d_canvas = &mut d_canvas[picture];
        geometry.glimpse_backward(&window, banks, planes, rows, d_glimpse, d_canvas, &mut work);
        let d_raw = layout.read.of_mut(&mut d_before[b * layout.width..]);
        geometry.window_backward(raw, &geometry.fill_backward(&window, banks, &work.d_banks), d_raw);
        if raw[4].abs() <= MAX_LOG {
            let glimpse = &tape.glimpse.at(t)[b * glimpse_len..][..glimpse_len];
            d_raw[4] += dot(glimpse, d_glimpse);
        }
    }
}
