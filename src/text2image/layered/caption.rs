//! Captions: their layers, where each lies, and what each is said to be.

use burn::tensor::{Device, Tensor};

use super::expected::Expected;
use super::{Composition, Layered, LayeredConfig, Layers, Reading};
use crate::error::{Error, Result};
use crate::model::CaptionIds;
use crate::nn::lstm::{LstmState, OverWords, both_ways};
use crate::nn::{affine, indices, on_device};

/// The layers of a batch of captions, in rows [picture · layer]; pictures with fewer repeat their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of each picture.
    pub pictures: Vec<Layers>,
    /// How those of each picture are placed.
    pub compositions: Vec<Composition>,
    /// Rows of a picture.
    pub rows: usize,
}

impl Plan {
    /// Finds the layers.
    ///
    /// **Errors** those of [`super::Lexicon::layers`].
    pub fn of(config: &LayeredConfig, captions: &CaptionIds) -> Result<Self> {
        if captions.words == 0 {
            return Err(Error::Config(
                "there is no caption, expected one that names what is drawn".to_owned(),
            ));
        }
        let of = |ids| config.lexicon.layers(ids, config.max_things);
        let pictures: Vec<Layers> = captions.ids.chunks(captions.words).map(of).collect::<Result<_>>()?;
        let rows = pictures.iter().map(|layers| layers.layers.len()).max().unwrap_or(1);
        let captions = captions.ids.chunks(captions.words);
        let compositions =
            captions.zip(&pictures).map(|(ids, layers)| config.lexicon.composition(ids, layers)).collect();
        Ok(Self { pictures, compositions, rows })
    }

    /// One value for each row.
    pub fn each_row<T>(&self, mut of: impl FnMut(usize, &Layers, usize) -> T) -> Vec<T> {
        let mut values = Vec::with_capacity(self.pictures.len() * self.rows);
        for (picture, layers) in self.pictures.iter().enumerate() {
            for row in 0..self.rows {
                let layer = if row < layers.layers.len() { row } else { 0 };
                values.push(of(picture, layers, layer));
            }
        }
        values
    }

    /// The rows of places alone, of a table of all rows.
    pub fn places(&self, table: Tensor<2>) -> Tensor<2> {
        let first = (0..self.pictures.len()).map(|picture| picture * self.rows).collect();
        let device = table.device();
        table.select(0, indices(first, &device))
    }

    /// 1 for rows of things, 0 for places and unused rows [picture · layer].
    pub fn things(&self) -> Vec<f32> {
        self.each_row(|_, _, layer| f32::from(layer > 0))
    }
}

/// The sentences of a batch that are asked where their layers lie, in rows [reading · row]; those with fewer layers
/// repeat their place.
pub(super) struct Readings<'a> {
    all: Vec<&'a Reading>,
    /// Rows of a reading.
    pub(super) each: usize,
}

impl<'a> Readings<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let all: Vec<&Reading> =
            plan.compositions.iter().flat_map(|composition| &composition.readings).collect();
        let each = all.iter().map(|reading| reading.rows.len()).max().unwrap_or(1);
        Self { all, each }
    }

    fn rows(&self) -> usize {
        self.all.len() * self.each
    }

    /// One value for each row.
    pub(super) fn each_row<T>(&self, mut of: impl FnMut(usize, &Reading, usize) -> T) -> Vec<T> {
        let mut values = Vec::with_capacity(self.rows());
        for (at, reading) in self.all.iter().enumerate() {
            values.extend((0..self.each).map(|row| {
                let row = if row < reading.rows.len() { row } else { 0 };
                of(at, reading, row)
            }));
        }
        values
    }

    /// The rows in the order in which their layers stand, where some of two things stand the other way round.
    pub(super) fn exchanged(&self, config: &LayeredConfig) -> Option<Vec<usize>> {
        let inverse = |reading: &Reading| reading.rows.len() == 3 && config.lexicon.is_inverse(&reading.ids);
        let order = |reading: &Reading| if inverse(reading) { [0, 2, 1] } else { [0, 1, 2] };
        self.all.iter().any(|reading| inverse(reading)).then(|| {
            self.each_row(|at, reading, row| at * self.each + order(reading).get(row).copied().unwrap_or(row))
        })
    }
}

/// What the sentences say of their layers, [picture · layer, …].
pub struct Encoded {
    /// Where each is expected.
    pub expected: Expected,
    /// What each layer is said to be [row, H].
    pub said: Tensor<2>,
    /// Changes of the pictures' colours [picture, 12]; none where no caption asks for one.
    pub style: Option<Tensor<2>>,
}

impl Layered {
    /// Where the layers lie and what they are.
    pub fn encode(&self, config: &LayeredConfig, captions: &CaptionIds, plan: &Plan) -> Encoded {
        let device = self.frame_bias.val().device();
        let readings = Readings::of(plan);
        let states = self.placing_states(config, &readings, &device);
        let said = self.said_of(config, plan, &device);
        let expected = self.expected(config, plan, &readings, states, &said);
        Encoded { expected, said, style: self.style_of(captions, plan, &device) }
    }

