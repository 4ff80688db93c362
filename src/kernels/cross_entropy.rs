//! The cross entropy of real-valued pixels under Bernoulli(σ(c)) for logits c.

use multiversion::multiversion;

use super::math::exp;

/// `Σ softplus(c) − x·c`, nats. `softplus(c) = max(c, 0) + ln(1 + e^{−|c|})`; there is one logarithm, of a
/// product, for every sixteen lanes and 32 pixels of each.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn cross_entropy(canvas: &[f32], image: &[f32]) -> f64 {
    const LANES: usize = 16;
    let of_registers = |canvas: &[[f32; LANES]], image: &[[f32; LANES]]| -> f64 {
        let (mut sums, mut products) = ([0.0f32; LANES], [1.0f32; LANES]);
        for (canvas, image) in canvas.iter().zip(image) {
            for lane in 0..LANES {
                let c = canvas[lane];
                sums[lane] += c.max(0.0) - image[lane] * c;
                products[lane] *= 1.0 + exp(-c.abs());
            }
        }
        let nats = |(sum, product): (f32, f32)| f64::from(sum) + f64::from(product).ln();
        sums.into_iter().zip(products).map(nats).sum()
    };
    let ((canvas, canvas_rest), (image, image_rest)) = (canvas.as_chunks(), image.as_chunks());
    // What is left over lies beside pixels that cost nothing.
    let mut last = [[f32::MIN; LANES], [0.0; LANES]];
    last[0][..canvas_rest.len()].copy_from_slice(canvas_rest);
    last[1][..image_rest.len()].copy_from_slice(image_rest);
    let blocks = canvas.chunks(32).zip(image.chunks(32));
    blocks.map(|(canvas, image)| of_registers(canvas, image)).sum::<f64>()
        + of_registers(&[last[0]], &[last[1]])
}
