//! The browser: drawing needs a few rows at a time, so there is no packed GEMM to download;
//! nor are Unicode's tables, which it has.

use crate::kernels::matmul::Mat;

/// Sums of sixteen lanes that a kernel keeps at once: twelve of the sixteen registers.
pub const ACCUMULATORS: usize = 3;

/// Whether models in plain burn tensors can be run here: not by the fused engine, which stays small without
/// them.
pub const HAS_BURN_TENSORS: bool = cfg!(any(feature = "flex", feature = "describe", feature = "wgpu"));

/// Whether painters' fused passes are here: where burn tensors are, another engine has them.
#[cfg(paints)]
pub const HAS_FUSED_PASSES: bool = !HAS_BURN_TENSORS;

/// Whether [`packed_gemm`] exists here.
pub const HAS_PACKED_GEMM: bool = false;

/// Never called: [`HAS_PACKED_GEMM`] is false.
///
/// # Safety
/// Does nothing.
#[allow(clippy::too_many_arguments)]
pub unsafe fn packed_gemm(
    _m: usize,
    _n: usize,
    _k: usize,
    _out: *mut f32,
    _out_stride: isize,
    _accumulate: bool,
    _a: Mat,
    _b: Mat,
) {
    unreachable!("the packed GEMM is native only")
}

/// Unicode's normalisation form C: an accent is one character with its letter where there is such a one.
pub fn nfc(text: String) -> String {
    if text.is_ascii() { text } else { js_sys::JsString::from(text).normalize("NFC").into() }
}
