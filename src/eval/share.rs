//! A count of what is right.

use serde::{Deserialize, Serialize};

/// What is right among what was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// That are right.
    pub right: usize,
    /// That were judged.
    pub of: usize,
}

impl Share {
    /// In percent; 0 of 0 is 0.
    pub fn percent(&self) -> f64 {
        100.0 * self.right as f64 / self.of.max(1) as f64
    }

    /// Counts one.
    pub fn add(&mut self, right: bool) {
        self.right += usize::from(right);
        self.of += 1;
    }
}