    /// States of the LSTM that places layer after layer [reading · row, P]. Things are read as one class;
    /// sentences of one length are encoded together, those that are then equal once.
    pub(super) fn placing_states(
        &self,
        config: &LayeredConfig,
        readings: &Readings,
        device: &Device,
    ) -> Tensor<2> {
        let plain = |reading: &&Reading| reading.ids.iter().map(|&id| config.lexicon.plain(id)).collect();
        let read: Vec<Vec<usize>> = readings.all.iter().map(plain).collect();
        let mut sentences: Vec<&Vec<usize>> = Vec::new();
        for sentence in &read {
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        sentences.sort_by_key(|sentence| sentence.len());
        let states = sentences.chunk_by(|a, b| a.len() == b.len()).map(|alike| {
            let ids = alike.iter().copied().flatten().copied().collect();
            self.word_states(ids, alike.len(), alike[0].len())
        });
        let words = Tensor::cat(states.collect(), 0);
        let start = |sentence: &Vec<usize>| -> usize {
            sentences.iter().take_while(|other| **other != sentence).map(|other| other.len()).sum()
        };
        let starts: Vec<usize> = read.iter().map(start).collect();
        let at = readings.each_row(|at, reading, row| starts[at] + reading.rows[row].at);
        let (batch, rows) = (readings.all.len(), readings.each);
        let words = words.select(0, indices(at, device)).reshape([batch as i32, rows as i32, -1]);
        let size = config.place_size;
        let mut state = LstmState::initial(Tensor::zeros([size], device), batch);
        let mut states = Vec::with_capacity(rows);
        for row in 0..rows {
            let word = words.clone().narrow(1, row, 1).squeeze_dim::<2>(1);
            let inputs = Tensor::cat(vec![word, state.hidden.clone()], 1);
            state = state.step(affine(&inputs, &self.place_input, &self.place_bias));
            states.push(state.hidden.clone());
        }
        Tensor::stack::<3>(states, 1).reshape([batch * rows, size])
    }

    /// States of a bidirectional LSTM at every word [sentence · word, 2L].
    fn word_states(&self, ids: Vec<usize>, sentences: usize, words: usize) -> Tensor<2> {
        let device = self.frame_bias.val().device();
        let embedded = self.word_embedding.val().select(0, indices(ids, &device));
        let forward = OverWords {
            input: &self.caption_forward_input,
            recurrent: &self.caption_forward_recurrent,
            bias: &self.caption_forward_bias,
            backward: false,
        };
        let backward = OverWords {
            input: &self.caption_backward_input,
            recurrent: &self.caption_backward_recurrent,
            bias: &self.caption_backward_bias,
            backward: true,
        };
        both_ways([forward, backward], &embedded, sentences, words)
    }

    /// What the places are said to be [picture, H].
    pub fn said_of_places(&self, config: &LayeredConfig, plan: &Plan) -> Tensor<2> {
        let device = self.frame_bias.val().device();
        plan.places(self.said_of(config, plan, &device))
    }

    /// What each layer is said to be: the sum over the words of its noun phrase [row, H].
    pub(super) fn said_of(&self, config: &LayeredConfig, plan: &Plan, device: &Device) -> Tensor<2> {
        let v = config.vocabulary_size;
        let rows = plan.pictures.len() * plan.rows;
        // Where a thing is at home has a sum of its own where the language knows no words for it.
        let counts = |home: bool| -> Vec<f32> {
            let mut counts = vec![0.0; rows * v];
            let of_rows = plan.each_row(|_, layers, at| {
                let layer = &layers.layers[at];
                let unknown = layer.at_home && !config.lexicon.is_home(&layer.words);
                if unknown == home { layer.words.clone() } else { Vec::new() }
            });
            for (row, words) in of_rows.into_iter().enumerate() {
                words.into_iter().for_each(|word| counts[row * v + word] = 1.0);
            }
            counts
        };
        let said = on_device(counts(false), [rows, v], device).matmul(self.said.val());
        let at_home = plan.pictures.iter().any(|layers| layers.layers[0].at_home);
        if at_home {
            return said + on_device(counts(true), [rows, v], device).matmul(self.home.val());
        }
        said
    }

    /// Changes of the pictures' colours [picture, 12], summed over their words.
    fn style_of(&self, captions: &CaptionIds, plan: &Plan, device: &Device) -> Option<Tensor<2>> {
        let [v, _] = self.style.val().dims();
        if plan.pictures.iter().all(|layers| layers.styles.is_empty()) {
            return None;
        }
        let mut counts = vec![0.0; captions.batch * v];
        for (picture, layers) in plan.pictures.iter().enumerate() {
            for &word in &layers.styles {
                counts[picture * v + captions.ids[picture * captions.words + word]] = 1.0;
            }
        }
        Some(on_device(counts, [captions.batch, v], device).matmul(self.style.val()))
    }
}
