//! Contradictions: pairings of which blocks leave nothing.

use std::sync::Arc;

use sidecart_catalog::{Catalog, Entry};

use super::{Fault, FindingKind, reach};
use crate::{
    rule::{Rule, RuleId},
    rule_set::{Direction, RuleSet},
};

/// Most anchors, and most targets, of a pairing that are looked at.
const SIDE_MAX: usize = 64;
/// Most blocks of one target that are looked at.
const BLOCKS_MAX: usize = 256;
/// Most rules compared with pairs of products in one lint: some seconds of work, which only absurd sets need.
const COMPARISONS_MAX: usize = 20_000_000;

/// Finds contradictions, as long as its comparisons last.
pub(super) struct Conflicts<'a> {
    rules: &'a RuleSet,
    catalog: &'a Catalog,
    comparisons_left: usize,
}

impl<'a> Conflicts<'a> {
    pub(super) fn new(rules: &'a RuleSet, catalog: &'a Catalog) -> Self {
        Self { rules, catalog, comparisons_left: COMPARISONS_MAX }
    }

    /// Says when every pair of an enabled pairing, as far as looked at, is forbidden while the pairing holds.
    pub(super) fn contradiction(&mut self, rule: &Rule) -> Option<Fault> {
        if rule.parts().disabled || rule.pairing().is_none() || !self.rules.has_blocks() {
            return None;
        }
        rule.directions().iter().find_map(|direction| {
            let block = self.blocked_by(rule, *direction)?;
            let forbids = match direction {
                Direction::Forward => "forbids its targets beside its anchors",
                Direction::Reverse => "forbids its anchors beside its targets, but it is mutual",
            };
            Some(Fault::beside(FindingKind::Contradiction, &block, format!("block `{block}` {forbids}")))
        })
    }

    /// The first block met, when blocks forbid all pairs that were looked at, and there was one.
    fn blocked_by(&mut self, pairing: &Rule, direction: Direction) -> Option<RuleId> {
        let (anchors, targets) = pairing.selectors(direction);
        let anchors = reach::sample(anchors?, self.catalog, SIDE_MAX);
        let mut first = None;
        for target in reach::sample(targets, self.catalog, SIDE_MAX) {
            let mut blocks: Option<Vec<_>> = None;
            for anchor in &anchors {
                self.spend(1)?;
                if !pairing.covers(direction, anchor, target) {
                    continue;
                }
                let blocks = blocks.get_or_insert_with(|| self.blocks_beside(pairing, target));
                self.spend(blocks.len())?;
                let block = blocks.iter().find(|block| block.covers(Direction::Forward, anchor, target))?;
                first.get_or_insert_with(|| block.id().clone());
            }
        }
        first
    }

    /// Blocks of a target that hold whenever the pairing does: one for some stages or surfaces only is deliberate.
    fn blocks_beside(&self, pairing: &Rule, target: &Entry) -> Vec<Arc<Rule>> {
        let looked_at = self.rules.blocks_on(target).take(BLOCKS_MAX);
        looked_at.filter(|block| !block.parts().disabled && block.spans(pairing)).cloned().collect()
    }

    fn spend(&mut self, comparisons: usize) -> Option<()> {
        self.comparisons_left = self.comparisons_left.checked_sub(comparisons)?;
        Some(())
    }
}
