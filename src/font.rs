//! The font of plots and animated captions.

/// Inter Regular, ASCII only (`data/font/`, SIL Open Font License 1.1).
pub const BYTES: &[u8] = include_bytes!("../data/font/Inter-Regular-ascii.ttf");
