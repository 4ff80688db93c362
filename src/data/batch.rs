//! A batch of captioned images on the host.

use std::borrow::Cow;
use std::ops::Range;

/// Stands behind the last word of captions that are shorter than others of their batch: of those that rankers learn
/// from alone, all others have captions of one length.
pub const NO_WORD: usize = usize::MAX;

/// A box in an image of a batch and a word of its caption that names what stands there: what attention can be taught
/// by. Of several things each has one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NamedBox {
    /// The image.
    pub image: usize,
    /// The word of its caption.
    pub word: usize,
    /// Left, top, right and bottom edges, shares of the image's sides; they may lie outside.
    pub edges: [f32; 4],
}

/// Captions of equal length with their images.
#[derive(Clone, Debug)]
pub struct CaptionBatch<'a> {
    /// Number of images.
    pub size: usize,
    /// Word ids [batch, words].
    pub ids: Cow<'a, [usize]>,
    /// Words of each caption; 0 for images without captions.
    pub words: usize,
    /// A vector of each sentence [batch, sentence], for the models that hear sentences so; else empty.
    pub sentences: Cow<'a, [f32]>,
    /// Word ids of the sentences that the captions say in other words [batch, any], the shorter ones filled up with
    /// [`NO_WORD`]; empty for all but paraphrasers.
    pub read: Cow<'a, [usize]>,
    /// Pixels in [0, 1], [batch, CHW].
    pub images: Cow<'a, [f32]>,
    /// Where what the captions name stands, image by image; empty where nobody knows.
    pub boxes: Cow<'a, [NamedBox]>,
    /// All captions of each image, [`NO_WORD`] for a word that the vocabulary lacks: what sentences of a model's own are
    /// compared with; empty where there is but one.
    pub references: Cow<'a, [Vec<Vec<usize>>]>,
}

/// What is said of each image of a batch, in the form that a model hears.
#[derive(Clone, Copy, Debug)]
pub struct Captions<'a> {
    /// Number of captions.
    pub size: usize,
    /// Word ids [batch, words].
    pub ids: &'a [usize],
    /// Words of each caption; 0 where there are none.
    pub words: usize,
    /// A vector of each sentence [batch, sentence], or empty.
    pub sentences: &'a [f32],
}

impl<'a> Captions<'a> {
    /// Captions of `words` words each (1 or more), as word ids [batch, words].
    pub fn of_words(ids: &'a [usize], words: usize) -> Self {
        Self { size: ids.len() / words, ids, words, sentences: &[] }
    }

    /// Sentence vectors [batch, sentence].
    pub fn of_sentences(size: usize, sentences: &'a [f32]) -> Self {
        Self { size, ids: &[], words: 0, sentences }
    }

    /// Nothing is said, of so many images.
    pub fn none(size: usize) -> Self {
        Self { size, ids: &[], words: 0, sentences: &[] }
    }

    /// A single caption where the same is said of all images.
    #[must_use]
    pub fn once_if_equal(self) -> Self {
        let (ids, sentences) = (self.ids.len() / self.size.max(1), self.sentences.len() / self.size.max(1));
        let equal = self.size > 1
            && self.ids[ids..] == self.ids[..self.ids.len() - ids]
            && self.sentences[sentences..] == self.sentences[..self.sentences.len() - sentences];
        if !equal {
            return self;
        }
        Self { size: 1, ids: &self.ids[..ids], sentences: &self.sentences[..sentences], ..self }
    }
}

impl<'a> CaptionBatch<'a> {
    /// Images with captions of `words` words each (1 or more).
    pub fn of_words(ids: Cow<'a, [usize]>, words: usize, images: Cow<'a, [f32]>) -> Self {
        Self { size: ids.len() / words, ids, words, ..Self::of_images(0, images) }
    }

    /// Images without captions.
    pub fn of_images(size: usize, images: Cow<'a, [f32]>) -> Self {
        let empty = || Cow::Borrowed(&[][..]);
        let (sentences, boxes) = (Cow::Borrowed(&[][..]), Cow::Borrowed(&[][..]));
        let references = Cow::Borrowed(&[][..]);
        Self { size, ids: empty(), words: 0, sentences, read: empty(), images, boxes, references }
    }

    /// Captions of `words` words each (1 or more), and the sentences that they say in other words.
    pub fn of_paraphrases(ids: Vec<usize>, words: usize, sentences: &[&[usize]]) -> Self {
        let longest = sentences.iter().map(|sentence| sentence.len()).max().unwrap_or(0);
        let mut read = Vec::with_capacity(sentences.len() * longest);
        for sentence in sentences {
            read.extend_from_slice(sentence);
            read.resize(read.len() + longest - sentence.len(), NO_WORD);
        }
        Self { read: Cow::Owned(read), ..Self::of_words(Cow::Owned(ids), words, Cow::Borrowed(&[])) }
    }

