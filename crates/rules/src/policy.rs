//! Policy: a merchant's limits on offering, with overrides per stage and surface.

mod follow_ups;

use std::{
    borrow::Borrow,
    fmt,
    sync::{Arc, LazyLock},
};

use sidecart_catalog::{Violation, limits::STOCK_QUANTITY_MAX, names::words};

use crate::{
    check,
    context::{Stage, Stages, Surface, Surfaces},
    rule::Relations,
};

pub use follow_ups::{FollowUpKind, FollowUpKinds, FollowUpTerms, FollowUpTimes};

/// Longest policy name, in characters.
const NAME_CHARS_MAX: usize = 64;
/// Most overrides of a policy.
const OVERRIDES_MAX: usize = 32;
/// Most phrases of a list.
const PHRASES_MAX: usize = 32;
/// Longest phrase, in bytes.
const PHRASE_BYTES_MAX: usize = 64;
/// Longest phrase, in words.
const PHRASE_WORDS_MAX: usize = 16;
/// Most policies of a merchant.
const POLICIES_MAX: usize = 64;
/// Largest count that a limit can be.
const COUNT_MAX: u32 = 100;
/// Largest price proportion.
const PERCENT_MAX: u32 = 100_000;
/// Largest lift that can be asked for.
const LIFT_MAX: f64 = 1_000.0;
/// The name that calls use which name none.
const DEFAULT: &str = "default";
/// The name of the policy that lifts restraint.
const OPEN: &str = "open";

/// What the order of offers is weighed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// The estimated chance that the offer is taken.
    TakeRate,
    /// That chance times the price.
    Revenue,
    /// That chance times price less unit cost.
    Margin,
}

/// The limits that hold for one answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Offers in one answer, 0 to 100.
    pub offers_max: u32,
    /// A target may cost at most this percentage of its anchor. `None`: any.
    pub price_proportion_max_percent: Option<u32>,
    /// Offers of one leaf category. `None`: any number.
    pub per_category_max: Option<u32>,
    /// Offers for one need. `None`: any number.
    pub per_need_max: Option<u32>,
    /// Offers that share their leaf category with an anchor. `None`: any number, whether or not a pairing says so.
    pub same_category_max: Option<u32>,
    /// Pieces that must be in stock, where stock is counted.
    pub stock_min: u32,
    /// Offers below this score are cut, 0 to 1.
    pub score_min: f64,
    /// What orders must say at the least for an offer that only they speak for: how many times as often as by chance
    /// target and anchor are bought together, at the lower end of what the orders allow. 0 to 1,000; 0: anything.
    pub lift_min: f64,
    /// What the order is weighed by.
    pub objective: Objective,
    /// Relations that are not offered.
    pub disallowed_relations: Relations,
}

/// What one layer of a policy says. Field by field as [`Limits`]; `None` says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Override {
    /// See [`Limits::offers_max`].
    pub offers_max: Option<u32>,
    /// See [`Limits::price_proportion_max_percent`].
    pub price_proportion_max_percent: Option<u32>,
    /// See [`Limits::per_category_max`].
    pub per_category_max: Option<u32>,
    /// See [`Limits::per_need_max`].
    pub per_need_max: Option<u32>,
    /// See [`Limits::same_category_max`].
    pub same_category_max: Option<u32>,
    /// See [`Limits::stock_min`].
    pub stock_min: Option<u32>,
    /// See [`Limits::score_min`].
    pub score_min: Option<f64>,
    /// See [`Limits::lift_min`].
    pub lift_min: Option<f64>,
    /// See [`Limits::objective`].
    pub objective: Option<Objective>,
    /// See [`Limits::disallowed_relations`]; `None` or an empty set on the wire says nothing.
    pub disallowed_relations: Option<Relations>,
}

/// A policy's name: 1 to 64 characters of `a-z`, `0-9`, `-` and `_`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName(Arc<str>);

/// What holds where a policy says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BuiltIn {
    Default,
    Open,
}

/// A named policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    name: PolicyName,
    built_in: BuiltIn,
    base: Override,
    overrides: Box<[(Stages, Surfaces, Override)]>,
    phrases: Phrases,
    follow_ups: FollowUpTerms,
}

/// A merchant's own phrases that decide in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Phrases {
    /// Call for an offer where nothing forbids one. At most 32 of at most 64 bytes.
    pub offer: Box<[Box<str>]>,
    /// Forbid offers. At most 32 of at most 64 bytes.
    pub never: Box<[Box<str>]>,
}

