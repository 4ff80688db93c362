//! The layered painter in burn tensors: its steps, for painting and for the bound.

use burn::tensor::{
    Device, Tensor,
    activation::{relu, sigmoid},
};

use super::caption::{Encoded, Plan};
use super::config::CHANNELS;
use super::place::{Grid as PlaceGrid, Known};
use super::window::{Grid, stroke};
use super::{Layered, LayeredConfig};
use crate::nn::gaussian::Gaussian;
use crate::nn::lstm::LstmState;
use crate::nn::{affine, indices, on_device};

/// Between two steps.
#[derive(Clone, Debug)]
pub struct State {
    /// Colours before the picture's change of colours, [picture, 3, height, width].
    pub canvas: Tensor<4>,
    decoder: LstmState,
    encoder: LstmState,
    /// The layer that each picture's states belong to.
    layers: Vec<usize>,
    /// Whether nothing was drawn yet.
    blank: bool,
    /// The codes of the place so far, where some are drawn.
    pub place: Option<PlaceGrid>,
}

impl State {
    /// One picture of the batch.
    pub fn picture(&self, at: usize) -> Self {
        Self {
            canvas: self.canvas.clone().narrow(0, at, 1),
            decoder: self.decoder.picture(at),
            encoder: self.encoder.picture(at),
            layers: vec![self.layers[at]],
            blank: self.blank,
            place: self.place.as_ref().map(|place| place.picture(at)),
        }
    }
}

/// What the layers give to every step, [picture · layer, …].
pub struct Rows {
    /// Frames with their latents (x, y, size) [row, 3].
    pub frames: Tensor<2>,
    prior: Tensor<2>,
    inference: Tensor<2>,
    generative: Tensor<2>,
    style: Option<Tensor<2>>,
    /// What the places are said to be, without gradient [picture, H].
    pub places: Tensor<2>,
    /// Rows of a picture.
    each: usize,
}

/// What a step shows besides the new state.
pub struct Step {
    /// Frame, then stroke (x, y, size each) [picture, 6].
    pub window: Tensor<2>,
    /// KL of the posterior from the prior [picture], nats; none when painting.
    pub kl: Option<Tensor<1>>,
}

/// A latent's noise, and how much of the latent there is yet, 0 to 1.
pub struct Latent {
    /// Standard normal [picture, latent].
    pub noise: Tensor<2>,
    /// 1 but early in training.
    pub share: f32,
}

impl Layered {
    /// A white canvas; states belong to no layer yet.
    pub fn begin(&self, config: &LayeredConfig, batch: usize) -> State {
        let device = self.frame_bias.val().device();
        let initial =
            |table: &Tensor<2>| LstmState::initial(table.clone().narrow(0, 0, 1).squeeze_dim::<1>(0), batch);
        State {
            canvas: Tensor::ones([batch, CHANNELS, config.height, config.width], &device),
            decoder: initial(&self.generative_initial_hidden.val()),
            encoder: initial(&self.inference_initial_hidden.val()),
            layers: vec![0; batch],
            blank: true,
            place: None,
        }
    }

    /// What the steps need of the layers, whose frames are given.
    pub fn rows(&self, encoded: &Encoded, frames: Tensor<2>, plan: &Plan) -> Rows {
        let of = |weight: &burn::module::Param<Tensor<2>>| encoded.said.clone().matmul(weight.val());
        Rows {
            frames,
            prior: of(&self.prior_said),
            inference: of(&self.inference_said),
            generative: of(&self.generative_said),
            style: encoded.style.clone(),
            places: plan.places(encoded.said.clone().detach()),
            each: plan.rows,
        }
    }

    /// One of the first steps where the place is drawn in codes: the next part of it. `chances` and `known` as
    /// [`super::place::PlaceCodes::draw`] takes them; none when the place is drawn by strokes or stands already.
    pub fn place_step(
        &self,
        config: &LayeredConfig,
        rows: &Rows,
        state: &State,
        step: usize,
        chances: &Tensor<2>,
        known: Option<&Known>,
    ) -> Option<(State, Step)> {
        let (codes, sizes, cells) = (self.place_codes.as_ref()?, config.place_codes?, config.place_cells()?);
        if step >= config.place_steps {
            return None;
        }
        let grid = state.place.clone().unwrap_or_else(|| codes.begin(state.layers.len(), cells));
        let grid = codes.draw(grid, &rows.places, cells, (step, config.place_steps), chances, known);
        let [rows, columns] = cells;
        let canvas = codes.codebook.colours(&sizes, grid.codes(), [state.layers.len(), rows, columns]);
        let window = whole_window(state.layers.len(), &canvas.device());
        Some((State { canvas, blank: false, place: Some(grid), ..state.clone() }, Step { window, kl: None }))
    }

