//! Systems that describe pictures, a folder each.

pub mod attend;
