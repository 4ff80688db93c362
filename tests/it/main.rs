//! One native test binary, so that burn links once.

mod cli;
mod folder;
mod framed;
mod models;
mod output;
mod reference;
mod scenes;
mod tidy;
mod toy;
mod training;
