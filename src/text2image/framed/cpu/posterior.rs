//! The posterior of the frames' latents: it looks at the picture in the frame that the sentence gives.

use super::super::Slots;
use super::super::drawing::POSTERIOR_LOG_STD;
use super::super::window::{glimpse_backward, glimpse_window};
use super::frames::FRAME;
use super::layers::{layer, layer_backward, tanh_backward};
use super::values::FramedValues;
use super::weights::Weights;
use crate::kernels::gaussian;
use crate::kernels::math::tanh;

/// The posteriors of the latents of the slots that are used.
#[derive(Default)]
pub struct Posterior {
    /// Which slots these are, of batch · slot.
    used: Vec<usize>,
    /// The frames that are looked at [used, 3].
    frames: Vec<f32>,
    /// Filter banks of the glimpses [used, bank].
    banks: Vec<f32>,
    /// `F_y` times the planes [used, channel · G · width].
    rows: Vec<f32>,
    /// Glimpses [used, CG²].
    glimpses: Vec<f32>,
    /// Hidden layer [used, F].
    hidden: Vec<f32>,
    /// Mean, then log standard deviation [used, 4].
    gaussians: Vec<f32>,
}

impl Posterior {
    /// The slots that are used, of batch · slot.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        self.used.iter().copied()
    }

    /// Looks at the images [batch, CHW] in raw frames [batch · slot, 3].
    pub fn look(&mut self, weights: &Weights, slots: &Slots, frames: &[f32], images: &[f32]) {
        let (config, values) = (&weights.config, &weights.values);
        let k = config.max_drawn;
        let used = |(b, drawn): (usize, &Vec<usize>)| (b * k)..(b * k + drawn.len());
        self.used = slots.positions.iter().enumerate().flat_map(used).collect();
        self.frames = self.used.iter().flat_map(|slot| &frames[slot * FRAME..][..FRAME]).copied().collect();
        let geometry = config.geometry(config.frame_read_size);
        let (bank_len, rows_len) = (geometry.bank_len(), config.channels * geometry.size * config.width);
        let (image_len, glimpse_len) = (images.len() / slots.positions.len(), config.frame_glimpse_len());
        self.banks.resize(self.used.len() * bank_len, 0.0);
        self.rows.resize(self.used.len() * rows_len, 0.0);
        self.glimpses.resize(self.used.len() * glimpse_len, 0.0);
        for (at, slot) in self.used.iter().enumerate() {
            let window = glimpse_window(config, &self.frames[at * FRAME..][..FRAME]);
            let banks = &mut self.banks[at * bank_len..][..bank_len];
            geometry.fill(&window, banks);
            let image = &images[slot / k * image_len..][..image_len];
            let rows = &mut self.rows[at * rows_len..][..rows_len];
            let glimpse = &mut self.glimpses[at * glimpse_len..][..glimpse_len];
            geometry.read(&window, banks, image.chunks_exact(config.height * config.width), rows, glimpse);
        }
        let bias = &values.frame_posterior_hidden_bias;
        layer(&mut self.hidden, &self.glimpses, &values.frame_posterior_hidden, bias);
        self.hidden.iter_mut().for_each(|x| *x = tanh(*x));
        layer(&mut self.gaussians, &self.hidden, &values.frame_posterior, &values.frame_posterior_bias);
        for gaussian in self.gaussians.chunks_exact_mut(4) {
            gaussian[2..].iter_mut().for_each(|log_std| *log_std += POSTERIOR_LOG_STD);
        }
    }

    /// A sample of the `at`th used slot's latent, and its KL from the prior of this log standard deviation, nats.
    pub fn sample(&self, at: usize, prior: &[f32], noise: &[f32]) -> ([f32; 2], f64) {
        let (mean, log_std) = self.gaussians[at * 4..][..4].split_at(2);
        let mut moved = [0.0; 2];
        gaussian::sample(&mut moved, mean, log_std, noise);
        (moved, gaussian::kl(mean, log_std, &[0.0; 2], prior))
    }

    /// The gradients of the posterior, mean then log standard deviation, and of the prior's log standard deviation, from
    /// the sample's and `scale` times the KL.
    pub fn sample_backward(
        &self,
        at: usize,
        scale: f32,
        prior: &[f32],
        noise: &[f32],
        d_latent: &[f32],
    ) -> ([f32; 4], [f32; 2]) {
        let (mean, log_std) = self.gaussians[at * 4..][..4].split_at(2);
        let (mut d, mut d_prior_mean, mut d_prior) = ([0.0; 4], [0.0; 2], [0.0; 2]);
        let (d_mean, d_log_std) = d.split_at_mut(2);
        gaussian::backward(
            scale,
            mean,
            log_std,
            &[0.0; 2],
            prior,
            noise,
            d_latent,
            d_mean,
            d_log_std,
            &mut d_prior_mean,
            &mut d_prior,
        );
        (d, d_prior)
    }

    /// The gradients of the frames that were looked at [used, 3], from those of the posteriors [used, 4]; adds those of the
    /// weights.
    pub fn look_backward(
        &self,
        weights: &Weights,
        images: &[f32],
        d_gaussians: &[f32],
        gradients: &mut FramedValues,
    ) -> Vec<f32> {
        let (config, values) = (&weights.config, &weights.values);
        let FramedValues { frame_posterior, frame_posterior_bias, .. } = gradients;
        let weight = &values.frame_posterior;
        let mut d_hidden =
            layer_backward(d_gaussians, &self.hidden, weight, frame_posterior, frame_posterior_bias);
        tanh_backward(&mut d_hidden, &self.hidden);
        let FramedValues { frame_posterior_hidden: d_weight, frame_posterior_hidden_bias: d_bias, .. } =
            gradients;
        let weight = &values.frame_posterior_hidden;
        let d_glimpses = layer_backward(&d_hidden, &self.glimpses, weight, d_weight, d_bias);
        let (geometry, k) = (config.geometry(config.frame_read_size), config.max_drawn);
        let (bank_len, plane) = (geometry.bank_len(), config.height * config.width);
        let (cells, rows_len) = (geometry.size * geometry.size, geometry.size * config.width);
        let mut d_banks = vec![0.0; bank_len];
        let mut d_frames = vec![0.0; self.frames.len()];
        for (at, slot) in self.used.iter().enumerate() {
            let frame = &self.frames[at * FRAME..][..FRAME];
            let window = glimpse_window(config, frame);
            let banks = &self.banks[at * bank_len..][..bank_len];
            d_banks.fill(0.0);
            for channel in 0..config.channels {
                let image = &images[(slot / k * config.channels + channel) * plane..][..plane];
                let at = at * config.channels + channel;
                let rows = &self.rows[at * rows_len..][..rows_len];
                let d = &d_glimpses[at * cells..][..cells];
                geometry.banks_backward(&window, banks, image, rows, d, &mut d_banks);
            }
            let d_window = geometry.fill_backward(&window, banks, &d_banks);
            glimpse_backward(config, frame, &d_window, &mut d_frames[at * FRAME..][..FRAME]);
        }
        d_frames
    }
}
