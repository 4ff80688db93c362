//! One native test binary, so that burn links once.

mod attend;
mod cli;
mod describe;
mod eyes;
mod folder;
mod folder_faults;
mod framed;
mod framed_reference;
mod models;
mod output;
mod photos;
mod reference;
mod scenes;
mod tidy;
mod toy;
mod training;
mod words;
