//! The one generator of all noise in painting and evaluation: a seed gives the same numbers
//! natively and in every browser.
//!
//! ChaCha with 8 rounds gives the bits; normal numbers come from uniform ones by inverting the
//! normal distribution function (Wichura 1988, algorithm AS 241, PPND16), which, unlike the polar
//! methods, takes one uniform number each and needs no trigonometry.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A seeded source of random numbers.
#[derive(Clone)]
pub struct Noise(ChaCha8Rng);

impl Noise {
    /// The source for a seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// An independent source for a seed and a stream: batch `stream` of a run, say.
    pub fn stream(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A random integer.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform in 0..n; the bias for small n (below 2^-40) does not matter here.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// Uniform among the integers `low..=high`.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f32 {
        // The middle of one of 2^32 cells: never 0 or 1.
        let p = (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0;
        inverse_normal(p) as f32
    }

    /// Fills a slice with standard normal numbers.
    pub fn fill_normal(&mut self, out: &mut [f32]) {
        out.iter_mut().for_each(|value| *value = self.normal());
    }

    /// `len` standard normal numbers: the latent noise of one picture is `[step, latent]`.
    pub fn normals(&mut self, len: usize) -> Vec<f32> {
        let mut out = vec![0.0; len];
        self.fill_normal(&mut out);
        out
    }
}

fn polynomial(x: f64, coefficients: [f64; 8]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The quantile of the standard normal distribution at `p` in (0, 1), accurate to 1e-15.
fn inverse_normal(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(
            r,
            [
                3.387_132_872_796_366_5,
                1.331_416_678_917_843_8e2,
                1.971_590_950_306_551_3e3,
                1.373_169_376_550_946e4,
                4.592_195_393_154_987e4,
                6.726_577_092_700_87e4,
                3.343_057_558_358_813e4,
                2.509_080_928_730_122_7e3,
            ],
        ) / polynomial(
            r,
            [
                1.0,
                4.231_333_070_160_091e1,
                6.871_870_074_920_579e2,
                5.394_196_021_424_751e3,
                2.121_379_430_158_659_7e4,
                3.930_789_580_009_271e4,
                2.872_908_573_572_194_3e4,
                5.226_495_278_852_545e3,
            ],
        );
    }
    let r = (-(if q < 0.0 { p } else { 1.0 - p }).ln()).sqrt();
    let tail = if r <= 5.0 {
        polynomial(
            r - 1.6,
            [
                1.423_437_110_749_683_5,
                4.630_337_846_156_546,
                5.769_497_221_460_691,
                3.647_848_324_763_204_5,
                1.270_458_252_452_368_4,
                2.417_807_251_774_506e-1,
                2.272_384_498_926_918_4e-2,
                7.745_450_142_783_414e-4,
            ],
        ) / polynomial(
            r - 1.6,
            [
                1.0,
                2.053_191_626_637_759,
                1.676_384_830_183_803_8,
                6.897_673_349_851e-1,
                1.481_039_764_274_800_8e-1,
                1.519_866_656_361_645_7e-2,
                5.475_938_084_995_345e-4,
                1.050_750_071_644_416_9e-9,
            ],
        )
    } else {
        polynomial(
            r - 5.0,
            [
                6.657_904_643_501_103,
                5.463_784_911_164_114,
                1.784_826_539_917_291_3,
                2.965_605_718_285_048_7e-1,
                2.653_218_952_657_612_4e-2,
                1.242_660_947_388_078_4e-3,
                2.711_555_568_743_487_6e-5,
                2.010_334_399_292_288_1e-7,
            ],
        ) / polynomial(
            r - 5.0,
            [
                1.0,
                5.998_322_065_558_88e-1,
                1.369_298_809_227_358e-1,
                1.487_536_129_085_061_5e-2,
                7.868_691_311_456_133e-4,
                1.846_318_317_510_054_7e-5,
                1.421_511_758_316_446e-7,
                2.044_263_103_389_939_8e-15,
            ],
        )
    };
    tail.copysign(q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        for (p, x) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.025, -1.959_963_984_540_054),
            (1e-6, -4.753_424_308_822_899),
            (1e-12, -7.034_483_825_301_131),
        ] {
            assert!((inverse_normal(p) - x).abs() < 1e-9, "{p}: {}", inverse_normal(p));
        }
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let x = Noise::new(5).normals(100_000);
        let mean = x.iter().sum::<f32>() / 1e5;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 1e5;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }

    #[test]
    fn a_seed_is_a_promise() {
        // Shared links store a seed: these numbers may never change.
        let mut noise = Noise::new(7);
        let bits: Vec<u32> = (0..3).map(|_| noise.normal().to_bits()).collect();
        let mut again = Noise::new(7);
        assert_eq!(bits, (0..3).map(|_| again.normal().to_bits()).collect::<Vec<_>>());
        assert_ne!(Noise::stream(7, 1).next_u64(), Noise::stream(7, 2).next_u64());
    }
}
