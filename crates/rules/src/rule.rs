//! A rule: a merchant's pairing, block or boost.

use std::{borrow::Borrow, fmt, sync::Arc};

use sidecart_catalog::{Entry, ProductId, Term, Timestamp, Violation};

use crate::{
    check,
    context::{Stage, Stages, Surface, Surfaces, set},
    matching::MatchClause,
    rule_set::Direction,
    selector::Selector,
    sentence::Sentence,
};

/// Longest rule id, in bytes.
const ID_BYTES_MAX: usize = 128;
/// Longest need, in bytes.
const NEED_BYTES_MAX: usize = 64;
/// Longest note, in bytes.
const NOTE_BYTES_MAX: usize = 1_024;
/// Most match clauses of a rule.
const CLAUSES_MAX: usize = 8;
/// Most windows of a rule.
const WINDOWS_MAX: usize = 16;
/// Last place that a pairing can ask for.
const POSITION_MAX: u8 = 20;
/// Largest number of anchors that a pairing can ask for.
const QUANTITY_MAX: u32 = 1_000_000;
/// A boost is above this …
const FACTOR_ABOVE: f64 = 0.01;
/// … and below this.
const FACTOR_BELOW: f64 = 100.0;

/// What a target is to its anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The anchor does not work without it.
    RequiredAccessory,
    /// Makes the anchor more useful.
    Accessory,
    /// Used up by the anchor.
    Consumable,
    /// More of the same, once it runs out.
    Refill,
    /// Protects the anchor.
    Protection,
    /// Part of a set that the merchant sells together.
    BundlePart,
    /// Done for the anchor or its owner.
    Service,
}

set! {
    /// A set of relations.
    Relations of Relation
}

/// A rule's id, the merchant's own: 1 to 128 bytes, no control characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleId(Arc<str>);

/// A span of time: from its first moment until just before its end. Either may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// Targets that go with anchors.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairing {
    /// What the target is to the anchor.
    pub relation: Relation,
    /// The job the target does, at most 64 bytes. `None`: the leaf category of the target.
    pub need: Option<Arc<str>>,
    /// Place in the answer, 1 to 20. `None`: by score.
    pub position: Option<u8>,
    /// How many of the anchor there must be, at least 1.
    pub min_anchor_quantity: u32,
    /// The merchant's own sentence.
    pub sentence: Option<Sentence>,
    /// Whether anchors are offered beside targets too.
    pub mutual: bool,
    /// Whether a target may share its leaf category with the anchor.
    pub allows_same_category: bool,
}

/// Multiplies the odds of a target's score: above 0.01, below 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boost(f64);

/// What a rule says.
#[derive(Debug, Clone, PartialEq)]
pub enum Says {
    /// These targets go with these anchors.
    Pairing(Pairing),
    /// These targets never go with these anchors.
    Block,
    /// These targets go better or worse than their score.
    Boost(Boost),
}

/// The fields of a rule, not yet checked as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleParts {
    /// The merchant's own id.
    pub id: RuleId,
    /// What it says.
    pub says: Says,
    /// Which products it is about. `None`: any anchor; refused for a pairing.
    pub anchor: Option<Selector>,
    /// Which products it offers, forbids or boosts.
    pub target: Selector,
    /// What must hold between an anchor and a target; at most 8.
    pub matches: Vec<MatchClause>,
    /// Stages it holds in.
    pub stages: Stages,
    /// Surfaces it holds on.
    pub surfaces: Surfaces,
    /// When it holds, at most 16; none: always.
    pub windows: Vec<Window>,
    /// Kept, listed, without effect.
    pub disabled: bool,
    /// For people, at most 1,024 bytes.
    pub note: Box<str>,
}

/// A valid rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    parts: RuleParts,
    /// The match clauses seen from the other side; only for a mutual pairing.
    mirrored: Box<[MatchClause]>,
}

