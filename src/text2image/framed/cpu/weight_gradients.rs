//! The gradients of the steps' weights, once the backward pass has gone through all of them.

use super::backward::Cotangents;
use super::tape::Tape;
use super::values::FramedValues;
use super::weights::{Transposed, Weights};
use crate::kernels::math::{add_rows, add_scaled};
use crate::kernels::matmul::{Mat, matmul};

/// The initial states, from which the first step of every word went on.
pub fn initial_backward(
    weights: &Weights,
    transposed: &Transposed,
    tape: &Tape,
    work: &mut Cotangents,
    gradients: &mut FramedValues,
) {
    let (config, batch, slots) = (&weights.config, tape.batch, tape.ids.len() / tape.batch);
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    let (next, e) = (decoder.write.start, config.encoder_size);
    for at in 0..tape.ids.len() {
        let b = at / slots;
        let d_row = &mut work.products[b * decoder.width..][..next];
        add_scaled(d_row, 1.0, &work.states.products[at * next..][..next]);
        let d_row = &mut work.encoder_products[b * encoder.width..][..4 * e];
        add_scaled(d_row, 1.0, &work.states.encoder_products[at * 4 * e..][..4 * e]);
    }
    let initial = |products: &[f32], width: usize, transposed: Mat, size: usize, out: &mut [f32]| {
        let mut d_hidden = vec![0.0; batch * size];
        matmul(&mut d_hidden, size, false, Mat::new(products, batch, width), transposed);
        add_rows(out, &d_hidden, size);
    };
    let FramedValues { generative_initial_hidden, inference_initial_hidden, initial_canvas, .. } = gradients;
    let d = config.decoder_size;
    initial(&work.products, decoder.width, transposed.decoder(), d, generative_initial_hidden);
    initial(&work.encoder_products, encoder.width, transposed.encoder(), e, inference_initial_hidden);
    let len = initial_canvas.len();
    add_rows(initial_canvas, &work.canvas, len);
}

/// Every weight of the steps, as one product over all of them.
pub fn weight_gradients(weights: &Weights, tape: &Tape, work: &Cotangents, gradients: &mut FramedValues) {
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
    let (glimpse, inference, generative) = (config.glimpse_len(), 4 * e_size, 4 * d_size);
    let of_glimpse = &mut gradients.inference_input[..glimpse * inference];
    tape.glimpse.weight_gradient(steps, glimpse, &work.inference, inference, of_glimpse);
    let of_latent = &mut gradients.generative_input[..z * generative];
    tape.latent.weight_gradient(steps, z, &work.generative, generative, of_latent);

    add_rows(&mut gradients.inference_bias, &work.inference, inference);
    add_rows(&mut gradients.generative_bias, &work.generative, generative);
    let products = &work.products;
    add_rows(&mut gradients.read_window_bias, &products[decoder.read.start..], decoder.width);
    add_rows(&mut gradients.prior_bias, &products[decoder.prior.start..], decoder.width);
    add_rows(&mut gradients.write_window_bias, &products[decoder.write.start..], decoder.width);
    add_rows(&mut gradients.write_patch_bias, &products[decoder.patch.start..], decoder.width);
    let products = &work.encoder_products;
    add_rows(&mut gradients.posterior_bias, &products[encoder.posterior.start..], encoder.width);
}
