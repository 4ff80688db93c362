//! What is held out of the captioned digits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Scene, Slot, TEMPLATES};
use crate::data::noise::Noise;

/// The compositions that are never trained on: a digit for each slot.
///
/// The paper bans per sentence template, so that a composition held out of "left of" is seen through
/// its paraphrase "right of": [`Bans::draw_wordings`]. Those of [`Bans::draw`] hold for the layout, whatever the wording. As
/// in the paper a ban is drawn from 0..=10, where 10 bans nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bans {
    /// The seed they were drawn from.
    pub seed: u64,
    /// The digit that never stands in a slot.
    pub slots: BTreeMap<Slot, u8>,
    /// Where bans hold for wordings, of each template the digits that never stand in its slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wordings: Vec<[Option<u8>; 2]>,
}

impl Bans {
    /// Whether nothing is held out.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.wordings.iter().flatten().all(Option::is_none)
    }

    /// Draws the bans of layouts for a seed.
    pub fn draw(seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let drawn = Slot::ALL.map(|slot| (slot, noise.below(11) as u8));
        let slots = drawn.into_iter().filter(|(_, digit)| *digit < 10).collect();
        Self { seed, slots, wordings: Vec::new() }
    }

    /// Draws the bans of wordings for a seed.
    pub fn draw_wordings(seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let mut ban = || Some(noise.below(11) as u8).filter(|digit| *digit < 10);
        let wordings = (0..TEMPLATES).map(|_| [ban(), ban()]).collect();
        Self { seed, slots: BTreeMap::new(), wordings }
    }

    /// Whether the digit of a scene's slot, 0 or 1, is banned there.
    pub fn holds(&self, scene: &Scene, at: usize) -> bool {
        let (slot, digit) = scene.digits[at];
        let banned = match self.wordings.get(scene.template) {
            Some(wording) => wording[at],
            None => self.slots.get(&slot).copied(),
        };
        banned == Some(digit)
    }

    /// Whether a scene holds a banned digit.
    pub fn contains(&self, scene: &Scene) -> bool {
        (0..scene.count).any(|at| self.holds(scene, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_of_a_wording_is_seen_through_its_paraphrase() {
        let mut bans = Bans { wordings: vec![[None; 2]; TEMPLATES], ..Bans::default() };
        bans.wordings[0] = [Some(4), None];
        // "4 on the left of 7" and "7 on the right of 4" are one layout.
        assert!(bans.contains(&Scene::new(0, 4, 7)));
        assert!(!bans.contains(&Scene::new(1, 4, 7)) && !bans.contains(&Scene::new(0, 7, 4)));
        // A corner has one digit.
        bans.wordings[4] = [None, Some(3)];
        assert!(!bans.contains(&Scene::new(4, 3, 3)));
        let drawn = Bans::draw_wordings(1);
        assert_eq!(drawn.wordings.len(), TEMPLATES);
        assert!(Scene::all().iter().any(|scene| drawn.contains(scene)));
        assert_ne!(drawn, Bans::draw_wordings(2));
    }
}
