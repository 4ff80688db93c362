//! [`Schedule`] as burn's engine steps it, and what else of a run a checkpoint must keep.

use std::sync::Arc;

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};

use super::first_lesson::FirstLesson;
use crate::options::Schedule;

/// The epoch after which the first lesson had been learned, in a record.
const FIRST_LESSON: &str = "first_lesson_learned_after";

/// A learning rate that follows a schedule.
#[derive(Clone, Debug)]
pub struct ScheduledRate {
    schedule: Schedule,
    rate: f64,
    total: usize,
    update: usize,
    /// Kept beside the update: whether it is over decides what a resumed run learns from.
    first_lesson: Option<Arc<FirstLesson>>,
}

impl ScheduledRate {
    /// A run of `total` updates from a first learning rate.
    pub fn new(schedule: Schedule, rate: f64, total: usize) -> Self {
        Self { schedule, rate, total, update: 0, first_lesson: None }
    }

    /// The same, with a lesson whose end is kept beside it.
    pub fn with_first_lesson(self, first_lesson: Option<Arc<FirstLesson>>) -> Self {
        Self { first_lesson, ..self }
    }
}

impl LrScheduler for ScheduledRate {
    fn step(&mut self) -> f64 {
        let rate = self.rate * self.schedule.factor(self.update, self.total);
        self.update += 1;
        rate
    }

    fn to_record(&self) -> LrSchedulerRecord {
        let record = LrSchedulerRecord::new().with_scalar("update", self.update as u64);
        match &self.first_lesson {
            Some(lesson) => record.with_scalar(FIRST_LESSON, lesson.learned_after() as u64),
            None => record,
        }
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(update) = record.scalar::<u64>("update") {
            self.update = update as usize;
        }
        if let (Some(lesson), Some(epoch)) = (&self.first_lesson, record.scalar::<u64>(FIRST_LESSON)) {
            lesson.resume(epoch as usize);
        }
    }
}
