//! One native test binary, so that burn links once.

mod reference;
