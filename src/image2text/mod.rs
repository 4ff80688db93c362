//! Systems that describe pictures, or say which sentence belongs to which picture: a folder each.

pub mod align;
pub mod attend;
mod dropout;
pub mod embed;
mod features;
pub mod rnn;
mod starts;
