//! The gradient of which word a step draws, in a learned order.

use super::backward::Cotangents;
use super::frames::{FRAME, Frames};
use super::tape::Tape;
use super::weights::Weights;
use crate::kernels::math::dot;
use crate::kernels::steps::StepBuffer;

/// What `α_j` would change of which states are kept: `state_j ← (1 − α_j) state_j + α_j new`. Begins the alignment's gradient.
pub fn kept_states(weights: &Weights, tape: &Tape, t: usize, work: &mut Cotangents) {
    let (config, slots) = (&weights.config, tape.ids.len() / tape.batch);
    let (d, e) = (config.decoder_size, config.encoder_size);
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    let next = decoder.write.start;
    let states = &work.states;
    work.alignment.clear();
    for b in 0..tape.batch {
        for slot in 0..slots {
            let (at, before) = (b * slots + slot, tape.state(t, b, slot));
            let change = |buffer: &StepBuffer, width: usize, gradient: &[f32]| {
                let len = gradient.len();
                let of = |step: usize| dot(&buffer.row(step, b, width)[..len], gradient);
                of(t + 1) - of(before)
            };
            work.alignment.push(
                change(&tape.products, decoder.width, &states.products[at * next..][..next])
                    + change(&tape.decoder_cell, d, &states.cells[at * d..][..d])
                    + change(
                        &tape.encoder_products,
                        encoder.width,
                        &states.encoder_products[at * 4 * e..][..4 * e],
                    )
                    + change(&tape.encoder_cell, e, &states.encoder_cells[at * e..][..e]),
            );
        }
    }
}

/// What `α_j` would change of what step `t` hears: states, frames and words, each the sum of the words' by `α`. Adds to the
/// alignment's gradient, from that of the frames in this step [batch, 3].
pub fn attended_words(
    weights: &Weights,
    frames: &Frames,
    tape: &Tape,
    t: usize,
    d_frames: &[f32],
    work: &mut Cotangents,
) {
    let (config, values, slots) = (&weights.config, &weights.values, tape.ids.len() / tape.batch);
    let (d, e) = (config.decoder_size, config.encoder_size);
    let (decoder, encoder) = (&weights.decoder_layout, &weights.encoder_layout);
    let next = decoder.write.start;
    let states = &work.states;
    for b in 0..tape.batch {
        let (drawn, _, _) = tape.word(t, b);
        let products = &states.products[drawn * next..][..next];
        let cells = &states.cells[drawn * d..][..d];
        let encoder_products = &states.encoder_products[drawn * 4 * e..][..4 * e];
        let encoder_cells = &states.encoder_cells[drawn * e..][..e];
        for slot in 0..slots {
            let (at, before) = (b * slots + slot, tape.state(t, b, slot));
            let id = tape.ids[at];
            let words = |table: &[f32], gradient: &[f32]| {
                dot(&table[id * gradient.len()..][..gradient.len()], gradient)
            };
            work.alignment[at] += dot(&tape.products.row(before, b, decoder.width)[..next], products)
                + dot(tape.decoder_cell.row(before, b, d), cells)
                + dot(&tape.encoder_products.row(before, b, encoder.width)[..4 * e], encoder_products)
                + dot(tape.encoder_cell.row(before, b, e), encoder_cells)
                + dot(&frames.raw[at * FRAME..][..FRAME], &d_frames[b * FRAME..][..FRAME])
                + words(&values.prior_words, decoder.prior.of(products))
                + words(&values.inference_words, decoder.inference.of(products))
                + words(&values.generative_words, decoder.generative.of(products));
        }
    }
}