impl RuleId {
    /// Checks and takes an id.
    ///
    /// # Errors
    /// Empty, over 128 bytes, or with a control character.
    pub fn new(id: &str) -> Result<Self, Violation> {
        check::text("", id, ID_BYTES_MAX)?;
        Ok(Self(id.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for RuleId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Window {
    /// Checks and takes a window.
    ///
    /// # Errors
    /// It ends before or when it begins, or both ends are open.
    pub fn new(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Self, Violation> {
        match (from, until) {
            (None, None) => Err(Violation::new("", "is open at both ends: leave it out")),
            (Some(from), Some(until)) if until <= from => {
                Err(Violation::new("until", "is not after `from`, so that no moment is inside"))
            }
            _ => Ok(Self { from, until }),
        }
    }

    /// Whether a moment is inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// Whether any moment is in both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let begins_before = |from: Option<Timestamp>, until: Option<Timestamp>| match (from, until) {
            (Some(from), Some(until)) => from < until,
            _ => true,
        };
        begins_before(self.from, other.until) && begins_before(other.from, self.until)
    }

    /// Whether every moment of the other is inside.
    pub(crate) fn spans(&self, other: &Self) -> bool {
        let starts = self.from.is_none_or(|from| other.from.is_some_and(|other| from <= other));
        let ends = self.until.is_none_or(|until| other.until.is_some_and(|other| other <= until));
        starts && ends
    }

    /// First moment inside, if not open.
    pub fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// First moment after, if not open.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }
}

impl Boost {
    /// Checks and takes a factor.
    ///
    /// # Errors
    /// Not finite, or not between 0.01 and 100.
    pub fn new(factor: f64) -> Result<Self, Violation> {
        if factor > FACTOR_ABOVE && factor < FACTOR_BELOW {
            return Ok(Self(factor));
        }
        let allowed = format!("is {factor}, allowed above {FACTOR_ABOVE} and below {FACTOR_BELOW}");
        Err(Violation::new("factor", allowed))
    }

    /// The factor.
    pub fn factor(self) -> f64 {
        self.0
    }
}

impl Rule {
    /// Checks the fields and takes them.
    ///
    /// # Errors
    /// The first fault, with its field path as in the proto (`pairing.position`, `match`, `anchor` …).
    pub fn new(parts: RuleParts) -> Result<Self, Violation> {
        check::count("match", parts.matches.len(), CLAUSES_MAX)?;
        check::count("windows", parts.windows.len(), WINDOWS_MAX)?;
        check::length("note", &parts.note, NOTE_BYTES_MAX)?;
        match (&parts.says, &parts.anchor) {
            (Says::Pairing(pairing), Some(anchor)) => check_pairing(pairing, anchor, &parts.target)?,
            (Says::Pairing(_), None) => {
                return Err(Violation::new("anchor", "is missing: a pairing needs one"));
            }
            (Says::Block | Says::Boost(_), None) if !parts.matches.is_empty() => {
                return Err(Violation::new("match", "is given, but there is no anchor to match"));
            }
            (Says::Block | Says::Boost(_), _) => {}
        }
        let is_mutual = matches!(&parts.says, Says::Pairing(pairing) if pairing.mutual);
        let mirrored =
            if is_mutual { parts.matches.iter().map(MatchClause::mirrored).collect() } else { [].into() };
        Ok(Self { parts, mirrored })
    }

    /// The fields.
    pub fn parts(&self) -> &RuleParts {
        &self.parts
    }

    /// The id.
    pub fn id(&self) -> &RuleId {
        &self.parts.id
    }

    /// The pairing, if it is one.
    pub fn pairing(&self) -> Option<&Pairing> {
        match &self.parts.says {
            Says::Pairing(pairing) => Some(pairing),
            Says::Block | Says::Boost(_) => None,
        }
    }

    /// The ways it is read: both for a mutual pairing, else from anchors to targets only.
    pub(crate) fn directions(&self) -> &'static [Direction] {
        match self.pairing() {
            Some(pairing) if pairing.mutual => &[Direction::Forward, Direction::Reverse],
            _ => &[Direction::Forward],
        }
    }

    /// The match clauses when the rule is read in a direction (mirrored for the reverse of a mutual pairing).
    pub fn matches(&self, direction: Direction) -> &[MatchClause] {
        match direction {
            Direction::Forward => &self.parts.matches,
            Direction::Reverse => &self.mirrored,
        }
    }

    /// The selectors (anchor, target) when the rule is read in a direction. Only a mutual pairing is read in reverse.
    pub fn selectors(&self, direction: Direction) -> (Option<&Selector>, &Selector) {
        let RuleParts { anchor, target, .. } = &self.parts;
        match (direction, anchor) {
            (Direction::Reverse, Some(anchor)) => (Some(target), anchor),
            (Direction::Forward | Direction::Reverse, anchor) => (anchor.as_ref(), target),
        }
    }

    /// Whether it holds at a stage, on a surface.
    pub fn holds_in(&self, stage: Stage, surface: Surface) -> bool {
        self.parts.stages.contains(stage) && self.parts.surfaces.contains(surface)
    }

    /// Whether it holds at a moment.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.parts.windows.is_empty() || self.parts.windows.iter().any(|window| window.contains(at))
    }

    /// Whether there is a stage, a surface and a moment at which both hold.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let (own, other) = (&self.parts, &other.parts);
        let windows_meet =
            || own.windows.iter().any(|window| other.windows.iter().any(|other| window.overlaps(other)));
        own.stages.overlaps(other.stages)
            && own.surfaces.overlaps(other.surfaces)
            && (own.windows.is_empty() || other.windows.is_empty() || windows_meet())
    }

