//! Rules that say what another has said: duplicates, and positions already taken.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, Hasher, RandomState},
};

use super::{Fault, FindingKind};
use crate::{
    rule::{Rule, RuleParts},
    selector::Selector,
};

/// Most rules with the same anchors and position that one is compared with.
const COMPARED_MAX: usize = 256;

/// The rules looked at so far, by what they have in common.
#[derive(Default)]
pub(super) struct Twins<'a> {
    hashing: RandomState,
    /// The first rule that says something, by the hash of that.
    first: HashMap<u64, &'a Rule>,
    /// Enabled pairings by anchors and position.
    positions: HashMap<(&'a Selector, u8), Vec<&'a Rule>>,
}

impl<'a> Twins<'a> {
    /// Says when an earlier rule says the same.
    pub(super) fn duplicate(&mut self, rule: &'a Rule) -> Option<Fault> {
        let first = self.first.entry(hash(rule, &self.hashing)).or_insert(rule);
        if first.id() == rule.id() || !says_the_same(first, rule) {
            return None;
        }
        Some(Fault::beside(
            FindingKind::Duplicate,
            first.id(),
            format!("says the same as rule `{}`", first.id()),
        ))
    }

    /// Says when an earlier pairing has the same anchors and position, and holds at some time when this one does.
    pub(super) fn shadowed_position(&mut self, rule: &'a Rule) -> Option<Fault> {
        let position = rule.pairing()?.position?;
        if rule.parts().disabled {
            return None;
        }
        let mut shadow = None;
        for direction in rule.directions() {
            let (Some(anchors), _) = rule.selectors(*direction) else { continue };
            let earlier = self.positions.entry((anchors, position)).or_default();
            shadow = shadow.or_else(|| {
                let mut others = earlier.iter().filter(|other| other.id() != rule.id());
                others.find(|other| other.meets(rule)).copied()
            });
            if earlier.len() < COMPARED_MAX {
                earlier.push(rule);
            }
        }
        let id = shadow?.id();
        let reason = format!("position {position} of the same anchors is taken by rule `{id}`");
        Some(Fault::beside(FindingKind::ShadowedPosition, id, reason))
    }
}

/// Whether two rules differ at most in id and note.
fn says_the_same(one: &Rule, other: &Rule) -> bool {
    let RuleParts { id: _, says, anchor, target, matches, stages, surfaces, windows, disabled, note: _ } =
        one.parts();
    let other = other.parts();
    (says, anchor, target, matches) == (&other.says, &other.anchor, &other.target, &other.matches)
        && (stages, surfaces, windows, disabled)
            == (&other.stages, &other.surfaces, &other.windows, &other.disabled)
}

/// A hash of all but id and note.
fn hash(rule: &Rule, hashing: &RandomState) -> u64 {
    let RuleParts { id: _, says, anchor, target, matches, stages, surfaces, windows, disabled, note: _ } =
        rule.parts();
    let mut hasher = hashing.build_hasher();
    (anchor, target, stages, surfaces, windows, disabled).hash(&mut hasher);
    // These hold floats and templates, which have no hash; their debug form says all there is.
    format!("{says:?} {matches:?}").hash(&mut hasher);
    hasher.finish()
}
