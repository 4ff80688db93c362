//! Where a caption has its layers stand: the frames' prior.

use burn::module::Module;
use burn::tensor::{Tensor, activation::relu};

use super::boxes::KnownFrames;
use super::caption::{Plan, Readings};
use super::composition::{Asked, stacked};
use super::window::{FRAME, frames, largest, moved};
use super::{Layered, LayeredConfig};
use crate::nn::gaussian::Gaussian;
use crate::nn::{affine, indices, on_device};

/// Log standard deviation with which a frame's latents start, half-canvases and of log size.
const FRAME_LOG_STD: f32 = -3.0;

/// The prior of a batch's frames, [picture · layer, …].
///
/// **Equation** of the deviation d of a layer i from its expected frame: `d_i ~ N(f_i d_{b(i)}, σ_i²)`.
pub struct Expected {
    /// Frames (x, y, size) [row, 3].
    pub frames: Tensor<2>,
    /// log σ, of centres in half-canvases and of log size [row, 3].
    pub log_std: Tensor<2>,
    /// b, the row with whose frame each deviates; its own where there is none [row].
    pub before: Vec<usize>,
    /// f, how far it does; 0 where there is none [row, 3].
    pub follows: Tensor<2>,
    /// Rows of a picture.
    pub each: usize,
}

impl Expected {
    /// The prior of each layer's deviation where those [row, 3] of all layers are known.
    pub fn given(&self, deviations: &Tensor<2>) -> Gaussian {
        let before = deviations.clone().select(0, indices(self.before.clone(), &deviations.device()));
        Gaussian { mean: self.follows.clone() * before, log_std: self.log_std.clone() }
    }

    /// Frames drawn from the prior: `noise` [row, 3], 0 for places.
    pub fn drawn(&self, noise: Tensor<2>) -> Tensor<2> {
        let own = self.log_std.clone().exp() * noise;
        let before = indices(self.before.clone(), &own.device());
        let mut deviations = own.clone();
        // Each time those are right that are one layer further from one that follows none; places are none's.
        for _ in 2..self.each {
            deviations = own.clone() + self.follows.clone() * deviations.select(0, before.clone());
        }
        moved(&self.frames, deviations)
    }
}

impl Layered {
    /// Where the layers are expected: of the states [reading · row, P] of the network that places them, and of what
    /// each is said to be [picture · layer, H].
    pub(super) fn expected(
        &self,
        config: &LayeredConfig,
        plan: &Plan,
        readings: &Readings,
        states: Tensor<2>,
        said: &Tensor<2>,
    ) -> Expected {
        let device = states.device();
        let states = match readings.exchanged(config) {
            Some(rows) => states.select(0, indices(rows, &device)),
            None => states,
        };
        let asked = AskedRows::of(plan, readings);
        let changes = self.frame_changes(&asked, &states, said);
        let of_asked = indices(asked.readings.clone(), &device);
        let placed = self.placed(readings, &states).select(0, of_asked.clone());
        let frames = plan.over_others(moved(&placed, changes.clone().narrow(1, 0, FRAME)));
        let layers = plan.pictures.len() * plan.rows;
        let log_std = affine(&states, &self.frame_prior, &self.frame_prior_bias).select(0, of_asked);
        let log_std = log_std + changes.clone().narrow(1, FRAME, FRAME) + FRAME_LOG_STD;
        let follows = changes.narrow(1, 2 * FRAME, FRAME);
        let (log_std, follows) = plan.deviating_with_others(log_std, follows);
        let before = plan.before();
        let has_one = before.iter().map(|before| f32::from(before.is_some())).collect();
        let has_one: Tensor<2> = on_device(has_one, [layers, 1], &device);
        // The place fills the canvas.
        let things: Tensor<2> = on_device(plan.things(), [layers, 1], &device);
        let whole = Tensor::<2>::from_floats([[0.0, 0.0, 1.0]], &device);
        Expected {
            frames: frames * things.clone() + whole * (things * -1.0 + 1.0),
            log_std,
            follows: follows * has_one,
            before: before.iter().enumerate().map(|(row, before)| before.unwrap_or(row)).collect(),
            each: plan.rows,
        }
    }

