//! One native test binary, so that burn links once.

mod attend;
mod cli;
mod describe;
mod folder;
mod folder_faults;
mod framed;
mod framed_reference;
mod index;
mod layered;
mod models;
mod output;
mod reference;
mod scenes;
mod tidy;
mod toy;
mod training;
mod typed;
mod words;
