//! Which square stands where: an autoregressive prior over codes.

use burn::module::{Module, Param};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Int, Tensor};

use super::CodesConfig;
use crate::nn::layer::Layer;
use crate::nn::start::Start;

/// Which codes before it a code hears, in rows and columns from its own. A column more to the right for each two rows up
/// would be drawn together with it (`fronts`).
pub const NEIGHBOURS: [[isize; 2]; 12] = [
    [0, -1],
    [0, -2],
    [0, -3],
    [-1, -2],
    [-1, -1],
    [-1, 0],
    [-1, 1],
    [-2, -1],
    [-2, 0],
    [-2, 1],
    [-2, 2],
    [-3, 0],
];
/// The code before it in its row, up to which the sum of the row is heard.
pub const LEFT: [isize; 2] = NEIGHBOURS[0];
/// The neighbours, and the sum of all to the left in its row.
pub const CONTEXT: usize = NEIGHBOURS.len() + 1;
/// Standard deviation with which embeddings begin.
const EMBEDDING_STD: f32 = 0.3;
/// What the sum of a row is divided by, so that it is about as large as an embedding.
pub const SUM_SCALE: f32 = 4.0;
/// Codes beyond the canvas on the left, above and on the right that neighbours reach to.
const MARGIN: [usize; 3] = [3, 3, 2];

/// The weights of the prior.
#[derive(Module, Debug)]
pub struct Prior {
    /// Of each code, and of what lies outside [K+1, E].
    pub embedding: Param<Tensor<2>>,
    /// Where a code lies → first hidden layer [row · column, U].
    pub position: Param<Tensor<2>>,
    /// What stands before it → first hidden layer [13E, U].
    pub context: Layer,
    /// What the place is said to be → first hidden layer [H, U].
    pub said: Layer,
    /// [U, U].
    pub hidden: Layer,
    /// [U, K].
    pub codes: Layer,
}

/// What is known of codes before they are drawn.
pub struct Seen {
    /// Embeddings of what stands before them [code, 13E].
    pub context: Tensor<2>,
    /// What their places are said to be and where they lie, as the hidden layer hears it [code, U].
    pub told: Tensor<2>,
}

impl Prior {
    /// Fresh weights for a canvas of [rows, columns] codes.
    pub fn fresh(config: &CodesConfig, [rows, columns]: [usize; 2], said: usize, start: &mut Start) -> Self {
        let CodesConfig { codes, embedding_size, hidden_size, .. } = *config;
        Self {
            embedding: start.normal([codes + 1, embedding_size], EMBEDDING_STD),
            position: start.normal([rows * columns, hidden_size], 0.1),
            context: Layer::rectified(CONTEXT * embedding_size, hidden_size, start),
            said: Layer::fresh(said, hidden_size, start),
            hidden: Layer::rectified(hidden_size, hidden_size, start),
            codes: Layer::fresh(hidden_size, codes, start),
        }
    }

    /// Scores of each code before they are normalised [code, K].
    pub fn scores(&self, seen: &Seen) -> Tensor<2> {
        let first = self.context.forward(&seen.context) + seen.told.clone();
        self.codes.forward(&relu(self.hidden.forward(&relu(first))))
    }

    /// −log p of each of the codes [picture · row · column] of pictures whose places are said to be `said`
    /// [picture, H], nats, all at once. `heard` is what codes hear of those before them: the codes themselves, but
    /// for mistakes that they learn to mend.
    pub fn nats(
        &self,
        codes: &Tensor<1, Int>,
        heard: &Tensor<1, Int>,
        said: &Tensor<2>,
        cells: [usize; 2],
    ) -> Tensor<1> {
        let scores = log_softmax(self.all_scores(heard, said, cells), 1);
        scores.gather(1, codes.clone().unsqueeze_dim::<2>(1)).squeeze_dim::<1>(1).neg()
    }

    /// Scores of all codes of pictures whose codes are known [picture · row · column, K].
    pub fn all_scores(
        &self,
        codes: &Tensor<1, Int>,
        said: &Tensor<2>,
        [rows, columns]: [usize; 2],
    ) -> Tensor<2> {
        let [batch, _] = said.dims();
        let each = rows * columns;
        let embedded: Tensor<4> = self.embedding.val().select(0, codes.clone()).reshape([
            batch as i32,
            rows as i32,
            columns as i32,
            -1,
        ]);
        let [.., size] = embedded.dims();
        let context = self.context_of(embedded).reshape([batch * each, CONTEXT * size]);
        let said = self.said.forward(said).unsqueeze_dim::<3>(1);
        let told = said + self.position.val().unsqueeze_dim::<3>(0);
        self.scores(&Seen { context, told: told.flatten(0, 1) })
    }

    /// What stands before each of the codes [picture, row, column, E] → [picture, row, column, 13E].
    fn context_of(&self, embedded: Tensor<4>) -> Tensor<4> {
        let [batch, rows, columns, size] = embedded.dims();
        let [left, top, right] = MARGIN;
        let [codes, _] = self.embedding.val().dims();
        let outside: Tensor<4> = self.embedding.val().narrow(0, codes - 1, 1).reshape([1, 1, 1, size]);
        let margin = |rows: usize, columns: usize| outside.clone().expand([batch, rows, columns, size]);
        let wide = Tensor::cat(vec![margin(rows, left), embedded.clone(), margin(rows, right)], 2);
        let all = Tensor::cat(vec![margin(top, left + columns + right), wide], 1);
        let shifted = |[down, across]: [isize; 2]| {
            let from = |margin: usize, shift: isize| margin.saturating_add_signed(shift);
            all.clone().narrow(1, from(top, down), rows).narrow(2, from(left, across), columns)
        };
        let before = (embedded.clone().cumsum(2) - embedded) / SUM_SCALE;
        let neighbours = NEIGHBOURS.into_iter().map(shifted);
        Tensor::cat(neighbours.chain([before]).collect(), 3)
    }
}
