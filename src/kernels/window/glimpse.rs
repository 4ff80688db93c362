//! Glimpses of an image and of what a canvas lacks of it, and patches written to a canvas: the two uses of a window, with
//! their gradients.

use super::{Geometry, Window};
use crate::kernels::math::dot;

/// What the backward passes of one window after the other need room for.
pub struct WindowWork {
    /// Of both filter banks.
    pub d_banks: Vec<f32>,
    rows: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    image: Vec<f32>,
}

impl WindowWork {
    /// Room for windows of a geometry.
    pub fn new(geometry: &Geometry) -> Self {
        let cells = geometry.size * geometry.size;
        Self {
            d_banks: vec![0.0; geometry.bank_len()],
            rows: vec![0.0; geometry.size * geometry.width],
            first: vec![0.0; cells],
            second: vec![0.0; cells],
            image: vec![0.0; geometry.height * geometry.width],
        }
    }
}

impl Geometry {
    /// Floats of an image's plane.
    fn plane(&self) -> usize {
        self.height * self.width
    }

    /// `γ [read(x) ; read(x − drawn)]` [2, channel, N, N] of an image and of what a canvas shows, both [channel, height,
    /// width]. `rows` [2, channel, N, width] holds `F_y` times the planes of both afterwards.
    pub fn glimpse(
        &self,
        window: &Window,
        banks: &[f32],
        [image, drawn]: [&[f32]; 2],
        rows: &mut [f32],
        out: &mut [f32],
    ) {
        let planes = image.chunks_exact(self.plane()).chain(drawn.chunks_exact(self.plane()));
        self.read(window, banks, planes, rows, out);
        let (seen, error) = out.split_at_mut(out.len() / 2);
        for (seen, error) in seen.iter_mut().zip(error) {
            *seen *= window.intensity;
            *error = *seen - window.intensity * *error;
        }
    }

    /// The backward pass of [`Self::glimpse`]: adds to `d_canvas`, of the logits whose σ is `drawn`, and leaves the
    /// banks' gradient in `work`.
    #[allow(clippy::too_many_arguments)]
    pub fn glimpse_backward(
        &self,
        window: &Window,
        banks: &[f32],
        [image, drawn]: [&[f32]; 2],
        rows: &[f32],
        d_glimpse: &[f32],
        d_canvas: &mut [f32],
        work: &mut WindowWork,
    ) {
        let WindowWork { d_banks, first: d_seen, second: d_drawn, image: d_image, .. } = work;
        let (plane, cells, rows_len) = (self.plane(), self.size * self.size, self.size * self.width);
        let channels = image.len() / plane;
        d_banks.fill(0.0);
        for channel in 0..channels {
            let at = channel * plane;
            let d_first = &d_glimpse[channel * cells..][..cells];
            let d_error = &d_glimpse[(channels + channel) * cells..][..cells];
            for k in 0..cells {
                d_seen[k] = window.intensity * (d_first[k] + d_error[k]);
                d_drawn[k] = -window.intensity * d_error[k];
            }
            let rows = |plane: usize| &rows[plane * rows_len..][..rows_len];
            let (rows_seen, rows_drawn) = (rows(channel), rows(channels + channel));
            let drawn = &drawn[at..][..plane];
            self.banks_backward(window, banks, &image[at..][..plane], rows_seen, d_seen, d_banks);
            self.banks_backward(window, banks, drawn, rows_drawn, d_drawn, d_banks);
            d_image.fill(0.0);
            self.write(window, banks, 1.0, d_drawn, d_image);
            let d_canvas = &mut d_canvas[at..][..plane];
            for ((d_canvas, d_image), drawn) in d_canvas.iter_mut().zip(d_image.iter()).zip(drawn) {
                *d_canvas += d_image * drawn * (1.0 - drawn);
            }
        }
    }

    /// The backward pass of [`Self::write`] with `scale` 1/γ for one plane, from the gradient of what was written to:
    /// that of the patch, and γ's own, `⟨patch, d_patch⟩`, of which log γ takes the negative. Adds to the banks' gradient
    /// in `work`.
    pub fn write_backward(
        &self,
        window: &Window,
        banks: &[f32],
        patch: &[f32],
        d_image: &[f32],
        d_patch: &mut [f32],
        work: &mut WindowWork,
    ) -> f32 {
        let WindowWork { d_banks, rows, first: scaled, .. } = work;
        let scale = 1.0 / window.intensity;
        self.read(window, banks, [d_image], rows, d_patch);
        for ((scaled, d_patch), patch) in scaled.iter_mut().zip(d_patch.iter_mut()).zip(patch) {
            *d_patch *= scale;
            *scaled = scale * patch;
        }
        self.banks_backward(window, banks, d_image, rows, scaled, d_banks);
        dot(patch, d_patch)
    }
}