    /// Whether it holds at every stage, surface and moment at which the other does.
    pub(crate) fn spans(&self, other: &Self) -> bool {
        let (own, other) = (&self.parts, &other.parts);
        let spanned = |window: &Window| own.windows.iter().any(|own| own.spans(window));
        let spans_windows = !other.windows.is_empty() && other.windows.iter().all(spanned);
        own.stages.spans(other.stages)
            && own.surfaces.spans(other.surfaces)
            && (own.windows.is_empty() || spans_windows)
    }

    /// Whether the whole statement covers this pair in this direction: selectors and match clauses.
    pub fn covers(&self, direction: Direction, anchor: &Entry, target: &Entry) -> bool {
        let (anchors, targets) = self.selectors(direction);
        targets.selects(target)
            && anchors.is_none_or(|anchors| anchors.selects(anchor))
            && self.matches(direction).iter().all(|clause| clause.holds(target.product(), anchor.product()))
    }
}

fn check_pairing(pairing: &Pairing, anchor: &Selector, target: &Selector) -> Result<(), Violation> {
    if let Some(need) = &pairing.need {
        check::text("pairing.need", need, NEED_BYTES_MAX)?;
    }
    if let Some(position) = pairing.position {
        check::range("pairing.position", position, 1, POSITION_MAX)?;
    }
    check::range("pairing.min_anchor_quantity", pairing.min_anchor_quantity, 1, QUANTITY_MAX)?;
    match (only_product(anchor), only_product(target)) {
        (Some(anchor), Some(target)) if anchor == target && pairing.relation != Relation::Refill => {
            Err(Violation::new(
                "target",
                format!("is the anchor itself, product `{anchor}`: only a REFILL may be"),
            ))
        }
        _ => Ok(()),
    }
}

/// The one product that a selector can select, when it names it.
fn only_product(selector: &Selector) -> Option<&ProductId> {
    let any_of = if let [only] = selector.any_of() { Some(only) } else { None };
    selector.all_of().iter().chain(any_of).find_map(|term| match term {
        Term::Product(id) => Some(id),
        Term::Family(_) | Term::Category(_) | Term::Tag(_) | Term::Attribute { .. } => None,
    })
}

#[cfg(test)]
mod tests;
