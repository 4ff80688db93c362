//! Fresh batches for burn's engine: batch `i` of epoch `e` depends on `e` and `i` alone (and on what makes
//! it), so that a resumed run sees what the first would have seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress as ItemsDone};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use crate::data::{
    batch::{CaptionBatch, Lesson, Progress, TrainBatch},
    noise::Noise,
    source::Source,
};
use crate::model::Config;
use crate::options::TrainOptions;

impl TrainBatch {
    /// Batches of samples that change from epoch to epoch, the first of which is `first_epoch`; `learned` says after
    /// which share of the run its first lesson had been learned, `lesson` what they are drawn from when it is so far.
    pub fn training<C: Config>(
        source: Arc<dyn Source>,
        options: &TrainOptions<C>,
        first_epoch: usize,
        learned: impl Fn() -> Option<f32> + Send + Sync + 'static,
        lesson: impl Fn(Progress) -> Lesson + Send + Sync + 'static,
    ) -> Batches<Self> {
        let (seed, size, batches) = (options.seed, options.batch_size, options.batches_per_epoch);
        let updates = options.updates();
        Batches::changing(first_epoch, size, batches * size, move |epoch, index| {
            let done = epoch.saturating_sub(1) * batches + index;
            let progress = Progress { done: done as f32 / updates as f32, learned: learned() };
            let draw = |noise: &mut Noise| source.training_batch(size, noise, lesson(progress));
            Self { progress, ..Self::draw(draw, seed, epoch, index) }
        })
    }

    /// Batches of the same samples every time.
    pub fn validation(source: Arc<dyn Source>, seed: u64, size: usize, batches: usize) -> Batches<Self> {
        Batches::same(size, batches * size, move |index| {
            Self::draw(|noise| source.batch(size, noise), seed, 0, index)
        })
    }

    fn draw(
        draw: impl Fn(&mut Noise) -> CaptionBatch<'static>,
        seed: u64,
        epoch: usize,
        index: usize,
    ) -> Self {
        let mut noise = Noise::stream(seed, (epoch as u64) << 32 | index as u64);
        let noise_seed = noise.next_u64();
        Self { epoch, index, ..Self::measured(draw(&mut noise), noise_seed) }
    }
}

/// Makes a batch from the numbers of its epoch and of it.
type Make<B> = Arc<dyn Fn(usize, usize) -> B + Send + Sync>;

/// Makes the batches of an epoch.
pub struct Batches<B> {
    make: Make<B>,
    batch_size: usize,
    /// Items `start..end` of every epoch are this loader's.
    start: usize,
    end: usize,
    /// The epoch that the next iteration belongs to; none: always 0.
    epoch: Option<Arc<AtomicUsize>>,
}

impl<B> Clone for Batches<B> {
    fn clone(&self) -> Self {
        Self { make: self.make.clone(), epoch: self.epoch.clone(), ..*self }
    }
}

impl<B> Batches<B> {
    /// Batches that change from epoch to epoch: `make` gets the numbers of epoch and batch.
    pub fn changing(
        first_epoch: usize,
        batch_size: usize,
        items: usize,
        make: impl Fn(usize, usize) -> B + Send + Sync + 'static,
    ) -> Self {
        let epoch = Some(Arc::new(AtomicUsize::new(first_epoch)));
        Self { make: Arc::new(make), batch_size, start: 0, end: items, epoch }
    }

    /// The same batches every time: `make` gets the number of the batch.
    pub fn same(batch_size: usize, items: usize, make: impl Fn(usize) -> B + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(move |_, index| make(index)), batch_size, start: 0, end: items, epoch: None }
    }

    /// Batches of an epoch.
    pub fn an_epoch(&self) -> usize {
        (self.end - self.start).div_ceil(self.batch_size)
    }
}

impl<B: Send + 'static> DataLoader<B> for Batches<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        let epoch = self.epoch.as_ref().map_or(0, |epoch| epoch.fetch_add(1, Ordering::Relaxed));
        Box::new(Epoch { loader: self, epoch, next: self.start / self.batch_size })
    }

    fn num_items(&self) -> usize {
        self.end - self.start
    }

    fn to_device(&self, _device: &Device) -> Arc<dyn DataLoader<B>> {
        Arc::new(self.clone())
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B>> {
        let epoch =
            self.epoch.as_ref().map(|epoch| Arc::new(AtomicUsize::new(epoch.load(Ordering::Relaxed))));
        Arc::new(Self { start: self.start + start, end: self.start + end, epoch, ..self.clone() })
    }
}

struct Epoch<'a, B> {
    loader: &'a Batches<B>,
    epoch: usize,
    next: usize,
}

impl<B> Iterator for Epoch<'_, B> {
    type Item = Result<B, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next * self.loader.batch_size >= self.loader.end {
            return None;
        }
        self.next += 1;
        Some(Ok((self.loader.make)(self.epoch, self.next - 1)))
    }
}

impl<B: Send + 'static> DataLoaderIterator<B> for Epoch<'_, B> {
    fn progress(&self) -> ItemsDone {
        let items = self.loader.num_items();
        let done = self.next * self.loader.batch_size - self.loader.start;
        ItemsDone::new(done.min(items), items, Some("images".to_owned()))
    }
}
