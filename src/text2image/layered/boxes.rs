//! Where things stand in pictures to learn from: the frames' posterior.

use burn::tensor::Tensor;

use super::caption::Plan;
use super::expected::Expected;
use super::window::{FRAME, column, moved};
use crate::data::batch::NamedBox;
use crate::nn::gaussian::Gaussian;
use crate::nn::on_device;

/// Log standard deviation of a frame's posterior around its box, of centres in half-canvases and of log size: a tenth
/// of a pixel of 64.
const LOG_STD: f32 = -5.8;

/// The frames of what the layers of captions draw, as boxes in the pictures tell.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownFrames {
    /// Frames (x, y, size) [picture · layer, 3]; the whole canvas where nothing is known.
    frames: Vec<f32>,
    /// 1 where a box is known, else 0 [picture · layer].
    known: Vec<f32>,
}

impl KnownFrames {
    /// The nth of several of a kind has the nth box of their word.
    pub fn of(plan: &Plan, boxes: &[NamedBox]) -> Self {
        let found = plan.each_row(|picture, layers, at| {
            let layer = &layers.layers[at];
            let is_its = |named: &&NamedBox| named.image == picture && named.word == layer.word;
            if at == 0 { None } else { boxes.iter().filter(is_its).nth(layer.instance) }
        });
        let frame = |named: &Option<&NamedBox>| {
            let [left, top, right, bottom] = named.map_or([0.0, 0.0, 1.0, 1.0], |named| named.edges);
            [left + right - 1.0, top + bottom - 1.0, (right - left).max(bottom - top)]
        };
        Self {
            frames: found.iter().flat_map(frame).collect(),
            known: found.iter().map(|named| f32::from(named.is_some())).collect(),
        }
    }

    /// Frames from the posterior, a sharp Gaussian around the box, and the KL of each from its prior given those of the
    /// layers before, nats [picture, layer]; where no box is known, the expected frame and 0. `noise` is [row, 3].
    pub fn posterior(&self, expected: &Expected, noise: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let device = noise.device();
        let all = self.known.len();
        let boxes: Tensor<2> = on_device(self.frames.clone(), [all, FRAME], &device);
        let known: Tensor<2> = on_device(self.known.clone(), [all, 1], &device);
        let off = boxes.clone().narrow(1, 0, 2) - expected.frames.clone().narrow(1, 0, 2);
        let scale = column(&boxes, 2).log() - column(&expected.frames, 2).log();
        let mean = Tensor::cat(vec![off, scale], 1) * known.clone();
        let prior = expected.given(&mean);
        let posterior = Gaussian { log_std: mean.zeros_like() + LOG_STD, mean };
        let kl =
            (posterior.kl(&prior).unsqueeze_dim::<2>(1) * known.clone()).reshape([-1, expected.each as i32]);
        let frames = moved(&boxes, noise * LOG_STD.exp()) * known.clone();
        (frames + expected.frames.clone() * (known * -1.0 + 1.0), kl)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::data::batch::Lesson;
    use crate::data::noise::Noise;
    use crate::data::scene_pictures::ScenePictures;
    use crate::data::scenes::Bans;
    use crate::data::source::Source;
    use crate::model::CaptionIds;
    use crate::nn::floats;
    use crate::text2image::layered::{LayeredConfig, presets};

    fn plan(config: &LayeredConfig, ids: &[usize], words: usize) -> Plan {
        let captions = CaptionIds { ids: ids.to_vec(), batch: ids.len() / words, words };
        Plan::of(config, &captions).expect("captions that name what is drawn")
    }

    /// Whatever painters learn from, each thing has a box of its own.
    #[test]
    fn every_thing_of_a_picture_to_learn_from_has_its_box() {
        let config = presets::scenes().config;
        let pictures = ScenePictures::new(Bans::draw(1));
        let mut noise = Noise::new(4);
        let mut things = 0;
        for _ in 0..40 {
            let batch = pictures.training_batch(8, &mut noise, Lesson::Everything);
            let plan = plan(&config, &batch.ids, batch.words);
            let found = KnownFrames::of(&plan, &batch.boxes);
            assert_eq!(found.known, plan.things());
            let frames: Vec<&[f32]> = found.frames.chunks(FRAME).collect();
            for (row, frame) in frames.iter().enumerate().filter(|(row, _)| found.known[*row] > 0.0) {
                things += 1;
                assert!((0.25..0.9).contains(&frame[2]), "{frame:?}");
                assert!(row == 0 || frames[row - 1] != *frame, "two things in one place: {frame:?}");
            }
        }
        assert!(things > 400, "{things}");
    }

    /// The KL by hand, and a frame that lies where the box is.
    #[test]
    fn the_posterior_is_a_sharp_gaussian_around_the_box() {
        let config = LayeredConfig::tiny();
        // Word 3 is a thing, 1 a place.
        let plan = plan(&config, &[3, 1], 2);
        let known = KnownFrames::of(&plan, &[NamedBox { image: 0, word: 0, edges: [0.25, 0.5, 0.75, 1.0] }]);
        assert_eq!(known, KnownFrames { frames: vec![0.0, 0.0, 1.0, 0.0, 0.5, 0.5], known: vec![0.0, 1.0] });
        let device = Device::flex();
        let table = |rows: [[f32; 3]; 2]| Tensor::<2>::from_floats(rows, &device);
        let expected = Expected {
            frames: table([[0.0, 0.0, 1.0], [0.1, 0.5, 0.25]]),
            log_std: table([[0.0; 3], [-2.0; 3]]),
            before: vec![0, 1],
            follows: table([[0.0; 3]; 2]),
            each: 2,
        };
        let (frames, kl) = known.posterior(&expected, table([[0.0; 3]; 2]));
        let close = |a: f32, b: f32| (a - b).abs() < 1e-4 * b.abs().max(1.0);
        let frames = floats(frames.into_data());
        assert!(frames.iter().zip(&known.frames).all(|(a, b)| close(*a, *b)), "{frames:?}");
        let of = |mean: f32| {
            LOG_STD.abs() - 2.0 + ((2.0 * LOG_STD).exp() + mean * mean) / (2.0 * (-4.0f32).exp()) - 0.5
        };
        let kl = floats(kl.into_data());
        let expected = of(0.1) + of(0.0) + of(2f32.ln());
        assert!(kl[0] == 0.0 && close(kl[1], expected), "{kl:?}, {expected}");
    }
}
