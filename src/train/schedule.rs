//! [`Schedule`] as burn's engine steps it.

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};

use crate::options::Schedule;

/// A learning rate that follows a schedule.
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