    /// The same with a vector of each sentence.
    #[must_use]
    pub fn with_sentences(self, sentences: Cow<'a, [f32]>) -> Self {
        Self { sentences, ..self }
    }

    /// The same with what is known of where things stand.
    #[must_use]
    pub fn with_boxes(self, boxes: Cow<'a, [NamedBox]>) -> Self {
        Self { boxes, ..self }
    }

    /// The same with all captions of each image.
    #[must_use]
    pub fn with_references(self, references: Vec<Vec<Vec<usize>>>) -> Self {
        Self { references: Cow::Owned(references), ..self }
    }
}

impl CaptionBatch<'_> {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.size
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// The words of each caption, without what fills the shorter ones up.
    pub fn sentences(&self) -> Vec<&[usize]> {
        unfilled(&self.ids, self.words)
    }

    /// The words of each sentence that was read, without what fills the shorter ones up.
    pub fn read_sentences(&self) -> Vec<&[usize]> {
        unfilled(&self.read, self.read.len() / self.size.max(1))
    }

    /// What is said of them.
    pub fn captions(&self) -> Captions<'_> {
        Captions { size: self.size, ids: &self.ids, words: self.words, sentences: &self.sentences }
    }

    /// Has one caption said of all images.
    pub fn say(&mut self, caption: &[usize]) {
        self.ids = Cow::Owned(caption.repeat(self.size));
        self.words = caption.len();
    }

    /// Gives each shard its share of the images, as even as can be, each on a thread of its own; those that get none are not
    /// called.
    pub fn share<S: Send>(&self, shards: &mut [S], work: impl Fn(Range<usize>, &mut S) + Sync) {
        let size = self.len().div_ceil(shards.len());
        std::thread::scope(|scope| {
            for (index, shard) in shards.iter_mut().enumerate() {
                let images = (index * size).min(self.len())..((index + 1) * size).min(self.len());
                let work = &work;
                if !images.is_empty() {
                    scope.spawn(move || work(images, shard));
                }
            }
        });
    }

    /// Images `start..end`, borrowed.
    pub fn slice(&self, start: usize, end: usize) -> CaptionBatch<'_> {
        let of = |len: usize| start * (len / self.size)..end * (len / self.size);
        let boxes = self.boxes.iter().filter(|named| (start..end).contains(&named.image));
        let boxes = boxes.map(|named| NamedBox { image: named.image - start, ..*named }).collect();
        CaptionBatch {
            size: end - start,
            ids: Cow::Borrowed(&self.ids[of(self.ids.len())]),
            words: self.words,
            sentences: Cow::Borrowed(&self.sentences[of(self.sentences.len())]),
            read: Cow::Borrowed(&self.read[of(self.read.len())]),
            images: Cow::Borrowed(&self.images[of(self.images.len())]),
            boxes: Cow::Owned(boxes),
            references: Cow::Borrowed(&self.references[of(self.references.len())]),
        }
    }
}

/// Sentences of so many ids each, without what fills the shorter ones up.
fn unfilled(ids: &[usize], words: usize) -> Vec<&[usize]> {
    let of = |ids: &[usize]| ids.iter().take_while(|&&id| id != NO_WORD).count();
    ids.chunks(words.max(1)).map(|ids| &ids[..of(ids)]).collect()
}

/// A batch with the seed of its latent noise.
#[derive(Clone, Debug)]
pub struct TrainBatch {
    /// Captions and images.
    pub batch: CaptionBatch<'static>,
    /// Seed of the latent noise.
    pub noise_seed: u64,
    /// Epoch, from 1; 0 for validation.
    pub epoch: usize,
    /// Batch in the epoch, from 0.
    pub index: usize,
    /// How far the run is.
    pub progress: Progress,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Share of it that is done, 0 to 1.
    pub done: f32,
    /// Share after which its first lesson had been learned; none: not yet, or no lesson's end depends on what is learned.
    pub learned: Option<f32>,
}

impl Progress {
    /// A share of a run, nothing learned before its time.
    pub fn at(done: f32) -> Self {
        Self { done, learned: None }
    }
}

impl TrainBatch {
    /// A batch that is measured on, as a run at its end would be.
    pub fn measured(batch: CaptionBatch<'static>, noise_seed: u64) -> Self {
        Self { batch, noise_seed, epoch: 0, index: 0, progress: Progress::at(1.0) }
    }

    /// Whether it is learned from, with dropout say, or measured on.
    pub fn is_learned_from(&self) -> bool {
        self.epoch > 0
    }
}

/// What a training batch is drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lesson {
    /// All captions.
    #[default]
    Everything,
    /// The same, each as often as in the language; in the others, what is hard may be more frequent.
    AsSaid,
    /// Captions of one object; where a sentence has several, one of them is shown and named.
    OneObject,
    /// The same captions with pictures of their places alone.
    Places,
    /// Captions and boxes without their pictures, half of them of what stands on something else or nowhere in
    /// particular.
    Frames,
}
