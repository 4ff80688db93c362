//! Weights of a model for one with finer patches, one that hears more of the caption, or one that knows fewer words.

use super::config::{AttentionInput, DrawConfig};
use super::parameters::ParameterValues;
use crate::error::{Error, Result};

/// One axis of a grid of `to` points over one of `from`: for each point the two neighbours and the
/// second's weight.
fn axis(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let step = (from - 1) as f32 / (to - 1) as f32;
    let place = |i: usize| {
        let at = i as f32 * step;
        let low = (at as usize).min(from - 2);
        (low, low + 1, at - low as f32)
    };
    (0..to).map(place).collect()
}

/// Resamples planes of `from`² values to `to`² (bilinear).
fn resample(planes: &[f32], from: usize, to: usize) -> Vec<f32> {
    let axis = axis(from, to);
    let mut out = Vec::with_capacity(planes.len() / (from * from) * to * to);
    for plane in planes.chunks_exact(from * from) {
        for &(top, bottom, down) in &axis {
            for &(left, right, across) in &axis {
                let row =
                    |y: usize| plane[y * from + left] * (1.0 - across) + plane[y * from + right] * across;
                out.push(row(top) * (1.0 - down) + row(bottom) * down);
            }
        }
    }
    out
}

impl ParameterValues {
    /// These weights for a model that differs in `write_size`, or that attends to words and states where
    /// this one attends to words: nearly the same pictures, from patches that can be taught finer detail
    /// and states that can be taught to be heard. Of a smaller vocabulary the first words are kept.
    ///
    /// **Errors** [`Error::Config`] naming the first tensor that differs otherwise.
    pub fn upsample_to(self, from: &DrawConfig, to: &DrawConfig) -> Result<Self> {
        if to.vocabulary_size < from.vocabulary_size {
            let fewer = DrawConfig { vocabulary_size: to.vocabulary_size, ..from.clone() };
            return self.with_first_words(from, &fewer).finer(&fewer, to);
        }
        self.finer(from, to)
    }

    /// These weights for a model that hears captions in another way: what both have is taken over, the rest is
    /// that of `fresh`. A model trained with attention draws at once without it, and learns to hear otherwise.
    ///
    /// **Errors** [`Error::Config`] naming the first tensor that both have in different shapes.
    pub fn with_conditioning(self, from: &DrawConfig, to: &DrawConfig, mut fresh: Self) -> Result<Self> {
        let ours = from.parameters();
        let mut vectors: Vec<Vec<f32>> = self.into_vectors();
        for ((name, _, expected), target) in to.parameters().into_iter().zip(fresh.vectors_mut()) {
            let Some(at) = ours.iter().position(|(ours, _, _)| *ours == name) else { continue };
            let shape = &ours[at].2;
            if *shape == expected {
                *target = std::mem::take(&mut vectors[at]);
            } else if name != "generative_caption" {
                return Err(Error::Config(format!("{name} has shape {shape:?}, expected {expected:?}")));
            }
        }
        Ok(fresh)
    }

    /// These weights without the rows of the last words.
    fn with_first_words(mut self, from: &DrawConfig, to: &DrawConfig) -> Self {
        let gates = 4 * to.reader_size();
        self.caption_forward_input.truncate(to.vocabulary_size * gates);
        self.caption_backward_input.truncate(to.vocabulary_size * gates);
        let ((had, _), (kept, _)) = (from.attended_rows(), to.attended_rows());
        if from.reads_words() && kept < had {
            let gates = 4 * to.decoder_size;
            self.generative_caption.drain(kept * gates..had * gates);
        }
        self
    }

