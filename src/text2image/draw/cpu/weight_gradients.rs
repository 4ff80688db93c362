//! The gradients of the loop's weights, once the backward pass has gone through all steps.

use super::super::parameters::ParameterValues;
use super::{backward::Cotangents, tape::Tape, weights::Weights};
use crate::kernels::{
    math::add_rows,
    matmul::{Mat, matmul},
    steps::StepBuffer,
};

/// Every weight of the loop, as one product over all steps.
pub fn weight_gradients(weights: &Weights, tape: &Tape, work: &Cotangents, gradients: &mut ParameterValues) {
    let config = &weights.config;
    let (steps, batch) = (tape.num_steps, tape.batch);
    let (d_size, e_size, z) = (config.decoder_size, config.encoder_size, config.latent_size);
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    let product = |out: &mut [f32], state: &StepBuffer, rows: usize, size: usize, d: &[f32], width: usize| {
        let state = Mat::new(state.first(rows), rows * batch, size);
        matmul(out, width, true, state.t(), Mat::new(d, rows * batch, width));
    };
    let mut d_decoder = vec![0.0; d_size * decoder.width];
    product(&mut d_decoder, &tape.decoder_hidden, steps + 1, d_size, &work.products, decoder.width);
    let mut d_encoder = vec![0.0; e_size * encoder.width];
    product(&mut d_encoder, &tape.encoder_hidden, steps + 1, e_size, &work.encoder_products, encoder.width);
    weights.unpack(&d_decoder, &d_encoder, gradients);
    let glimpse = config.glimpse_len();
    product(&mut gradients.inference_input, &tape.glimpse, steps, glimpse, &work.inference, 4 * e_size);
    product(&mut gradients.generative_latent, &tape.latent, steps, z, &work.generative, 4 * d_size);

    add_rows(&mut gradients.inference_bias, &work.inference, 4 * e_size);
    add_rows(&mut gradients.generative_bias, &work.generative, 4 * d_size);
    let add_bias = |bias: &mut [f32], d: &[f32], start: usize, width: usize| {
        add_rows(bias, &d[start..], width);
    };
    let d = &work.products;
    add_bias(&mut gradients.read_window_bias, d, decoder.read.start, decoder.width);
    add_bias(&mut gradients.prior_bias, d, decoder.prior.start, decoder.width);
    add_bias(&mut gradients.write_window_bias, d, decoder.write.start, decoder.width);
    add_bias(&mut gradients.write_patch_bias, d, decoder.patch.start, decoder.width);
    let d = &work.encoder_products;
    add_bias(&mut gradients.posterior_mean_bias, d, encoder.mean.start, encoder.width);
    add_bias(&mut gradients.posterior_log_std_bias, d, encoder.log_std.start, encoder.width);
}
