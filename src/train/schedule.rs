//! Learning rate against the number of updates.

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use serde::{Deserialize, Serialize};

/// How the learning rate changes during a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// The paper's: constant, and a tenth of it after `drop_after` of the run (110 of 150 epochs).
    Step {
        /// Share of the run before the drop.
        drop_after: f64,
    },
    /// Linear warm-up over the first updates, constant up to `constant_until` of the run, then half a
    /// cosine down to a fiftieth.
    Cosine {
        /// Updates of warm-up.
        warmup: usize,
        /// Share of the run before the cosine.
        constant_until: f64,
    },
}

/// The learning rate that a cosine ends with, as a share of the first.
const COSINE_END: f64 = 0.02;

impl Schedule {
    /// The factor on the learning rate at an update (0-based) of a run of `total` updates.
    pub fn factor(&self, update: usize, total: usize) -> f64 {
        let done = update as f64 / total.max(1) as f64;
        match *self {
            Self::Step { drop_after } => {
                if done < drop_after {
                    1.0
                } else {
                    0.1
                }
            }
            Self::Cosine { warmup, constant_until } => {
                let ramp = ((update + 1) as f64 / warmup.max(1) as f64).min(1.0);
                let phase = ((done - constant_until) / (1.0 - constant_until)).clamp(0.0, 1.0);
                let wave = 0.5 * (1.0 + (std::f64::consts::PI * phase).cos());
                ramp * (COSINE_END + (1.0 - COSINE_END) * wave)
            }
        }
    }
}

/// [`Schedule`] as burn's engine steps it.
#[derive(Clone, Debug)]
pub struct ScheduledRate {
    schedule: Schedule,
    rate: f64,
    total: usize,
    update: usize,
}

impl ScheduledRate {
    /// A run of `total` updates from a first learning rate.
    pub fn new(schedule: Schedule, rate: f64, total: usize) -> Self {
        Self { schedule, rate, total, update: 0 }
    }
}

impl LrScheduler for ScheduledRate {
    fn step(&mut self) -> f64 {
        let rate = self.rate * self.schedule.factor(self.update, self.total);
        self.update += 1;
        rate
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("update", self.update as u64)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(update) = record.scalar::<u64>("update") {
            self.update = update as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_schedule_drops_once() {
        let schedule = Schedule::Step { drop_after: 110.0 / 150.0 };
        assert_eq!(schedule.factor(10_999, 15_000), 1.0);
        assert_eq!(schedule.factor(11_000, 15_000), 0.1);
    }

    #[test]
    fn the_cosine_warms_up_and_ends_low() {
        let schedule = Schedule::Cosine { warmup: 10, constant_until: 0.5 };
        assert!((schedule.factor(0, 100) - 0.1).abs() < 1e-12);
        assert_eq!(schedule.factor(40, 100), 1.0);
        assert!(schedule.factor(99, 100) < 0.03);
    }
}
