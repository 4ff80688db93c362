//! The same on the host's slices: what the fused passes of the CPU and the smallest engine of the browser read
//! sentences with.

use std::collections::HashMap;

use super::encoder::{EncoderConfig, SentenceEncoder};
use crate::error::Result;
use crate::kernels::{
    gru::{Recurrent, step},
    math::add_rows,
    matmul::{Mat, matmul},
};
use crate::nn::floats;

/// Sentences whose vectors are kept: data sets repeat their captions.
const KEPT: usize = 20_000;

/// The weights of one GRU.
#[derive(Clone, Debug)]
struct HostGru {
    /// [embedding, 3H].
    input: Vec<f32>,
    /// [H, 2H].
    recurrent: Vec<f32>,
    /// [H, H].
    candidate: Vec<f32>,
    /// [3H].
    bias: Vec<f32>,
}

/// An encoder whose weights lie on the host, and the vectors of the sentences that it has read.
#[derive(Clone, Debug)]
pub struct HostEncoder {
    config: EncoderConfig,
    /// [V, embedding].
    embedding: Vec<f32>,
    /// Uni-directional, forward, backward.
    grus: [HostGru; 3],
    known: HashMap<Vec<usize>, Vec<f32>>,
}

impl HostEncoder {
    /// Takes the tensors of a [`SentenceEncoder`] by their names below `prefix`.
    ///
    /// **Errors** those of `take`.
    pub fn from_named(
        config: &EncoderConfig,
        prefix: &str,
        mut take: impl FnMut(&str, &[usize]) -> Result<Vec<f32>>,
    ) -> Result<Self> {
        let size = config.embedding_size;
        let embedding = take(&format!("{prefix}.embedding"), &[config.vocabulary_size, size])?;
        let [uni, forward, backward] = config.units();
        let mut gru = |name: &str, units: usize| -> Result<HostGru> {
            Ok(HostGru {
                input: take(&format!("{prefix}.{name}.input"), &[size, 3 * units])?,
                recurrent: take(&format!("{prefix}.{name}.recurrent"), &[units, 2 * units])?,
                candidate: take(&format!("{prefix}.{name}.candidate"), &[units, units])?,
                bias: take(&format!("{prefix}.{name}.bias"), &[3 * units])?,
            })
        };
        let grus = [gru("uni", uni)?, gru("forward", forward)?, gru("backward", backward)?];
        Ok(Self { config: *config, embedding, grus, known: HashMap::new() })
    }

    /// A copy of an encoder in burn tensors.
    pub fn of(config: &EncoderConfig, encoder: &SentenceEncoder) -> Self {
        let gru = |gru: &crate::nn::gru::Gru| {
            let [input, recurrent, candidate, bias] = gru.to_host();
            HostGru { input, recurrent, candidate, bias }
        };
        Self {
            config: *config,
            embedding: floats(encoder.embedding.val().into_data()),
            grus: [gru(&encoder.uni), gru(&encoder.forward), gru(&encoder.backward)],
            known: HashMap::new(),
        }
    }

    /// Vectors [batch, sentence] of captions `ids` [batch, words], kept for the next time.
    pub fn known_vectors(&mut self, ids: &[usize], words: usize) -> Vec<f32> {
        if self.known.len() > KEPT {
            self.known.clear();
        }
        let mut missing: Vec<&[usize]> =
            ids.chunks_exact(words).filter(|caption| !self.known.contains_key(*caption)).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let vectors = self.vectors(&missing.concat(), words);
            let vectors = vectors.chunks_exact(self.config.sentence_size).map(<[f32]>::to_vec);
            self.known.extend(missing.iter().map(|caption| caption.to_vec()).zip(vectors));
        }
        ids.chunks_exact(words).flat_map(|caption| self.known[caption].iter().copied()).collect()
    }

    /// Vectors [batch, sentence] of captions `ids` [batch, words], each half of length 1.
    pub fn vectors(&self, ids: &[usize], words: usize) -> Vec<f32> {
        let batch = ids.len() / words;
        let read = [(0, false), (1, false), (2, true)].map(|(at, backward)| {
            let units = self.config.units()[at];
            (units, self.read(&self.grus[at], units, ids, words, backward))
        });
        let mut vectors = Vec::with_capacity(batch * self.config.sentence_size);
        for b in 0..batch {
            let of = |at: usize| &read[at].1[b * read[at].0..][..read[at].0];
            push_unit(&mut vectors, &[of(0)]);
            push_unit(&mut vectors, &[of(1), of(2)]);
        }
        vectors
    }

    /// The state of one GRU after the last word that it reads [batch, H].
    fn read(&self, gru: &HostGru, units: usize, ids: &[usize], words: usize, backward: bool) -> Vec<f32> {
        let (batch, size) = (ids.len() / words, self.config.embedding_size);
        let mut state = vec![0.0; batch * units];
        let (mut embedded, mut projected) = (vec![0.0; batch * size], vec![0.0; batch * 3 * units]);
        for at in 0..words {
            let word = if backward { words - 1 - at } else { at };
            for (b, row) in embedded.chunks_exact_mut(size).enumerate() {
                row.copy_from_slice(&self.embedding[ids[b * words + word] * size..][..size]);
            }
            let input = Mat::new(&gru.input, size, 3 * units);
            matmul(&mut projected, 3 * units, false, Mat::new(&embedded, batch, size), input);
            projected.chunks_exact_mut(3 * units).for_each(|row| add_rows(row, &gru.bias, 3 * units));
            let recurrent = Recurrent { gates: &gru.recurrent, candidate: &gru.candidate };
            step(recurrent, &projected, units, &mut state);
        }
        state
    }
}

/// Appends numbers divided by their length.
fn push_unit(vectors: &mut Vec<f32>, parts: &[&[f32]]) {
    let squares: f32 = parts.iter().flat_map(|part| part.iter()).map(|x| x * x).sum();
    let length = squares.sqrt().max(1e-8);
    vectors.extend(parts.iter().flat_map(|part| part.iter()).map(|x| x / length));
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::data::noise::Noise;
    use crate::sentence::encoder::Padded;

    #[test]
    fn vectors_are_those_of_burn_tensors() {
        let (device, config) =
            (Device::flex(), EncoderConfig { vocabulary_size: 9, embedding_size: 5, sentence_size: 12 });
        let encoder = SentenceEncoder::init(&config, &mut Noise::new(3), &device);
        let mut host = HostEncoder::of(&config, &encoder);
        let captions: [&[usize]; 3] = [&[1, 2, 3], &[8, 0, 4], &[1, 2, 3]];
        let expected = floats(encoder.vectors(&Padded::new(&captions, &device)).into_data());
        let found = host.known_vectors(&captions.concat(), 3);
        assert_eq!(found.len(), 36);
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-5, "{found:?}\n{expected:?}");
        }
        assert_eq!(found, host.known_vectors(&captions.concat(), 3));
        assert_eq!(host.known.len(), 2);
    }
}
