//! The sizes of a codebook and its prior.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Sizes of places in codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodesConfig {
    /// Codes of the codebook (K).
    pub codes: usize,
    /// Side of the square of pixels that a code stands for (S).
    pub side: usize,
    /// Width of a code's embedding (E).
    pub embedding_size: usize,
    /// Units of either hidden layer (U).
    pub hidden_size: usize,
}

impl CodesConfig {
    /// Colour scenes.
    pub fn scenes() -> Self {
        Self { codes: 1024, side: 4, embedding_size: 16, hidden_size: 96 }
    }

    /// Codes along the canvas [rows, columns].
    pub fn cells(&self, [height, width]: [usize; 2]) -> [usize; 2] {
        [height / self.side, width / self.side]
    }

    /// Refuses what cannot be.
    ///
    /// **Errors** [`Error::Config`], naming the field.
    pub fn check(&self, [height, width]: [usize; 2], place_steps: usize) -> Result<()> {
        let sizes = [
            ("codes", self.codes, 2),
            ("side", self.side, 1),
            ("embedding_size", self.embedding_size, 1),
            ("hidden_size", self.hidden_size, 1),
        ];
        for (name, size, least) in sizes {
            if !(least..=4_096).contains(&size) {
                return Err(Error::Config(format!(
                    "{name} of the place's codes is {size}, expected {least} to 4096"
                )));
            }
        }
        let side = self.side;
        if !height.is_multiple_of(side) || !width.is_multiple_of(side) {
            return Err(Error::Config(format!(
                "a canvas of {width}×{height} pixels cannot be cut into squares of {side}"
            )));
        }
        if place_steps > height / side {
            return Err(Error::Config(format!(
                "place_steps is {place_steps}, expected at most the {} rows of the place's codes",
                height / side
            )));
        }
        Ok(())
    }

    /// Numbers of the weights, of one picture's codes and of what is computed for them.
    pub fn floats(&self, size: [usize; 2], said: usize) -> u64 {
        let [rows, columns] = self.cells(size).map(|cells| cells as u64);
        let [k, s, e, u] = [self.codes, self.side, self.embedding_size, self.hidden_size].map(|n| n as u64);
        let hidden = u * (super::prior::CONTEXT as u64 * e + said as u64 + u + k + rows * columns);
        k * (3 * s * s + e + 1) + hidden + rows * columns * (e + 1) + columns * k
    }
}
