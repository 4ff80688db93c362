//! The gradients of the loop's weights, once the backward pass has gone through all steps.

use super::super::parameters::ParameterValues;
use super::{backward::Cotangents, tape::Tape, weights::Weights};
use crate::kernels::math::add_rows;

/// Every weight of the loop, as one product over all steps.
pub fn weight_gradients(weights: &Weights, tape: &Tape, work: &Cotangents, gradients: &mut ParameterValues) {
    let config = &weights.config;
    let steps = tape.num_steps;
    let (d_size, e_size, z) = (config.decoder_size, config.encoder_size, config.latent_size);
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    let mut d_decoder = vec![0.0; d_size * decoder.width];
    tape.decoder_hidden.weight_gradient(steps + 1, d_size, &work.products, decoder.width, &mut d_decoder);
    let mut d_encoder = vec![0.0; e_size * encoder.width];
    tape.encoder_hidden.weight_gradient(
        steps + 1,
        e_size,
        &work.encoder_products,
        encoder.width,
        &mut d_encoder,
    );
    weights.unpack(&d_decoder, &d_encoder, gradients);
    let glimpse = config.glimpse_len();
    tape.glimpse.weight_gradient(steps, glimpse, &work.inference, 4 * e_size, &mut gradients.inference_input);
    tape.latent.weight_gradient(steps, z, &work.generative, 4 * d_size, &mut gradients.generative_latent);

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
