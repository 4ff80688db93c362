//! One native test binary, so that burn links once.

mod allocation;
mod cli;
mod folder;
mod folder_encodings;
mod folder_faults;
mod framed;
mod framed_reference;
mod fuzz;
mod index;
mod interruptions;
mod models;
mod output;
mod reference;
mod scenes;
mod tidy;
mod toy;
mod training;
mod words;
