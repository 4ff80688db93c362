//! The alignment in burn tensors: vectors of regions and of words. Training and ranking run the same code.

use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::{Align, AlignConfig};
use crate::error::Result;
use crate::image2text::dropout::Masks;
use crate::image2text::windows;
use crate::nn::indices;
use crate::nn::packed::Packed;

impl Align {
    /// `v_i` of the regions of pictures [picture, region, size].
    ///
    /// **Equation** `v = W_m f + b_m`, f the average of the features of a region's cells (eq. 1).
    ///
    /// **Errors** [`crate::error::Error::Config`] when these are not whole pictures.
    pub fn regions(&self, config: &AlignConfig, pictures: &[f32], masks: &mut Masks) -> Result<Tensor<3>> {
        let device: Device = self.device();
        let averages = config.features.averages(pictures, &windows::averages(&device), &device)?;
        let [pictures, regions, channels] = averages.dims();
        let vectors = self.region.forward(averages.reshape([pictures * regions, channels]));
        Ok(masks.drop(vectors, config.dropout).reshape([pictures, regions, config.size]))
    }

    /// `s_t` of words [word, size], in packed order.
    ///
    /// **Equation** `e = f(W_e x + b_e)`, `h^f_t = f(e_t + W_f h^f_{t−1} + b_f)`, `h^b_t = f(e_t + W_b h^b_{t+1} + b_b)`,
    /// `s_t = W_d (h^f_t + h^b_t) + b_d`, f = ReLU (eq. 2 to 6).
    ///
    /// **Deviations** The paper has f around s_t, too, and word vectors that were learned elsewhere and stay as they
    /// are; here s_t may be negative, so that a word can speak against a region, and x is learned.
    pub fn words(&self, config: &AlignConfig, packed: &Packed, masks: &mut Masks) -> Tensor<2> {
        let ids = indices(packed.ids().to_vec(), &self.device());
        let read = relu(self.word.forward(self.embedding.val().select(0, ids)));
        let read = masks.drop(read, config.dropout);
        let forward =
            packed.forward(&read, config.size, |word, state| relu(word + self.forward.forward(state)));
        let backward =
            packed.backward(&read, config.size, |word, state| relu(word + self.backward.forward(state)));
        self.output.forward(forward.packed() + backward.packed())
    }
}
