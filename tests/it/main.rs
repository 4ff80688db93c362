//! One native test binary, so that burn links once.

mod cli;
mod models;
mod reference;
mod tidy;
mod training;
