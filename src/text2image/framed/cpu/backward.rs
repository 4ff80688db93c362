//! The backward pass of a whole drawing: back through the steps, then every weight's gradient as one product over all
//! steps at once.

use super::super::window::{stroke_backward, stroke_window};
use super::alignment::{attended_words, kept_states};
use super::frames::{FRAME, Frames};
use super::order::{Query, QueryBackward};
use super::tape::{Tape, WINDOW};
use super::values::FramedValues;
use super::weight_gradients::{initial_backward, weight_gradients};
use super::weights::{Transposed, Weights};
use crate::kernels::math::{add_scaled, dot};
use crate::kernels::matmul::{Mat, matmul};
use crate::kernels::steps::reset;
use crate::kernels::window::WindowWork;
use crate::kernels::{gaussian, lstm};

/// Gradients that the backward pass keeps for every step, and room to work in; kept between updates.
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
    pub(super) canvas: Vec<f32>,
    /// Of the raw frames [batch, slot, 3].
    pub(super) frames: Vec<f32>,
    /// Of each word's states as they stand before the step that was gone through last.
    pub(super) states: WordCotangents,
    /// Of a learned order: of which word that step drew [batch, slot].
    pub(super) alignment: Vec<f32>,
}

/// Gradients of the states of each word.
#[derive(Default)]
pub(super) struct WordCotangents {
    /// Of what the decoder states' products give to the next step [batch, slot, columns before those of writing].
    pub(super) products: Vec<f32>,
    /// Of the decoder cells [batch, slot, D].
    pub(super) cells: Vec<f32>,
    /// Of what the encoder states' products give to the next step [batch, slot, 4E].
    pub(super) encoder_products: Vec<f32>,
    /// Of the encoder cells [batch, slot, E].
    pub(super) encoder_cells: Vec<f32>,
}

impl WordCotangents {
    fn begin(&mut self, weights: &Weights, slots: usize) {
        let (d, e) = (weights.config.decoder_size, weights.config.encoder_size);
        reset(&mut self.products, slots * weights.decoder_layout.write.start);
        reset(&mut self.cells, slots * d);
        reset(&mut self.encoder_products, slots * 4 * e);
        reset(&mut self.encoder_cells, slots * e);
    }
}

impl Cotangents {
    fn begin(&mut self, weights: &Weights, frames: &Frames, tape: &Tape, images: &[f32], scale: f32) {
        let (config, steps, batch) = (&weights.config, tape.num_steps, tape.batch);
        let (d, e) = (config.decoder_size, config.encoder_size);
        reset(&mut self.products, (steps + 1) * batch * weights.decoder_layout.width);
        reset(&mut self.encoder_products, (steps + 1) * batch * weights.encoder_layout.width);
        self.states.begin(weights, tape.ids.len());
        reset(&mut self.frames, frames.raw.len());
        self.generative.resize(steps * batch * 4 * d, 0.0);
        self.inference.resize(steps * batch * 4 * e, 0.0);
        self.canvas.clear();
        let drawn = tape.image.at(steps);
        self.canvas.extend(drawn.iter().zip(images).map(|(drawn, x)| scale * (drawn - x)));
    }
}

/// Adds the gradients of `scale · Σ_b (reconstruction_b + KL_b)` to `gradients`.
#[allow(clippy::too_many_arguments)]
pub fn backward(
    weights: &Weights,
    frames: &Frames,
    query: Option<&Query>,
    tape: &Tape,
    images: &[f32],
    scale: f32,
    work: &mut Cotangents,
    gradients: &mut FramedValues,
) {
    let (config, batch) = (&weights.config, tape.batch);
    let transposed = Transposed::of(weights);
    work.begin(weights, frames, tape, images, scale);
    let mut order = query.map(|query| (query, QueryBackward::new(query)));
    let mut d_latent = vec![0.0; batch * config.latent_size];
    let mut d_glimpse = vec![0.0; batch * config.glimpse_len()];
    for t in (0..tape.num_steps).rev() {
        if order.is_some() {
            kept_states(weights, tape, t, work);
        }
        let d_written = write_backward(weights, tape, t, work);
        generate_backward(weights, &transposed, tape, t, work, gradients, &mut d_latent);
        posterior_backward(weights, tape, t, scale, &d_latent, work, gradients);
        infer_backward(weights, &transposed, tape, t, work, gradients, &mut d_glimpse);
        let d_read = read_backward(weights, tape, images, t, &d_glimpse, work);
        let moved: Vec<f32> = d_written.iter().zip(&d_read).map(|(a, b)| a + b).collect();
        for (b, d_frame) in moved.chunks_exact(FRAME).enumerate() {
            add_scaled(&mut work.frames[tape.word(t, b).0 * FRAME..][..FRAME], 1.0, d_frame);
        }
        if let Some((query, order)) = &mut order {
            attended_words(weights, frames, tape, t, &moved, work);
            let words = &tape.drawn[t * batch..][..batch];
            order.step(weights, query, words, &mut work.alignment, t, gradients);
        }
    }
    initial_backward(weights, &transposed, tape, work, gradients);
    weight_gradients(weights, tape, work, gradients);
    let d_states = match order {
        Some((query, order)) => order.finish(weights, query, frames, gradients),
        None => vec![0.0; frames.states.len()],
    };
    frames.backward(weights, images, scale, &work.frames, d_states, gradients);
}

