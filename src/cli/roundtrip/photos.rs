//! The round trip on photos: the first caption of each is painted, and the picture described; beside it the photo itself,
//! as small as the painter's pictures and whole, which is the most that a painter can reach.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;

use super::{BATCH, Round, Trip};
use crate::cli::open::read_said;
use crate::cli::output::{note, progress, say};
use crate::data::folder::pixels;
use crate::data::folder::said::Captioned;
use crate::data::noise::Noise;
use crate::data::words::UNKNOWN;
use crate::eval::bleu::{Bleu, Compared};
use crate::eyes::Eyes;
use crate::nn::floats;

/// What is written as JSON.
#[derive(Serialize)]
pub struct Photos {
    /// Of what came back from painted pictures against the captions that they were painted of.
    painted: Bleu,
    /// The same when the photo itself, cut and made as small as the painter's pictures, is described.
    small_photos: Bleu,
    /// The same of the whole photo.
    whole_photos: Bleu,
    /// Of what came back against another photo's caption: what a captioner gains that always says the same kind of thing.
    shuffled_control: Bleu,
    /// Different sentences that came back from painted pictures, from small photos and from whole ones.
    distinct_sentences: [usize; 3],
    /// Captions that were passed over: the painter knows none of their words, or draws none so long.
    passed_over: usize,
    trips: Vec<Trip>,
}

/// A photo whose first caption goes round.
struct Sent<'a> {
    photo: &'a Captioned,
    /// The caption in words that the painter knows.
    caption: String,
    seed: u64,
}

/// The captions that the painter can draw, by their number of words.
fn sent<'a>(round: &Round, photos: &'a [Captioned], seed: u64) -> BTreeMap<usize, Vec<Sent<'a>>> {
    let vocabulary = round.pipeline.vocabulary();
    let known = |word: &String| if vocabulary.id(word).is_some() { word.clone() } else { UNKNOWN.to_owned() };
    let mut noise = Noise::new(seed);
    let mut by_length = BTreeMap::<usize, Vec<Sent>>::new();
    for photo in photos {
        let seed = noise.next_u64();
        let Some(first) = photo.captions.first() else { continue };
        let caption = first.iter().map(known).collect::<Vec<_>>().join(" ");
        let any_known = first.iter().any(|word| vocabulary.id(word).is_some());
        if let (true, Ok(tokens)) = (any_known, vocabulary.tokens(&caption)) {
            by_length.entry(tokens.ids.len()).or_default().push(Sent { photo, caption, seed });
        }
    }
    by_length
}

/// Sends the first captions of the first test photos of a folder round.
pub fn survived(round: &Round, data: &Path, most: usize, seed: u64) -> Result<Photos> {
    let Some(eyes) = &round.eyes else {
        bail!("--data is for captioners of photos, that look with the eyes");
    };
    let said = read_said(Some(data), None)?;
    let photos = &said.test_images[..said.test_images.len().min(most)];
    let sent = sent(round, photos, seed);
    let bar = progress(photos.len() as u64);
    let side = round.pipeline.painter().image_size().width;
    let (mut trips, mut small, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for some in sent.values().flat_map(|of_length| of_length.chunks(BATCH)) {
        let captions: Vec<String> = some.iter().map(|sent| sent.caption.clone()).collect();
        let seeds: Vec<u64> = some.iter().map(|sent| sent.seed).collect();
        let returned = round.describe(round.paint(&captions, &seeds)?)?;
        for (sent, returned) in some.iter().zip(returned) {
            let caption = sent.photo.captions[0].join(" ");
            trips.push(Trip { caption, seed: sent.seed, returned });
        }
        let (mut cut, mut squeezed) = (Vec::new(), Vec::new());
        for Sent { photo, .. } in some {
            cut.extend(pixels::open(&photo.path, side)?);
            squeezed.extend(pixels::open_squeezed(&photo.path, Eyes::SIDE)?);
        }
        small.extend(round.describe(cut)?);
        whole.extend(round.say(floats(eyes.features(&squeezed)?.into_data()))?);
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    let passed_over = photos.len() - trips.len();
    if trips.is_empty() {
        bail!("none of the {} captions can be drawn by this painter", photos.len());
    }
    if passed_over > 0 {
        note!(
            "{passed_over} captions are passed over: the painter knows none of their words, or they are too long"
        );
    }
    let painted: Vec<String> = trips.iter().map(|trip| trip.returned.clone()).collect();
    let distinct =
        [&painted, &small, &whole].map(|said| said.iter().collect::<std::collections::BTreeSet<_>>().len());
    Ok(Photos {
        painted: bleu(&painted, &trips, 0),
        small_photos: bleu(&small, &trips, 0),
        whole_photos: bleu(&whole, &trips, 0),
        // Neighbours are of one length: half of all lies between what is compared.
        shuffled_control: bleu(&painted, &trips, trips.len() / 2),
        distinct_sentences: distinct,
        passed_over,
        trips,
    })
}

/// BLEU of what came back against the caption that was sent `shift` later.
fn bleu(said: &[String], trips: &[Trip], shift: usize) -> Bleu {
    let compared = said.iter().zip(trips.iter().cycle().skip(shift)).map(|(said, trip)| Compared {
        candidate: said.split_whitespace().collect(),
        references: vec![trip.caption.split_whitespace().collect()],
    });
    Bleu::of(&compared.collect::<Vec<_>>())
}

impl Photos {
    /// Captions that went round.
    pub fn trips(&self) -> usize {
        self.trips.len()
    }

    pub fn print(&self) {
        say!("{:<44}{:>7}{:>7}{:>7}{:>7}", "BLEU against the first caption", 1, 2, 3, 4);
        let rows = [
            ("of painted pictures", &self.painted),
            ("of photos as small as these", &self.small_photos),
            ("of whole photos", &self.whole_photos),
            ("of painted pictures, another caption", &self.shuffled_control),
        ];
        for (name, bleu) in rows {
            let [one, two, three, four] = bleu.bleu.map(|share| 100.0 * share);
            say!("{name:<44}{one:>7.1}{two:>7.1}{three:>7.1}{four:>7.1}");
        }
        let [painted, small, whole] = self.distinct_sentences;
        say!(
            "different sentences: {painted} of painted pictures, {small} of small photos, {whole} of whole ones"
        );
    }
}
