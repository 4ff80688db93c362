//! What a caption's things are to one another.

use std::ops::Range;

use super::{Layer, Lexicon};

/// The layers of one kind of thing: those of one word.
pub type Kind = Range<usize>;

/// Kinds of things side by side.
#[derive(Debug)]
pub struct Run {
    /// From left to right.
    pub kinds: Vec<Kind>,
    /// The kind that they are over, and the word that says so.
    pub over: Option<(Kind, usize)>,
    /// Whether they are said to be in the sky.
    pub flies: bool,
}

/// A kind of thing in a sentence.
struct Named {
    kind: Kind,
    /// The position of its word.
    word: usize,
    /// The same, or that of the last word that names a place of its own.
    last: usize,
    flies: bool,
}

impl Lexicon {
    /// The kinds of things of a caption, and which are over which; their layers follow that of the place.
    pub(super) fn runs(&self, ids: &[usize], things: &[Layer]) -> Vec<Run> {
        let named = self.named(ids, things);
        let mut runs: Vec<Run> = Vec::new();
        for (at, Named { kind, word, flies, .. }) in named.iter().enumerate() {
            let mut fresh = Run { kinds: vec![kind.clone()], over: None, flies: *flies };
            if let Some((before, run)) = named[..at].last().zip(runs.last_mut()) {
                let between = &ids[before.last + 1..*word];
                match self.relation(between) {
                    None if before.last == before.word => {
                        let after = between.iter().any(|id| self.after.contains(id));
                        run.kinds.insert(run.kinds.len() - usize::from(after), kind.clone());
                        run.flies = *flies;
                        continue;
                    }
                    None => {}
                    Some(word) if self.is_inverse(&[word]) => {
                        fresh.over = Some((before.kind.clone(), self.plain(word)));
                    }
                    Some(word) => {
                        run.over.get_or_insert((kind.clone(), word));
                    }
                }
            }
            runs.push(fresh);
        }
        runs
    }

    /// The kinds of things of a caption in the order of the sentence.
    fn named(&self, ids: &[usize], things: &[Layer]) -> Vec<Named> {
        let places = self.places_named(ids, things);
        let mut named: Vec<Named> = Vec::new();
        for (at, thing) in (1..).zip(things) {
            match named.last_mut().filter(|last| last.word == thing.word) {
                Some(last) => last.kind.end = at + 1,
                None => {
                    named.push(Named { kind: at..at + 1, word: thing.word, last: thing.word, flies: false })
                }
            }
        }
        let ends: Vec<usize> = named.iter().skip(1).map(|next| next.word).chain([ids.len()]).collect();
        for (kind, end) in named.iter_mut().zip(ends) {
            let own: Vec<usize> = places.iter().copied().filter(|at| (kind.word..end).contains(at)).collect();
            kind.flies = !own.is_empty() && own.iter().all(|&at| self.skies.contains(&ids[at]));
            kind.last = own.last().copied().unwrap_or(kind.word);
        }
        named
    }

    /// The word between two things that says that one is over the other; none where they stand beside each other.
    fn relation(&self, between: &[usize]) -> Option<usize> {
        let beside = between.iter().any(|id| self.joins.contains(id) || self.after.contains(id));
        between.iter().rev().copied().find(|id| !beside && self.relations.contains(id))
    }

    /// In a picture that is not of a sky, what flies is above what is named nearest to it and does not.
    pub(super) fn raise(&self, runs: &mut [Run]) {
        let Some([_, above]) = self.inverses.first() else { return };
        let stands = |run: &&Run| run.over.is_none() && !run.flies;
        for at in 0..runs.len() {
            let before = runs[..at].iter().rev().find(stands).and_then(|run| run.kinds.last());
            let lower =
                before.or_else(|| runs[at + 1..].iter().find(stands).and_then(|run| run.kinds.first()));
            if let (true, None, Some(kind)) = (runs[at].flies, &runs[at].over, lower.cloned()) {
                runs[at].over = Some((kind, *above));
            }
        }
    }
}