/// From the canvas's gradient after step `t` to those of the write window and the patch; returns that of the frames
/// [batch, 3].
fn write_backward(weights: &Weights, tape: &Tape, t: usize, work: &mut Cotangents) -> Vec<f32> {
    let (config, layout) = (&weights.config, &weights.decoder_layout);
    let geometry = config.geometry(config.write_size);
    let (plane, cells) = (config.height * config.width, config.write_size * config.write_size);
    let len = config.channels * plane;
    let mut room = WindowWork::new(&geometry);
    let mut d_frames = Vec::with_capacity(tape.batch * FRAME);
    for b in 0..tape.batch {
        let raw = tape.write_raw.row(t, b, WINDOW);
        let window = stroke_window(config, config.write_size, raw);
        let banks = tape.write_banks.row(t, b, geometry.bank_len());
        let patch = tape.patch.row(t, b, config.patch_len());
        let d_row = &mut work.products[((t + 1) * tape.batch + b) * layout.width..][..layout.width];
        room.d_banks.fill(0.0);
        let mut along = 0.0;
        for channel in 0..config.channels {
            let d_canvas = &work.canvas[b * len + channel * plane..][..plane];
            let patch = &patch[channel * cells..][..cells];
            let d_patch = &mut layout.patch.of_mut(d_row)[channel * cells..][..cells];
            along += geometry.write_backward(&window, banks, patch, d_canvas, d_patch, &mut room);
        }
        let gradient = geometry.fill_backward(&window, banks, &room.d_banks);
        let mut d_raw = [0.0; WINDOW];
        stroke_backward(config, config.write_size, raw, &gradient, -along, &mut d_raw);
        layout.write.of_mut(d_row).copy_from_slice(&d_raw[FRAME..]);
        d_frames.extend_from_slice(&d_raw[..FRAME]);
    }
    d_frames
}

/// Back through the generative LSTM of step `t`, to the latents and to the states that the step went on from.
fn generate_backward(
    weights: &Weights,
    transposed: &Transposed,
    tape: &Tape,
    t: usize,
    work: &mut Cotangents,
    gradients: &mut FramedValues,
    d_latent: &mut [f32],
) {
    let (size, batch, layout) = (weights.config.decoder_size, tape.batch, &weights.decoder_layout);
    let (mut d_hidden, mut d_cell) = (vec![0.0; batch * size], vec![0.0; batch * size]);
    let next = layout.write.start;
    let d_after = &mut work.products[(t + 1) * batch * layout.width..][..batch * layout.width];
    for b in 0..batch {
        let (slot, _, _) = tape.word(t, b);
        d_after[b * layout.width..][..next].copy_from_slice(&work.states.products[slot * next..][..next]);
        d_cell[b * size..][..size].copy_from_slice(&work.states.cells[slot * size..][..size]);
    }
    let d_after = Mat::new(d_after, batch, layout.width);
    matmul(&mut d_hidden, size, false, d_after, transposed.decoder());
    let d_gates = &mut work.generative[t * batch * 4 * size..][..batch * 4 * size];
    lstm::backward(
        size,
        tape.generative_gates.at(t),
        tape.decoder_cell_before.at(t),
        tape.decoder_cell.at(t + 1),
        &d_hidden,
        &mut d_cell,
        d_gates,
        4 * size,
    );
    for (b, d_gates) in d_gates.chunks_exact(4 * size).enumerate() {
        let (slot, id, _) = tape.word(t, b);
        let d_state = &mut work.states.products[slot * next..][..next];
        layout.generative.of_mut(d_state).copy_from_slice(d_gates);
        add_scaled(&mut gradients.generative_words[id * 4 * size..][..4 * size], 1.0, d_gates);
        work.states.cells[slot * size..][..size].copy_from_slice(&d_cell[b * size..][..size]);
    }
    let d_gates = Mat::new(d_gates, batch, 4 * size);
    matmul(d_latent, weights.config.latent_size, false, d_gates, transposed.latent());
}

/// From the latents' gradient and the KL to the posterior's and, before its tanh, the prior's.
fn posterior_backward(
    weights: &Weights,
    tape: &Tape,
    t: usize,
    scale: f32,
    d_latent: &[f32],
    work: &mut Cotangents,
    gradients: &mut FramedValues,
) {
    let z = weights.config.latent_size;
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    let next = decoder.write.start;
    for b in 0..tape.batch {
        let (slot, id, _) = tape.word(t, b);
        let d_prior = decoder.prior.of_mut(&mut work.states.products[slot * next..][..next]);
        let prior = tape.prior.row(t, b, 2 * z);
        let (prior_mean, prior_log_std) = prior.split_at(z);
        let (mean, log_std) = tape.posterior.row(t, b, 2 * z).split_at(z);
        let d_row = &mut work.encoder_products[((t + 1) * tape.batch + b) * encoder.width..];
        let (d_mean, d_log_std) = encoder.posterior.of_mut(d_row).split_at_mut(z);
        let (d_prior_mean, d_prior_log_std) = d_prior.split_at_mut(z);
        gaussian::backward(
            scale,
            mean,
            log_std,
            prior_mean,
            prior_log_std,
            tape.noise.row(t, b, z),
            &d_latent[b * z..][..z],
            d_mean,
            d_log_std,
            d_prior_mean,
            d_prior_log_std,
        );
        d_log_std.iter_mut().for_each(|d| *d *= 0.5);
        d_prior.iter_mut().zip(prior).for_each(|(d, prior)| *d *= 1.0 - prior * prior);
        add_scaled(&mut gradients.prior_words[id * 2 * z..][..2 * z], 1.0, d_prior);
    }
}