    /// One step. With `image` [picture, 3, height, width] the latent comes from the posterior, without it from
    /// the prior. `layers` names the layer that each picture draws.
    pub fn step(
        &self,
        config: &LayeredConfig,
        rows: &Rows,
        state: State,
        layers: &[usize],
        image: Option<&Tensor<4>>,
        latent: Latent,
    ) -> (State, Step) {
        let device = latent.noise.device();
        let fresh = state.layers != layers;
        let first = state.blank;
        let State { canvas, decoder, encoder, place, .. } =
            if fresh { self.next_layer(state, layers) } else { state };
        let at: Vec<usize> = layers.iter().enumerate().map(|(b, layer)| b * rows.each + layer).collect();
        let at = indices(at, &device);
        let of = |table: &Tensor<2>| table.clone().select(0, at.clone());
        let frames = of(&rows.frames);

        let prior = affine(&decoder.hidden, &self.prior, &self.prior_bias) + of(&rows.prior);
        let prior = Gaussian::side_by_side(prior.tanh());
        let (sample, encoder, kl) = match image {
            None => (prior.sample(latent.noise), encoder, None),
            Some(image) => {
                let glimpse = self.glimpse(config, &frames, image, &shown(&canvas, &rows.style));
                let inputs = vec![glimpse, decoder.hidden.clone(), encoder.hidden.clone()];
                let gates = affine(&Tensor::cat(inputs, 1), &self.inference_input, &self.inference_bias);
                let encoder = encoder.step(gates + of(&rows.inference));
                let raw =
                    Gaussian::side_by_side(affine(&encoder.hidden, &self.posterior, &self.posterior_bias));
                let posterior = Gaussian { mean: raw.mean, log_std: raw.log_std * 0.5 };
                let kl = posterior.kl(&prior);
                (posterior.sample(latent.noise), encoder, Some(kl))
            }
        };
        let sample = if latent.share < 1.0 { sample * latent.share } else { sample };

        let inputs = Tensor::cat(vec![sample, decoder.hidden.clone()], 1);
        let gates = affine(&inputs, &self.generative_input, &self.generative_bias);
        let decoder = decoder.step(gates + of(&rows.generative));
        let (canvas, stroke) = self.write(config, &frames, &decoder, canvas, first);
        let window = Tensor::cat(vec![frames, stroke], 1);
        (
            State { canvas, decoder, encoder, layers: layers.to_vec(), blank: false, place },
            Step { window, kl },
        )
    }

    /// Lays a patch over the canvas: `c ← c (1 − α) + α · colour` (Porter & Duff 1984, "over"). Colour and cover are
    /// the logistic function of the interpolated cells, not the other way round: so edges are sharper than cells.
    /// The first stroke of a picture covers everything. Returns the canvas and where the patch lies [picture, 3].
    fn write(
        &self,
        config: &LayeredConfig,
        frames: &Tensor<2>,
        decoder: &LstmState,
        canvas: Tensor<4>,
        first: bool,
    ) -> (Tensor<4>, Tensor<2>) {
        let raw = affine(&decoder.hidden, &self.stroke, &self.stroke_bias);
        let place = if first { frames.clone() } else { stroke(frames, &raw) };
        let [batch, _] = place.dims();
        let size = config.write_size;
        let hidden = relu(affine(&decoder.hidden, &self.patch_hidden, &self.patch_hidden_bias));
        let patch = affine(&hidden, &self.patch, &self.patch_bias);
        let patch = patch.reshape([batch, CHANNELS + 1, size, size]);
        let grid = Grid::writing(config, size, &place);
        let layer = grid.write(patch);
        let colours = sigmoid(layer.clone().narrow(1, 0, CHANNELS));
        if first {
            return (colours, place);
        }
        let cover = sigmoid(layer.narrow(1, CHANNELS, 1)) * grid.inside();
        (canvas * (cover.clone() * -1.0 + 1.0) + colours * cover, place)
    }

    /// The picture and the error image inside the frame [picture, glimpse].
    fn glimpse(
        &self,
        config: &LayeredConfig,
        frames: &Tensor<2>,
        image: &Tensor<4>,
        shown: &Tensor<4>,
    ) -> Tensor<2> {
        let grid = Grid::reading(config, config.read_size, frames);
        let both = Tensor::cat(vec![image.clone(), image.clone() - shown.clone()], 1);
        let [batch, ..] = both.dims();
        grid.read(both).reshape([batch as i32, -1])
    }

    /// Pictures that go on to another layer begin with fresh states.
    fn next_layer(&self, state: State, layers: &[usize]) -> State {
        let device = state.canvas.device();
        let batch = layers.len();
        let changed: Vec<f32> =
            state.layers.iter().zip(layers).map(|(before, now)| f32::from(before != now)).collect();
        let changed: Tensor<2> = on_device(changed, [batch, 1], &device);
        let kinds: Vec<usize> = layers.iter().map(|layer| usize::from(*layer > 0)).collect();
        let mix =
            |old: Tensor<2>, new: Tensor<2>| old * (changed.clone() * -1.0 + 1.0) + new * changed.clone();
        let renew = |old: LstmState, initial: Tensor<2>| {
            let hidden = initial.select(0, indices(kinds.clone(), &device));
            LstmState { cell: mix(old.cell.clone(), old.cell.zeros_like()), hidden: mix(old.hidden, hidden) }
        };
        State {
            decoder: renew(state.decoder.clone(), self.generative_initial_hidden.val()),
            encoder: renew(state.encoder.clone(), self.inference_initial_hidden.val()),
            layers: layers.to_vec(),
            ..state
        }
    }
}

/// The whole canvas as frame and window [picture, 6]: there is no square to show.
pub fn whole_window(pictures: usize, device: &Device) -> Tensor<2> {
    Tensor::<2>::from_floats([[0.0, 0.0, 1.0, 0.0, 0.0, 1.0]], device).expand([pictures, 6])
}

/// A canvas with its picture's change of colours: `c + A c + b` in every pixel.
pub fn shown(canvas: &Tensor<4>, style: &Option<Tensor<2>>) -> Tensor<4> {
    let Some(style) = style else { return canvas.clone() };
    let [batch, channels, height, width] = canvas.dims();
    let matrix = style.clone().narrow(1, 0, 9).reshape([batch, channels, channels]);
    let offset = style.clone().narrow(1, 9, 3).reshape([batch, channels, 1]);
    let flat = canvas.clone().reshape([batch, channels, height * width]);
    (flat.clone() + matrix.matmul(flat) + offset).reshape([batch, channels, height, width])
}
