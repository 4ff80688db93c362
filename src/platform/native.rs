//! The native platform: a packed GEMM from the `gemm` crate, blocking on futures, Unicode's tables.

use unicode_normalization::UnicodeNormalization;

use crate::kernels::matmul::Mat;

/// Sums of sixteen lanes that a kernel keeps at once: enough to hide the latency of an addition, few
/// enough for AVX2's sixteen registers.
pub const ACCUMULATORS: usize = 6;

/// Whether models in plain burn tensors can be run here.
pub const HAS_BURN_TENSORS: bool = true;

/// Whether painters' fused passes are here.
pub const HAS_FUSED_PASSES: bool = true;

/// Whether [`packed_gemm`] exists here.
pub const HAS_PACKED_GEMM: bool = true;

/// `out = a · b` (+ `out` when `accumulate`), single-threaded: training runs one shard of the
/// batch on each core instead.
///
/// # Safety
/// `out` must hold `m` rows of `n` floats, `out_stride` apart; `a` is [m, k] and `b` is [k, n].
#[allow(clippy::too_many_arguments)]
pub unsafe fn packed_gemm(
    m: usize,
    n: usize,
    k: usize,
    out: *mut f32,
    out_stride: isize,
    accumulate: bool,
    a: Mat,
    b: Mat,
) {
    let (a, a_row, a_col) = a.raw();
    let (b, b_row, b_col) = b.raw();
    // SAFETY: passed on from the caller.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out,
            1,
            out_stride,
            accumulate,
            a,
            a_col,
            a_row,
            b,
            b_col,
            b_row,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Waits for a future: the command line's way to run the drawing loop.
pub fn block_on<F: Future>(future: F) -> F::Output {
    pollster::block_on(future)
}

static QUIET: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Whether notes and progress are wanted: `--quiet` says no.
pub fn quiet() -> bool {
    QUIET.load(std::sync::atomic::Ordering::Relaxed)
}

/// Turns notes and progress off.
pub fn set_quiet() {
    QUIET.store(true, std::sync::atomic::Ordering::Relaxed);
}

/// Unicode's normalisation form C: an accent is one character with its letter where there is such a one.
pub fn nfc(text: String) -> String {
    if text.is_ascii() { text } else { text.nfc().collect() }
}