/// Back through the inference LSTM of step `t`, to the glimpses and to the states that the step went on from.
fn infer_backward(
    weights: &Weights,
    transposed: &Transposed,
    tape: &Tape,
    t: usize,
    work: &mut Cotangents,
    gradients: &mut FramedValues,
    d_glimpse: &mut [f32],
) {
    let (size, batch) = (weights.config.encoder_size, tape.batch);
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    let (mut d_hidden, mut d_cell) = (vec![0.0; batch * size], vec![0.0; batch * size]);
    let states = &mut work.states;
    let d_after = &mut work.encoder_products[(t + 1) * batch * encoder.width..][..batch * encoder.width];
    for b in 0..batch {
        let (slot, _, _) = tape.word(t, b);
        let d_state = &states.encoder_products[slot * 4 * size..][..4 * size];
        encoder.recurrent.of_mut(&mut d_after[b * encoder.width..]).copy_from_slice(d_state);
        d_cell[b * size..][..size].copy_from_slice(&states.encoder_cells[slot * size..][..size]);
    }
    let d_after = Mat::new(d_after, batch, encoder.width);
    matmul(&mut d_hidden, size, false, d_after, transposed.encoder());
    let d_gates = &mut work.inference[t * batch * 4 * size..][..batch * 4 * size];
    lstm::backward(
        size,
        tape.inference_gates.at(t),
        tape.encoder_cell_before.at(t),
        tape.encoder_cell.at(t + 1),
        &d_hidden,
        &mut d_cell,
        d_gates,
        4 * size,
    );
    let next = decoder.write.start;
    for (b, d_gates) in d_gates.chunks_exact(4 * size).enumerate() {
        let (slot, id, _) = tape.word(t, b);
        states.encoder_products[slot * 4 * size..][..4 * size].copy_from_slice(d_gates);
        decoder.inference.of_mut(&mut states.products[slot * next..][..next]).copy_from_slice(d_gates);
        add_scaled(&mut gradients.inference_words[id * 4 * size..][..4 * size], 1.0, d_gates);
        states.encoder_cells[slot * size..][..size].copy_from_slice(&d_cell[b * size..][..size]);
    }
    let len = weights.config.glimpse_len();
    matmul(d_glimpse, len, false, Mat::new(d_gates, batch, 4 * size), transposed.glimpse());
}

/// From the glimpses' gradient to those of the read window and the canvas that was read; returns that of the frames
/// [batch, 3].
fn read_backward(
    weights: &Weights,
    tape: &Tape,
    images: &[f32],
    t: usize,
    d_glimpse: &[f32],
    work: &mut Cotangents,
) -> Vec<f32> {
    let (config, layout) = (&weights.config, &weights.decoder_layout);
    let geometry = config.geometry(config.read_size);
    let (len, glimpse_len) = (images.len() / tape.batch, config.glimpse_len());
    let mut room = WindowWork::new(&geometry);
    let mut d_frames = Vec::with_capacity(tape.batch * FRAME);
    for b in 0..tape.batch {
        let (slot, _, _) = tape.word(t, b);
        let raw = tape.read_raw.row(t, b, WINDOW);
        let window = stroke_window(config, config.read_size, raw);
        let banks = tape.read_banks.row(t, b, geometry.bank_len());
        let rows = tape.read_rows.row(t, b, 2 * config.channels * config.read_size * config.width);
        let d_glimpse = &d_glimpse[b * glimpse_len..][..glimpse_len];
        let planes = [&images[b * len..][..len], tape.image.row(t, b, len)];
        let d_canvas = &mut work.canvas[b * len..][..len];
        geometry.glimpse_backward(&window, banks, planes, rows, d_glimpse, d_canvas, &mut room);
        let gradient = geometry.fill_backward(&window, banks, &room.d_banks);
        let d_log_intensity = dot(tape.glimpse.row(t, b, glimpse_len), d_glimpse);
        let mut d_raw = [0.0; WINDOW];
        stroke_backward(config, config.read_size, raw, &gradient, d_log_intensity, &mut d_raw);
        let next = layout.write.start;
        let d_state = &mut work.states.products[slot * next..][..next];
        layout.read.of_mut(d_state).copy_from_slice(&d_raw[FRAME..]);
        d_frames.extend_from_slice(&d_raw[..FRAME]);
    }
    d_frames
}
