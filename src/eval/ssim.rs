//! Structural similarity of two pictures (Wang, Bovik, Sheikh & Simoncelli 2004).

/// Pixels of a side of the window.
const WINDOW: usize = 11;
/// Standard deviation of its Gaussian weights, pixels.
const SIGMA: f64 = 1.5;
/// Constants that keep the ratio finite, for values in [0, 1].
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

fn weights() -> [f64; WINDOW] {
    let weight = |at: usize| (-0.5 * ((at as f64 - (WINDOW / 2) as f64) / SIGMA).powi(2)).exp();
    let all: [f64; WINDOW] = std::array::from_fn(weight);
    let total: f64 = all.iter().sum();
    all.map(|weight| weight / total)
}

/// The windows' weighted means of a plane of `width` pixels a row, where the window fits.
fn blurred(plane: &[f64], width: usize, weights: &[f64; WINDOW]) -> Vec<f64> {
    let weighted =
        |values: &mut dyn Iterator<Item = f64>| values.zip(weights).map(|(v, w)| v * w).sum::<f64>();
    let inner = width + 1 - WINDOW;
    let rows: Vec<f64> = plane
        .chunks_exact(width)
        .flat_map(|row| row.windows(WINDOW).map(|window| weighted(&mut window.iter().copied())))
        .collect();
    let height = rows.len() / inner;
    (0..=height - WINDOW)
        .flat_map(|top| (0..inner).map(move |column| (top, column)))
        .map(|(top, column)| weighted(&mut (0..WINDOW).map(|row| rows[(top + row) * inner + column])))
        .collect()
}

/// `(2 μ_x μ_y + C₁)(2 σ_xy + C₂) / ((μ_x² + μ_y² + C₁)(σ_x² + σ_y² + C₂))`, the mean over all windows of 11×11 pixels
/// (Gaussian, σ 1.5) that fit and over the channels; 1 for equal pictures. Both are planar [channel, height, width]
/// with values in [0, 1]; none where no window fits.
pub fn ssim(first: &[f32], second: &[f32], width: usize, height: usize) -> Option<f64> {
    let plane = width * height;
    if width < WINDOW || height < WINDOW || first.len() != second.len() || !first.len().is_multiple_of(plane)
    {
        return None;
    }
    let weights = weights();
    let of_plane = |(x, y): (&[f32], &[f32])| {
        let [x, y] = [x, y].map(|plane| plane.iter().map(|&value| f64::from(value)).collect::<Vec<_>>());
        let product = |a: &[f64], b: &[f64]| {
            blurred(&a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<_>>(), width, &weights)
        };
        let [mean_x, mean_y] = [&x, &y].map(|plane| blurred(plane, width, &weights));
        let [xx, yy, xy] = [product(&x, &x), product(&y, &y), product(&x, &y)];
        let at = |i: usize| {
            let (mx, my) = (mean_x[i], mean_y[i]);
            let (vx, vy, covariance) = (xx[i] - mx * mx, yy[i] - my * my, xy[i] - mx * my);
            (2.0 * mx * my + C1) * (2.0 * covariance + C2) / ((mx * mx + my * my + C1) * (vx + vy + C2))
        };
        (0..xy.len()).map(at).sum::<f64>() / xy.len() as f64
    };
    let planes = first.chunks_exact(plane).zip(second.chunks_exact(plane));
    Some(planes.map(of_plane).sum::<f64>() / (first.len() / plane) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two planes of 16×14 pixels, some texture and a gradient.
    fn picture(phase: usize) -> Vec<f32> {
        (0..2 * 16 * 14)
            .map(|at| ((at * at * 7 + at * (3 + phase) + phase * 11) % 101) as f32 / 100.0)
            .collect()
    }

    #[test]
    fn equal_pictures_are_alike_and_small_ones_have_no_window() {
        let one = picture(0);
        assert!((ssim(&one, &one, 16, 14).expect("fits") - 1.0).abs() < 1e-12);
        assert!(ssim(&one[..100], &one[..100], 10, 10).is_none());
    }

    const SCIKIT: f64 = -0.073_878_055_223_575_95;

    /// scikit-image 0.26 (`structural_similarity`, gaussian_weights, sigma 1.5, use_sample_covariance False, data_range
    /// 1, over the windows that fit) on the same numbers.
    #[test]
    fn it_is_scikit_images() {
        let found = ssim(&picture(0), &picture(5), 16, 14).expect("fits");
        assert!((found - SCIKIT).abs() < 1e-6, "{found}");
    }
}