    fn finer(mut self, from: &DrawConfig, to: &DrawConfig) -> Result<Self> {
        let heard = match (from.attention_input, to.attention_input) {
            (AttentionInput::Words, AttentionInput::WordsAndStates) => AttentionInput::WordsAndStates,
            (ours, _) => ours,
        };
        let resized = DrawConfig {
            write_size: to.write_size,
            attention_input: heard,
            window_limits: to.window_limits.clone(),
            ..from.clone()
        };
        let tables = resized.parameters().into_iter().zip(to.parameters());
        if let Some((ours, theirs)) = tables.into_iter().find(|(ours, theirs)| ours != theirs) {
            let (name, found, expected) = (ours.0, ours.2, theirs.2);
            return Err(Error::Config(format!("{name} has shape {found:?}, expected {expected:?}")));
        }
        if from.write_size != to.write_size {
            for tensor in [&mut self.write_patch, &mut self.write_patch_bias] {
                *tensor = resample(tensor, from.write_size, to.write_size);
            }
            // A denser grid lays more filters over each pixel: a larger γ keeps the strokes as strong.
            let denser = (to.write_size - 1) as f32 / (from.write_size - 1) as f32;
            if let Some(log_intensity) = self.write_window_bias.last_mut() {
                *log_intensity += 2.0 * denser.ln();
            }
        }
        self.generative_caption.resize(to.conditioning_rows() * 4 * to.decoder_size, 0.0);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_stays_a_ramp_on_a_finer_grid() {
        let ramp: Vec<f32> = (0..9).map(|i| (i % 3) as f32).collect();
        let finer = resample(&ramp, 3, 5);
        for (i, value) in finer.iter().enumerate() {
            assert!((value - (i % 5) as f32 / 2.0).abs() < 1e-6, "{finer:?}");
        }
    }

    /// A caption of words that are left paints the same picture.
    #[test]
    fn fewer_words_paint_the_same() {
        use super::super::cpu::{Drawing, Weights};
        use crate::data::batch::Captions;
        let from = DrawConfig { attention_input: AttentionInput::WordsAndStates, ..DrawConfig::tiny() };
        let to = DrawConfig { vocabulary_size: 5, ..from.clone() };
        let host = ParameterValues::init(&from, 3);
        let fewer = host.clone().upsample_to(&from, &to).expect("fewer words");
        let paint = |config: &DrawConfig, host: ParameterValues| {
            let weights = Weights::new(config, host);
            let noise = vec![0.3; config.num_steps * config.latent_size];
            let mut drawing = Drawing::begin(&weights, Captions::of_words(&[1, 4, 2], 3), &noise);
            while drawing.step(&weights) {}
            drawing.images(1).to_vec()
        };
        assert_eq!(paint(&to, fewer), paint(&from, host));
    }

    /// A smooth patch paints nearly the same picture from a finer grid.
    #[test]
    fn a_grown_model_paints_nearly_the_same() {
        use super::super::config::WriteMode;
        use super::super::cpu::{Drawing, Weights};
        use crate::data::batch::Captions;
        let from = DrawConfig {
            height: 24,
            width: 24,
            write_mode: WriteMode::Composite,
            write_size: 4,
            initial_canvas: 0.5,
            ..DrawConfig::tiny()
        };
        let to = DrawConfig { write_size: 7, ..from.clone() };
        let mut host = ParameterValues::init(&from, 3);
        // Filters that overlap: each wide as the distance between the coarser grid's.
        host.write_window_bias[3] = 2.0 * (23.0f32 / 3.0).ln();
        host.write_window_bias[4] = -2.0;
        // One value for each plane: a patch without detail.
        for tensor in [&mut host.write_patch, &mut host.write_patch_bias] {
            tensor.chunks_exact_mut(16).for_each(|plane| plane.fill(plane[0]));
        }
        let upsample_to = host.clone().upsample_to(&from, &to).expect("grows");
        let paint = |config: &DrawConfig, host: ParameterValues| {
            let weights = Weights::new(config, host);
            let mut drawing = Drawing::begin(&weights, Captions::of_words(&[1, 2], 2), &[0.1; 8]);
            while drawing.step(&weights) {}
            drawing.images(2).to_vec()
        };
        let (before, after, blank) = (
            paint(&from, host.clone()),
            paint(&to, upsample_to),
            paint(&from, ParameterValues::zeros(&from)),
        );
        let mean = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / 576.0;
        assert!(mean(&before, &after) < 0.1 * mean(&before, &blank), "{}", mean(&before, &after));
    }

    #[test]
    fn other_differences_are_named() {
        let from = DrawConfig::tiny();
        let host = ParameterValues::init(&from, 1);
        let to = DrawConfig { write_size: 5, ..from.clone() };
        let upsample_to = host.clone().upsample_to(&from, &to).expect("grows");
        assert_eq!(upsample_to.write_patch.len(), to.decoder_size * to.patch_len());
        let error = host.upsample_to(&from, &DrawConfig { latent_size: 5, ..from.clone() });
        assert!(error.expect_err("refused").to_string().contains("posterior_mean"));
    }
}
