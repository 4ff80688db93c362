//! Fresh batches for burn's engine: batch `i` of epoch `e` depends on the seed, `e` and `i` alone, so
//! that a resumed run sees what the first would have seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;

use crate::data::{batch::CaptionBatch, noise::Noise, source::Source};

/// A batch with the seed of its latent noise.
#[derive(Clone, Debug)]
pub struct TrainBatch {
    /// Captions and images.
    pub batch: CaptionBatch<'static>,
    /// Seed of the latent noise.
    pub noise_seed: u64,
    /// Epoch, from 1.
    pub epoch: usize,
    /// Batch in the epoch, from 0.
    pub index: usize,
}

/// Generates the batches of an epoch.
#[derive(Clone)]
pub struct BatchLoader {
    source: Arc<dyn Source>,
    seed: u64,
    batch_size: usize,
    /// Items `start..end` of every epoch are this loader's.
    start: usize,
    end: usize,
    /// The epoch that the next iteration belongs to; validation stays at 0.
    epoch: Arc<AtomicUsize>,
    advances: bool,
}

impl BatchLoader {
    /// A loader whose samples change from epoch to epoch, the first of which is `first_epoch`.
    pub fn training(
        source: Arc<dyn Source>,
        seed: u64,
        batch_size: usize,
        batches: usize,
        first_epoch: usize,
    ) -> Self {
        Self {
            source,
            seed,
            batch_size,
            start: 0,
            end: batches * batch_size,
            epoch: Arc::new(AtomicUsize::new(first_epoch)),
            advances: true,
        }
    }

    /// A loader that gives the same samples every time.
    pub fn validation(source: Arc<dyn Source>, seed: u64, batch_size: usize, batches: usize) -> Self {
        Self { advances: false, ..Self::training(source, seed, batch_size, batches, 0) }
    }

    fn batch(&self, epoch: usize, index: usize) -> TrainBatch {
        let mut noise = Noise::stream(self.seed, (epoch as u64) << 32 | index as u64);
        let noise_seed = noise.next_u64();
        let batch = if self.advances {
            self.source.training_batch(self.batch_size, &mut noise)
        } else {
            self.source.batch(self.batch_size, &mut noise)
        };
        TrainBatch { batch, noise_seed, epoch, index }
    }
}

impl DataLoader<TrainBatch> for BatchLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<TrainBatch> + 'a> {
        let epoch = if self.advances { self.epoch.fetch_add(1, Ordering::Relaxed) } else { 0 };
        Box::new(Batches { loader: self, epoch, next: self.start / self.batch_size })
    }

    fn num_items(&self) -> usize {
        self.end - self.start
    }

    fn to_device(&self, _device: &Device) -> Arc<dyn DataLoader<TrainBatch>> {
        Arc::new(self.clone())
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<TrainBatch>> {
        let epoch = Arc::new(AtomicUsize::new(self.epoch.load(Ordering::Relaxed)));
        Arc::new(Self { start: self.start + start, end: self.start + end, epoch, ..self.clone() })
    }
}

struct Batches<'a> {
    loader: &'a BatchLoader,
    epoch: usize,
    next: usize,
}

impl Iterator for Batches<'_> {
    type Item = Result<TrainBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next * self.loader.batch_size >= self.loader.end {
            return None;
        }
        self.next += 1;
        Some(Ok(self.loader.batch(self.epoch, self.next - 1)))
    }
}

impl DataLoaderIterator<TrainBatch> for Batches<'_> {
    fn progress(&self) -> Progress {
        let done = self.next * self.loader.batch_size - self.loader.start;
        Progress::new(done.min(self.loader.num_items()), self.loader.num_items(), Some("images".to_owned()))
    }
}
