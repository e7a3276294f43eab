//! The rules part of a snapshot: all rules of a merchant, indexed by what their anchors answer to.
//!
//! Cloning is cheap and a change copies only what it touches.

use std::{ops::Bound, sync::Arc};

use sidecart_catalog::{Change, Entry, TermId, Violation};

use crate::{
    index::Index,
    rule::{Rule, RuleId, Says},
    selector::Selector,
};

/// Which way a rule is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From its anchors to its targets.
    Forward,
    /// From its targets to its anchors: only a mutual pairing.
    Reverse,
}

/// Most products that answers look at for one pairing beside one anchor, for each term or value it is scanned by.
pub const SCAN_MAX: usize = 1_024;

/// A rule read in one direction.
#[derive(Debug, Clone)]
pub struct Pointer {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Which way it is read.
    pub direction: Direction,
}

/// The rules of one merchant.
#[derive(Clone, Default)]
pub struct RuleSet {
    rules: imbl::OrdMap<RuleId, Arc<Rule>>,
    /// By what their anchors are found under, in each direction they are read.
    pairings: Index,
    /// By what their targets are found under.
    blocks: Index,
    /// By what their targets are found under.
    boosts: Index,
}

impl RuleSet {
    /// Most rules of one merchant.
    pub const RULES_MAX: usize = 200_000;

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// A rule by id.
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        self.rules.get(id)
    }

    /// All rules by id, above `after` if given.
    pub fn list<'a>(&'a self, after: Option<&str>) -> impl Iterator<Item = &'a Arc<Rule>> + use<'a> {
        let above = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.rules.range::<_, str>((above, Bound::Unbounded)).map(|(_, rule)| rule)
    }

    /// Creates or replaces a rule.
    ///
    /// # Errors
    /// There would be more than [`Self::RULES_MAX`].
    pub fn upsert(&mut self, rule: Rule) -> Result<Change, Violation> {
        let old = self.rules.get(rule.id()).cloned();
        if old.as_deref() == Some(&rule) {
            return Ok(Change::Unchanged);
        }
        if old.is_none() && self.len() >= Self::RULES_MAX {
            return Err(Violation::new("", format!("would be one of more than {} rules", Self::RULES_MAX)));
        }
        if let Some(old) = &old {
            self.unindex(old);
        }
        let rule = Arc::new(rule);
        self.index(&rule);
        self.rules.insert(rule.id().clone(), rule);
        Ok(if old.is_some() { Change::Updated } else { Change::Created })
    }

    /// Removes a rule, if it is there.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(old) = self.rules.remove(id) else { return false };
        self.unindex(&old);
        true
    }

    /// Pairings whose anchor side (read either way) selects this product, by rule id then direction,
    /// each once; disabled ones and those for other stages included: the caller judges and explains those.
    pub fn pairings_from<'a>(&'a self, anchor: &'a Entry) -> impl Iterator<Item = &'a Pointer> {
        self.pairings.found_by(anchor).filter(|pointer| {
            let (anchors, _) = pointer.rule.selectors(pointer.direction);
            anchors.is_some_and(|anchors| anchors.selects(anchor))
        })
    }

    /// Whether any rule is a block.
    pub(crate) fn has_blocks(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// Blocks whose target selects this product, by rule id.
    pub fn blocks_on<'a>(&'a self, target: &'a Entry) -> impl Iterator<Item = &'a Arc<Rule>> {
        selecting(&self.blocks, target)
    }

    /// Boosts whose target selects this product, by rule id.
    pub fn boosts_on<'a>(&'a self, target: &'a Entry) -> impl Iterator<Item = &'a Arc<Rule>> {
        selecting(&self.boosts, target)
    }

    fn index(&mut self, rule: &Arc<Rule>) {
        for direction in rule.directions() {
            let (index, found_under) = self.index_of(rule, *direction);
            index.insert(found_under, &Pointer { rule: Arc::clone(rule), direction: *direction });
        }
    }

    fn unindex(&mut self, rule: &Rule) {
        for direction in rule.directions() {
            let (index, found_under) = self.index_of(rule, *direction);
            index.remove(found_under, (rule.id(), *direction));
        }
    }

    /// The index a rule belongs to, and the terms it is found under there.
    fn index_of<'a>(&mut self, rule: &'a Rule, direction: Direction) -> (&mut Index, &'a [TermId]) {
        let (anchors, targets) = rule.selectors(direction);
        match rule.parts().says {
            Says::Pairing(_) => (&mut self.pairings, anchors.map_or(&[], Selector::keys)),
            Says::Block => (&mut self.blocks, targets.keys()),
            Says::Boost(_) => (&mut self.boosts, targets.keys()),
        }
    }
}

fn selecting<'a>(index: &'a Index, target: &'a Entry) -> impl Iterator<Item = &'a Arc<Rule>> {
    index.found_by(target).map(|pointer| &pointer.rule).filter(|rule| rule.parts().target.selects(target))
}

#[cfg(test)]
mod tests;