    /// Frames as the sentences alone have them [reading · row, 3].
    fn placed(&self, readings: &Readings, states: &Tensor<2>) -> Tensor<2> {
        let device = states.device();
        let raw = affine(states, &self.frame, &self.frame_bias);
        let anchors = readings.each_row(|_, reading, row| {
            let row = reading.rows[row];
            row.count * (row.count - 1) / 2 + row.instance
        });
        let anchors = self.anchors.val().select(0, indices(anchors, &device));
        let most = readings.each_row(|_, reading, _| largest(reading.rows.len() - 1));
        let rows = most.len();
        frames(&raw, anchors, on_device(most, [rows, 1], &device))
    }

    /// What is asked, of the placing states and of what the things are: how far a frame is from where the sentence alone
    /// has it (of a thing whose feet are higher than others', or which sits on a high seat), its log σ from that, and
    /// how far it follows [asked, 9].
    fn frame_changes(&self, asked: &AskedRows, states: &Tensor<2>, said: &Tensor<2>) -> Tensor<2> {
        let device = states.device();
        let select = |table: Tensor<2>, rows: &[usize]| table.select(0, indices(rows.to_vec(), &device));
        let placing = affine(states, &self.frame_hidden, &self.frame_hidden_bias);
        let own = select(said.clone().matmul(self.frame_own.val()), &asked.own);
        let other = select(said.clone().matmul(self.frame_other.val()), &asked.other);
        let paired: Tensor<2> = on_device(asked.paired.clone(), [asked.paired.len(), 1], &device);
        let hidden = relu(select(placing, &asked.readings) + own + other * paired);
        affine(&hidden, &self.frame_change, &self.frame_change_bias)
    }

    /// The bound's term of the frames alone, nats [picture]; what layers are said to be is not learned from it.
    pub(super) fn frames_alone(
        &self,
        config: &LayeredConfig,
        plan: &Plan,
        known_frames: &KnownFrames,
        noise: Tensor<2>,
    ) -> Tensor<1> {
        let device = self.frame_bias.val().device();
        let said = self.clone().no_grad().said_of(config, plan, &device);
        let readings = Readings::of(plan);
        let states = self.placing_states(config, &readings, &device);
        let expected = self.expected(config, plan, &readings, states, &said);
        known_frames.posterior(&expected, noise).1.sum_dim(1).squeeze_dim::<1>(1)
    }
}

/// What is asked of readings: of each layer of each picture where it lies, then of each stack where one that is over another
/// lies, and the other.
struct AskedRows {
    /// Rows of readings.
    readings: Vec<usize>,
    /// Rows of layers: which lies there.
    own: Vec<usize>,
    /// Rows of layers: what the other thing of a pair is, any where there is none.
    other: Vec<usize>,
    /// 1 where there is one.
    paired: Vec<f32>,
}

impl AskedRows {
    fn of(plan: &Plan, readings: &Readings) -> Self {
        let mut rows = Self { readings: Vec::new(), own: Vec::new(), other: Vec::new(), paired: Vec::new() };
        let firsts: Vec<usize> = plan
            .compositions
            .iter()
            .scan(0, |next, composition| {
                *next += composition.readings.len();
                Some(*next - composition.readings.len())
            })
            .collect();
        let mut ask = |picture: usize, Asked { row: [reading, row], layer, other }: Asked| {
            let first = picture * plan.rows;
            rows.readings.push((firsts[picture] + reading) * readings.each + row);
            rows.own.push(first + layer);
            rows.other.push(first + other.unwrap_or(layer));
            rows.paired.push(f32::from(other.is_some()));
        };
        plan.each_row(|picture, _, layer| ask(picture, plan.compositions[picture].asked(layer)));
        for (picture, composition) in plan.compositions.iter().enumerate() {
            composition.stacks.iter().flat_map(|stack| stack.asked()).for_each(|asked| ask(picture, asked));
        }
        rows
    }
}

