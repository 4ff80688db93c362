//! One native test binary, so that burn links once.

mod allocation;
mod attend;
mod captioner_models;
mod cli;
mod describe;
mod eyes;
mod feedforward;
mod folder;
mod folder_encodings;
mod folder_faults;
mod framed;
mod framed_reference;
mod fuzz;
mod index;
mod interruptions;
mod layered;
mod models;
mod output;
mod photos;
mod reference;
mod scenes;
mod tidy;
mod toy;
mod training;
mod typed;
mod words;
