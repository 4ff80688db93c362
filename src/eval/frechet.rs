//! The Fréchet distance of two sets of pictures, in a network's features (Heusel et al. 2017, eq. 6).

use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Mean and covariance of rows.
struct Moments {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Moments {
    fn of(rows: &[Vec<f32>]) -> Option<Self> {
        let (count, width) = (rows.len(), rows.first()?.len());
        let all = DMatrix::from_fn(count, width, |row, column| f64::from(rows[row][column]));
        let mean = all.row_mean().transpose();
        let centred = DMatrix::from_fn(count, width, |row, column| all[(row, column)] - mean[column]);
        let covariance = centred.transpose() * &centred / (count as f64 - 1.0).max(1.0);
        Some(Self { mean, covariance })
    }
}

/// The root of a matrix that is symmetric and not negative, up to rounding.
fn root(matrix: DMatrix<f64>) -> DMatrix<f64> {
    let eigen = SymmetricEigen::new(matrix);
    let roots = DMatrix::from_diagonal(&eigen.eigenvalues.map(|value| value.max(0.0).sqrt()));
    &eigen.eigenvectors * roots * eigen.eigenvectors.transpose()
}

/// `‖μ₁ − μ₂‖² + tr (Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½)` of two sets of rows of equal length; none when one is empty.
pub fn distance(first: &[Vec<f32>], second: &[Vec<f32>]) -> Option<f64> {
    let (first, second) = (Moments::of(first)?, Moments::of(second)?);
    // tr (Σ₁ Σ₂)^½ = tr (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric.
    let half = root(first.covariance.clone());
    let product = SymmetricEigen::new(&half * &second.covariance * &half);
    let trace: f64 = product.eigenvalues.iter().map(|value| value.max(0.0).sqrt()).sum();
    let means = (first.mean - second.mean).norm_squared();
    Some((means + first.covariance.trace() + second.covariance.trace() - 2.0 * trace).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::noise::Noise;

    /// Rows of independent normals with these means and deviations.
    fn normals(moments: &[(f32, f32)], count: usize, seed: u64) -> Vec<Vec<f32>> {
        let mut noise = Noise::new(seed);
        let mut row = || moments.iter().map(|(mean, std)| mean + std * noise.normal()).collect();
        (0..count).map(|_| row()).collect()
    }

    #[test]
    fn of_known_gaussians() {
        // (3 − 1)² + (2 − 1)² in one dimension, (0.5 − 1.5)² of the deviations in the other.
        let first = normals(&[(1.0, 1.0), (0.0, 0.5)], 40_000, 1);
        let second = normals(&[(3.0, 2.0), (0.0, 1.5)], 40_000, 2);
        let found = distance(&first, &second).expect("two sets");
        assert!((found - 6.0).abs() < 0.15, "{found}");
        assert!(distance(&first, &first).expect("a set") < 1e-6);
        assert!(distance(&first, &[]).is_none());
    }
}