impl Plan {
    /// Of what was asked [layers, then those of stacks, 3] the frames of layers, moved over other things where some are.
    fn over_others(&self, asked: Tensor<2>) -> Tensor<2> {
        let layers = self.pictures.len() * self.rows;
        let mut frames = asked.clone().narrow(0, 0, layers);
        let mut pair = layers;
        for (picture, composition) in self.compositions.iter().enumerate() {
            if composition.stacks.is_empty() {
                continue;
            }
            let first = picture * self.rows;
            let rows = first..first + composition.rows.len();
            let pairs = asked.clone().narrow(0, pair, 2 * composition.stacks.len());
            pair += 2 * composition.stacks.len();
            let moved = stacked(composition, &frames.clone().slice([rows.clone()]), &pairs);
            frames = frames.slice_assign([rows, 0..FRAME], moved);
        }
        frames
    }

    /// Of log σ and f of what was asked [layers, then those of stacks, 3] those of layers.
    ///
    /// **Equation** of a pair, in which the lower follows the upper: `d_u ~ N(0, σ_u²)`, `d_l ~ N(f d_u, σ_l²)`. The lower
    /// alone has the variance `v = f² σ_u² + σ_l²`, and the upper then `d_u ~ N(f σ_u² / v · d_l, σ_u² σ_l² / v)`.
    fn deviating_with_others(&self, log_std: Tensor<2>, follows: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let layers = self.pictures.len() * self.rows;
        let of_layers = |asked: &Tensor<2>| asked.clone().narrow(0, 0, layers);
        let (mut found, mut gains) = (of_layers(&log_std), of_layers(&follows));
        let row = |table: &Tensor<2>, at: usize| table.clone().narrow(0, at, 1);
        let mut pair = layers;
        for (picture, composition) in self.compositions.iter().enumerate() {
            for stack in &composition.stacks {
                let (upper, lower) = (row(&log_std, pair), row(&log_std, pair + 1));
                let follows = row(&follows, pair + 1);
                let variance = (upper.clone() * 2.0).exp();
                let own = (lower.clone() * 2.0).exp();
                let log_alone = (follows.clone() * follows.clone() * variance.clone() + own).log() * 0.5;
                let gain = follows * variance / (log_alone.clone() * 2.0).exp();
                let put = |table: &mut Tensor<2>, layer: usize, value: &Tensor<2>| {
                    let at = picture * self.rows + layer;
                    *table = table.clone().slice_assign([at..at + 1, 0..FRAME], value.clone());
                };
                let given = upper + lower - log_alone.clone();
                for &layer in &stack.upper {
                    put(&mut found, layer, &given);
                    put(&mut gains, layer, &gain);
                }
                if composition.rows[stack.lower.start] == [stack.pair, 2] {
                    put(&mut found, stack.lower.start, &log_alone);
                }
                pair += 2;
            }
        }
        (found, gains)
    }

