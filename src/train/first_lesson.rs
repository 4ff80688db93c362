//! A first lesson that lasts until it is learned, where a fixed share of a run would be too short for one that is short
//! and too long for one that is long (competence-based curriculum learning, Platanios et al. 2019).

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::data::batch::{CaptionBatch, Lesson, TrainBatch};
use crate::data::noise::Noise;
use crate::data::source::Source;

use crate::model::{Bounded, OnCpu, Trainable};
use crate::options::TrainOptions;

/// Pictures of the examination.
const PICTURES: usize = 64;
/// Stream of the run's seed that they are drawn from.
const STREAM: u64 = 1 << 42;

/// Whether, and when, a run's first lesson was learned.
#[derive(Debug)]
pub struct FirstLesson {
    /// Share of the pictures that must have their own caption as the likeliest.
    needed: f64,
    /// Pictures of the lesson, none of which is trained on.
    pictures: CaptionBatch<'static>,
    seed: u64,
    /// Epochs of the run.
    epochs: usize,
    /// The epoch that is being trained.
    epoch: AtomicUsize,
    /// The epoch after which it was learned; 0: it has not been.
    learned_after: AtomicUsize,
    /// The share that was told apart in the last examination, until it has been told.
    last: Mutex<Option<f64>>,
}

impl FirstLesson {
    /// That of a run, where its model has one that lasts until it is learned.
    pub fn of<M: Trainable>(options: &TrainOptions<M::Config>, source: &dyn Source) -> Option<Self> {
        let needed = M::first_lesson(&options.config)?;
        let mut noise = Noise::stream(options.seed, STREAM);
        Some(Self {
            needed,
            pictures: source.training_batch(PICTURES, &mut noise, Lesson::OneObject),
            seed: noise.next_u64(),
            epochs: options.epochs,
            epoch: AtomicUsize::new(0),
            learned_after: AtomicUsize::new(0),
            last: Mutex::default(),
        })
    }

    /// Says which epoch is being trained.
    pub fn in_epoch(&self, epoch: usize) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }

    /// The epoch after which it was learned; 0: it has not been.
    pub fn learned_after(&self) -> usize {
        self.learned_after.load(Ordering::Relaxed)
    }

    /// Goes on as a run did that was stopped: it was learned after this epoch, or not yet (0).
    pub fn resume(&self, learned_after: usize) {
        self.learned_after.store(learned_after, Ordering::Relaxed);
    }

    /// The share of the run after which it had been learned.
    pub fn learned(&self) -> Option<f32> {
        let after = self.learned_after();
        (after > 0).then(|| after as f32 / self.epochs as f32)
    }

    /// Asks a model after an epoch, until it has learned the lesson.
    pub fn examine<M: Trainable>(&self, model: &M, config: &M::Config) {
        if self.learned_after() > 0 {
            return;
        }
        let share = told_apart(&mut OnCpu::new(model, config, 1), &self.pictures, self.seed);
        if share >= self.needed {
            self.learned_after.store(self.epoch.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        *self.last.lock().expect("no thread panicked with a number") = Some(share);
    }

    /// The share that was told apart in an examination since this was asked last.
    pub fn take_share(&self) -> Option<f64> {
        self.last.lock().expect("no thread panicked with a number").take()
    }
}

/// The share of pictures to which, of all their captions, none is likelier than their own by the lower bound, with the
/// same noise for each of them.
fn told_apart(model: &mut impl Bounded, pictures: &CaptionBatch<'static>, seed: u64) -> f64 {
    let own: Vec<&[usize]> = pictures.ids.chunks(pictures.words.max(1)).collect();
    let captions: BTreeSet<&[usize]> = own.iter().copied().collect();
    let mut best = vec![(f64::NEG_INFINITY, &[][..]); own.len()];
    let mut item = TrainBatch::measured(pictures.clone(), seed);
    for caption in captions {
        item.batch.say(caption);
        for (best, bound) in best.iter_mut().zip(model.image_bounds(&item)) {
            if bound > best.0 {
                *best = (bound, caption);
            }
        }
    }
    let right = best.iter().zip(&own).filter(|(best, own)| best.1 == **own).count();
    right as f64 / own.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use std::sync::Arc;

    use burn::lr_scheduler::LrScheduler;

    use super::*;
    use crate::model::Terms;
    use crate::options::Schedule;
    use crate::train::schedule::ScheduledRate;

    /// A model to which every picture is likeliest whose brightness is its caption's word, and whose brightest it takes
    /// for another.
    struct ByBrightness;

    impl Bounded for ByBrightness {
        fn terms(&mut self, _: &TrainBatch) -> Terms<f64> {
            Terms(Vec::new())
        }

        fn image_bounds(&mut self, item: &TrainBatch) -> Vec<f64> {
            let brightness = item.batch.images.iter().map(|&image| if image > 2.5 { 1.0 } else { image });
            let said = item.batch.ids.iter().map(|&id| id as f32);
            brightness.zip(said).map(|(image, said)| -f64::from((image - said).abs())).collect()
        }

        fn log_weights(&mut self, _: &TrainBatch) -> Option<Vec<f64>> {
            None
        }
    }

    #[test]
    fn pictures_are_told_apart_by_their_captions() {
        let of = |words: &[usize]| {
            let images = words.iter().map(|&word| word as f32).collect();
            CaptionBatch::of_words(Cow::Owned(words.to_vec()), 1, Cow::Owned(images))
        };
        assert_eq!(told_apart(&mut ByBrightness, &of(&[0, 1, 2, 2]), 1), 1.0);
        assert_eq!(told_apart(&mut ByBrightness, &of(&[0, 1, 2, 3]), 1), 0.75);
    }

    fn lesson() -> Arc<FirstLesson> {
        Arc::new(FirstLesson {
            needed: 0.9,
            pictures: CaptionBatch::of_words(Cow::Owned(vec![1]), 1, Cow::Owned(vec![0.5])),
            seed: 1,
            epochs: 8,
            epoch: AtomicUsize::new(0),
            learned_after: AtomicUsize::new(0),
            last: Mutex::default(),
        })
    }

    /// A checkpoint knows whether the lesson was over, and since when.
    #[test]
    fn a_resumed_run_knows_what_was_learned() {
        let rate = |lesson: &Arc<FirstLesson>| {
            let rate = ScheduledRate::new(Schedule::Step { drop_after: 0.5 }, 1.0, 10);
            rate.with_first_lesson(Some(lesson.clone()))
        };
        let (stopped, resumed) = (lesson(), lesson());
        rate(&resumed).load_record(rate(&stopped).to_record());
        assert_eq!(resumed.learned(), None);
        stopped.resume(2);
        rate(&resumed).load_record(rate(&stopped).to_record());
        assert_eq!(resumed.learned(), Some(0.25));
    }
}