/// The policies of a merchant: the policy part of a snapshot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policies {
    named: imbl::OrdMap<PolicyName, Arc<Policy>>,
}

impl PolicyName {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// Empty, too long or with other characters.
    pub fn new(name: &str) -> Result<Self, Violation> {
        check::text("", name, NAME_CHARS_MAX)?;
        if name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_') {
            return Ok(Self(name.into()));
        }
        Err(Violation::new("", "has a character other than a-z, 0-9, `-` and `_`"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PolicyName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Policy {
    /// Checks and takes a policy. Field paths as in the proto (`limits.offers_max`, `overrides[1].limits.score_min`).
    ///
    /// # Errors
    /// The first value out of range, or too many overrides (32).
    pub fn new(
        name: PolicyName,
        base: Override,
        overrides: Vec<(Stages, Surfaces, Override)>,
    ) -> Result<Self, Violation> {
        base.check().map_err(|fault| fault.within("limits"))?;
        check::count("overrides", overrides.len(), OVERRIDES_MAX)?;
        for (at, (_, _, layer)) in overrides.iter().enumerate() {
            layer.check().map_err(|fault| fault.within(&format!("overrides[{at}].limits")))?;
        }
        let (phrases, follow_ups) = (Phrases::default(), FollowUpTerms::default());
        Ok(Self { name, built_in: BuiltIn::Default, base, overrides: overrides.into(), phrases, follow_ups })
    }

    /// The same with a merchant's own phrases. Field paths as in the proto (`phrases.never[2]`).
    ///
    /// # Errors
    /// Too many, or the first that is empty, too long, or without a letter or digit.
    pub fn with_phrases(self, phrases: Phrases) -> Result<Self, Violation> {
        for (field, list) in [("phrases.offer", &phrases.offer), ("phrases.never", &phrases.never)] {
            check::count(field, list.len(), PHRASES_MAX)?;
            for (at, phrase) in list.iter().enumerate() {
                let field = format!("{field}[{at}]");
                check::text(&field, phrase, PHRASE_BYTES_MAX)?;
                let count = words(phrase).len();
                if count == 0 {
                    return Err(Violation::new(field, "has no letter or digit"));
                }
                if count > PHRASE_WORDS_MAX {
                    let description = format!("is of {count} words, at most {PHRASE_WORDS_MAX}");
                    return Err(Violation::new(field, description));
                }
            }
        }
        Ok(Self { phrases, ..self })
    }

    /// The same with what it says of follow-ups. Field paths as in the proto (`follow_ups.quiet_days`).
    ///
    /// # Errors
    /// The first value out of range.
    pub fn with_follow_ups(self, follow_ups: FollowUpTerms) -> Result<Self, Violation> {
        follow_ups.check().map_err(|fault| fault.within("follow_ups"))?;
        Ok(Self { follow_ups, ..self })
    }

    /// When customers are written to after a purchase.
    pub fn follow_ups(&self) -> &FollowUpTerms {
        &self.follow_ups
    }

    /// The merchant's own phrases.
    pub fn phrases(&self) -> &Phrases {
        &self.phrases
    }

    /// The built-in policy named `default`: says nothing, so that the built-in limits hold.
    pub fn built_in() -> Self {
        Self::silent(DEFAULT, BuiltIn::Default)
    }

    /// The built-in policy named `open`, which lifts restraint for evaluation.
    pub fn open() -> Self {
        Self::silent(OPEN, BuiltIn::Open)
    }

    /// The name.
    pub fn name(&self) -> &PolicyName {
        &self.name
    }

    /// What holds everywhere.
    pub fn base(&self) -> &Override {
        &self.base
    }

    /// What differs at some stages and surfaces; later ones win.
    pub fn overrides(&self) -> &[(Stages, Surfaces, Override)] {
        &self.overrides
    }

    /// The limits at a stage, on a surface.
    pub fn limits(&self, stage: Stage, surface: Surface) -> Limits {
        let holding = self
            .overrides
            .iter()
            .filter(|(stages, surfaces, _)| stages.contains(stage) && surfaces.contains(surface));
        let layers = std::iter::once(&self.base).chain(holding.map(|(_, _, layer)| layer));
        layers.fold(self.built_in.limits(surface), |limits, layer| layer.over(limits))
    }

    fn silent(name: &str, built_in: BuiltIn) -> Self {
        Self {
            name: PolicyName(name.into()),
            built_in,
            base: Override::default(),
            overrides: [].into(),
            phrases: Phrases::default(),
            follow_ups: FollowUpTerms::default(),
        }
    }
}

impl BuiltIn {
    fn limits(self, surface: Surface) -> Limits {
        match self {
            Self::Default => Limits {
                offers_max: match surface {
                    Surface::Chat | Surface::Sms | Surface::Voice => 1,
                    Surface::Web | Surface::App | Surface::Email => 3,
                },
                price_proportion_max_percent: Some(100),
                per_category_max: Some(2),
                per_need_max: Some(1),
                same_category_max: Some(1),
                stock_min: 1,
                score_min: 0.0,
                lift_min: 1.0,
                objective: Objective::TakeRate,
                disallowed_relations: Relations::NONE,
            },
            Self::Open => Limits {
                offers_max: 10,
                price_proportion_max_percent: None,
                per_category_max: None,
                per_need_max: None,
                same_category_max: None,
                stock_min: 0,
                score_min: 0.0,
                lift_min: 0.0,
                objective: Objective::TakeRate,
                disallowed_relations: Relations::NONE,
            },
        }
    }
}

impl Override {
    /// The limits with what this layer says laid over them.
    fn over(&self, under: Limits) -> Limits {
        Limits {
            offers_max: self.offers_max.unwrap_or(under.offers_max),
            price_proportion_max_percent: self
                .price_proportion_max_percent
                .or(under.price_proportion_max_percent),
            per_category_max: self.per_category_max.or(under.per_category_max),
            per_need_max: self.per_need_max.or(under.per_need_max),
            same_category_max: self.same_category_max.or(under.same_category_max),
            stock_min: self.stock_min.unwrap_or(under.stock_min),
            score_min: self.score_min.unwrap_or(under.score_min),
            lift_min: self.lift_min.unwrap_or(under.lift_min),
            objective: self.objective.unwrap_or(under.objective),
            disallowed_relations: self.disallowed_relations.unwrap_or(under.disallowed_relations),
        }
    }

    fn check(&self) -> Result<(), Violation> {
        let counts = [
            ("offers_max", self.offers_max, 0, COUNT_MAX),
            ("price_proportion_max_percent", self.price_proportion_max_percent, 1, PERCENT_MAX),
            ("per_category_max", self.per_category_max, 1, COUNT_MAX),
            ("per_need_max", self.per_need_max, 1, COUNT_MAX),
            ("same_category_max", self.same_category_max, 0, COUNT_MAX),
            ("stock_min", self.stock_min, 0, STOCK_QUANTITY_MAX),
        ];
        for (field, value, min, max) in counts {
            value.map_or(Ok(()), |value| check::range(field, value, min, max))?;
        }
        self.lift_min.map_or(Ok(()), |lift| check::range("lift_min", lift, 0.0, LIFT_MAX))?;
        self.score_min.map_or(Ok(()), |score| check::range("score_min", score, 0.0, 1.0))
    }
}

impl Policies {
    /// The policy that counts where none is named.
    pub fn default_policy(&self) -> Arc<Policy> {
        self.get(DEFAULT).unwrap_or_else(|| Arc::new(Policy::built_in()))
    }

    /// A policy by name: the merchant's own, else a built-in one.
    pub fn get(&self, name: &str) -> Option<Arc<Policy>> {
        static BUILT_IN: LazyLock<[Arc<Policy>; 2]> =
            LazyLock::new(|| [Policy::built_in(), Policy::open()].map(Arc::new));
        let own = self.named.get(name);
        own.or_else(|| BUILT_IN.iter().find(|policy| policy.name.as_str() == name)).cloned()
    }

    /// Sets a policy.
    ///
    /// # Errors
    /// `open` cannot be set; or there would be more than 64.
    pub fn set(&mut self, policy: Policy) -> Result<(), Violation> {
        if policy.name.as_str() == OPEN {
            return Err(Violation::new("name", "is `open`, a built-in policy that cannot be set"));
        }
        if !self.named.contains_key(&policy.name) && self.len() >= POLICIES_MAX {
            return Err(Violation::new("name", format!("would be one of more than {POLICIES_MAX} policies")));
        }
        self.named.insert(policy.name.clone(), Arc::new(policy));
        Ok(())
    }

    /// Removes a policy, and says whether there was one. The built-in ones stay.
    pub fn remove(&mut self, name: &str) -> bool {
        self.named.remove(name).is_some()
    }

    /// The merchant's own policies, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.named.values()
    }

    /// How many the merchant has set.
    pub fn len(&self) -> usize {
        self.named.len()
    }

    /// Whether the merchant has set none.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}

#[cfg(test)]
mod tests;
