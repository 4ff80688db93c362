//! The framed painter on the CPU: the model of `drawing.rs` with its passes fused, forward and backward.
//!
//! Why beside burn's own operations: as for the DRAW family (`draw/cpu`). `tests/it/framed.rs` and `framed_reference.rs` hold it to the
//! definition under burn's autodiff and to the float64 reference.

mod alignment;
mod backward;
mod forward;
mod frames;
mod layers;
mod order;
mod posterior;
mod tape;
mod values;
mod weight_gradients;
mod weights;

pub use values::FramedValues;
pub use weights::Weights;

use self::frames::{FRAME, Frames};
use self::order::Query;
use self::tape::Tape;
use super::Slots;
use super::training::BoundNoise;
use crate::data::batch::CaptionBatch;
use crate::model::CaptionIds;

/// A part of a batch with its memory, which one thread works on.
#[derive(Default)]
pub struct Shard {
    frames: Frames,
    query: Option<Query>,
    tape: Tape,
    work: backward::Cotangents,
    gradients: Option<FramedValues>,
    /// Reconstruction, KL of the steps' latents, KL of the frames' latents of each image, nats.
    terms: Vec<[f64; 3]>,
}

impl Shard {
    /// Runs the posterior over a part of a batch.
    fn forward(&mut self, weights: &Weights, batch: &CaptionBatch, noise: &BoundNoise) {
        let captions = CaptionIds { ids: batch.ids.to_vec(), batch: batch.len(), words: batch.words };
        let slots =
            Slots::of(&weights.config, &captions).expect("the data set's captions name what is drawn");
        self.frames.encode(weights, &captions, &slots);
        self.frames.sample_posterior(weights, &slots, &batch.images, &noise.of_frames);
        self.tape.begin(weights, &slots, drawn_ids(weights, &captions, &slots), false);
        self.tape.take_noise(&noise.of_steps);
        self.query = Query::of(weights, &self.frames, &slots);
        forward::begin(weights, &mut self.tape, false);
        for t in 0..self.tape.num_steps {
            let words = match &mut self.query {
                Some(query) => query.choose(weights, &self.tape.drawn, noise.of_order.as_deref(), t),
                None => slots.at(t, self.tape.num_steps),
            };
            self.tape.draw_words(words);
            forward::step(weights, &self.frames.raw, &mut self.tape, Some(&batch.images), t);
        }
        let reconstruction = forward::reconstruction(&self.tape, &batch.images);
        let kls = self.tape.kl.iter().zip(&self.frames.kl);
        self.terms = reconstruction.into_iter().zip(kls).map(|(nats, (kl, of))| [nats, *kl, *of]).collect();
    }
}

/// Ids of the drawn words [caption · slot]; unused slots repeat the first.
fn drawn_ids(weights: &Weights, captions: &CaptionIds, slots: &Slots) -> Vec<usize> {
    let of = |(caption, drawn): (&[usize], &Vec<usize>)| -> Vec<usize> {
        (0..weights.config.max_drawn).map(|k| caption[*drawn.get(k).unwrap_or(&drawn[0])]).collect()
    };
    captions.ids.chunks(captions.words).zip(&slots.positions).flat_map(of).collect()
}

/// The terms of each image of a batch, nats [image, 3], and the gradients of the mean of their sums, where they are
/// wanted; one thread for each shard.
///
/// The result depends on the number of shards only through the order of the final sums.
pub fn bounds(
    weights: &Weights,
    batch: &CaptionBatch,
    noise: &BoundNoise,
    shards: &mut [Shard],
    with_gradients: bool,
) -> (Vec<[f64; 3]>, Option<FramedValues>) {
    let scale = 1.0 / batch.len() as f32;
    for shard in shards.iter_mut() {
        shard.terms.clear();
        shard.gradients = None;
    }
    batch.share(shards, |images, shard| {
        let part = batch.slice(images.start, images.end);
        shard.forward(weights, &part, &noise.slice(batch.len(), images));
        if with_gradients {
            let Shard { frames, query, tape, work, gradients, .. } = shard;
            let (query, images) = (query.as_ref(), &part.images);
            let gradients = gradients.insert(FramedValues::zeros(&weights.config));
            backward::backward(weights, frames, query, tape, images, scale, work, gradients);
        }
    });
    let terms = shards.iter().flat_map(|shard| &shard.terms).copied().collect();
    let sum = |mut total: FramedValues, gradients: FramedValues| {
        total.add(gradients);
        total
    };
    (terms, shards.iter_mut().filter_map(|shard| shard.gradients.take()).reduce(sum))
}

/// A drawing in progress: a batch of pictures of captions of equal length, kept step by step.
pub struct Drawing {
    frames: Frames,
    tape: Tape,
    query: Option<Query>,
}

impl Drawing {
    /// Encodes the captions, places their words and lays out an empty canvas for each. `noise` is that of the frames'
    /// latents [batch · slot, 2] and of the steps' [batch, step, latent]; `given` are raw frames by their place among
    /// batch · slot, which replace those of the captions.
    pub fn begin(
        weights: &Weights,
        captions: &CaptionIds,
        slots: &Slots,
        noise: [&[f32]; 2],
        given: &[(usize, [f32; FRAME])],
    ) -> Self {
        let (mut frames, mut tape) = (Frames::default(), Tape::default());
        frames.encode(weights, captions, slots);
        frames.sample_prior(noise[0]);
        for (slot, frame) in given {
            frames.raw[slot * FRAME..][..FRAME].copy_from_slice(frame);
        }
        let query = Query::of(weights, &frames, slots);
        tape.begin(weights, slots, drawn_ids(weights, captions, slots), true);
        tape.take_noise(noise[1]);
        forward::begin(weights, &mut tape, true);
        Self { frames, tape, query }
    }

    /// Goes on from picture `picture` of another drawing as it stood after `step` steps.
    pub fn branch_from(&mut self, from: &Self, picture: usize, step: usize) {
        self.tape.branch(&from.tape, picture, step);
        if let (Some(query), Some(of)) = (&mut self.query, &from.query) {
            query.branch(of, picture, from.tape.batch, step);
        }
    }

    /// Steps drawn so far.
    pub fn done(&self) -> usize {
        self.tape.drawn.len() / self.tape.batch
    }

    /// Draws the next step.
    pub fn step(&mut self, weights: &Weights) {
        let t = self.done();
        let words = match &mut self.query {
            Some(query) => query.choose(weights, &self.tape.drawn, None, t),
            None => self.tape.slots.at(t, self.tape.num_steps),
        };
        self.tape.draw_words(words);
        forward::step(weights, &self.frames.raw, &mut self.tape, None, t);
    }

    /// Pixels in [0, 1] after `step` steps [batch, CHW].
    pub fn images(&self, step: usize) -> &[f32] {
        self.tape.image.at(step)
    }

    /// 1 for the word of its caption that step `step` (1-based) drew, 0 for the others [batch, word].
    pub fn alignment(&self, step: usize, words: usize) -> Vec<f32> {
        let drawn = &self.tape.drawn[(step - 1) * self.tape.batch..][..self.tape.batch];
        let word = drawn.iter().zip(&self.tape.slots.positions).map(|(slot, at)| at.get(*slot).copied());
        word.flat_map(|at| (0..words).map(move |word| f32::from(at == Some(word)))).collect()
    }

    /// Raw frame, then raw write window of step `step` (1-based) [batch, 8].
    pub fn windows(&self, step: usize) -> &[f32] {
        self.tape.write_raw.at(step - 1)
    }
}