    /// The row with whose frame that of each layer deviates [picture · layer].
    fn before(&self) -> Vec<Option<usize>> {
        self.each_row(|picture, _, layer| {
            self.compositions[picture].before(layer).map(|before| picture * self.rows + before)
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::data::scenes::caption::vocabulary as scene_vocabulary;
    use crate::model::CaptionIds;
    use crate::nn::floats;
    use crate::text2image::layered::presets;

    /// Two pictures of a place and two things.
    fn expected() -> Expected {
        let device = Device::flex();
        let table = |rows: [[f32; 3]; 6]| Tensor::<2>::from_floats(rows, &device);
        let (place, thing) = ([0.0, 0.0, 1.0], [0.1, 0.2, 0.5]);
        Expected {
            frames: table([place, thing, thing, place, thing, thing]),
            log_std: table([[0.0; 3], [-1.0; 3], [-2.0; 3], [0.0; 3], [-3.0; 3], [-1.5; 3]]),
            before: vec![0, 1, 1, 3, 4, 4],
            follows: table([[0.0; 3], [0.0; 3], [1.0, 0.5, 0.0], [0.0; 3], [0.0; 3], [-2.0, 0.0, 1.0]]),
            each: 3,
        }
    }

    /// What is drawn deviates from what is then given by the noise that it was drawn with.
    #[test]
    fn frames_are_drawn_from_the_prior_that_judges_them() {
        let (expected, device) = (expected(), Device::flex());
        let noise =
            [[0.0; 3], [0.3, -0.2, 0.1], [0.5, 1.0, -1.0], [0.0; 3], [1.0, 0.5, 0.2], [-0.4, 0.1, 0.7]];
        let frames = expected.drawn(Tensor::from_floats(noise, &device));
        let centre = |frames: &Tensor<2>| frames.clone().narrow(1, 0, 2);
        let size = |frames: &Tensor<2>| frames.clone().narrow(1, 2, 1).log();
        let deviations = Tensor::cat(
            vec![centre(&frames) - centre(&expected.frames), size(&frames) - size(&expected.frames)],
            1,
        );
        let prior = expected.given(&deviations);
        let found = floats(((deviations - prior.mean) / prior.log_std.exp()).into_data());
        let close = found.iter().zip(noise.as_flattened()).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close, "{found:?}");
    }

    #[test]
    fn a_frame_follows_the_one_before_in_its_own_picture() {
        let (expected, device) = (expected(), Device::flex());
        let deviations = [[9.0; 3], [0.1, 0.2, 0.3], [0.0; 3], [7.0; 3], [0.4, 0.5, 0.6], [0.0; 3]];
        let mean = floats(expected.given(&Tensor::from_floats(deviations, &device)).mean.into_data());
        let of = |row: usize| &mean[3 * row..][..3];
        assert_eq!((of(1), of(4)), (&[0.0; 3][..], &[0.0; 3][..]));
        assert_eq!((of(2), of(5)), (&[0.1, 0.1, 0.0][..], &[-0.8, 0.0, 0.6][..]));
    }

    /// A cat on a car next to a dog deviates with the car as a cat on a car does, whichever is placed first.
    #[test]
    fn what_is_over_another_deviates_with_it() {
        let config = presets::scenes().config;
        let ids =
            scene_vocabulary().tokens("a cat on a car next to a dog in the snow").expect("known words").ids;
        let captions = CaptionIds { batch: 1, words: ids.len(), ids };
        let plan = Plan::of(&config, &captions).expect("a caption that names what is drawn");
        assert_eq!(plan.before(), [None, Some(2), None, Some(2)]);
        let device = Device::flex();
        // The place, the cat, the car and the dog, then the cat and the car of a cat on a car.
        let (upper, lower, f) = ([-1.0f32, -2.0, -3.0], [-1.5f32, -1.0, -3.0], [0.8f32, -0.5, 0.0]);
        let rows = |of_upper, of_lower| {
            Tensor::<2>::from_floats([[0.0; 3], of_upper, [-2.0; 3], [0.3; 3], of_upper, of_lower], &device)
        };
        let (log_std, follows) = plan.deviating_with_others(rows(upper, lower), rows([0.0; 3], f));
        let (log_std, follows) = (floats(log_std.into_data()), floats(follows.into_data()));
        assert_eq!((&log_std[6..], &follows[9..]), (&[-2.0, -2.0, -2.0, 0.3, 0.3, 0.3][..], &[0.3; 3][..]));
        let close = |a: f32, b: f32| (a - b).abs() < 1e-5;
        for k in 0..3 {
            let variance = |log_std: f32| (2.0 * log_std).exp();
            let of_lower = f[k] * f[k] * variance(upper[k]) + variance(lower[k]);
            let (gain, own) = (follows[3 + k], variance(log_std[3 + k]));
            assert!(close(gain * of_lower, f[k] * variance(upper[k])), "covariance {k}");
            assert!(close(gain * gain * of_lower + own, variance(upper[k])), "variance {k}");
        }
    }
}
