//! Systems that describe pictures, or say which sentence belongs to which picture: a folder each.

pub mod align;
pub mod attend;
pub(crate) mod dropout;
pub mod embed;
pub(crate) mod features;
pub mod rnn;
pub(crate) mod starts;
pub mod windows;
