//! A merchant whose every record carries the mark of the write that made it, so that an answer tells what it was made
//! from.

use prost_types::Timestamp;
use sidecart::v1 as pb;

pub(crate) const MERCHANT: &str = "swap";
pub(crate) const ANCHOR: &str = "anchor";
const TARGETS: u32 = 6;
/// Policies allow 2 to 6 offers, so that the number of offers tells the policy.
pub(crate) const POLICIES: u32 = 5;
const OFFERS_MIN: u32 = 2;
const PRICE_BASE: i64 = 1_000;

/// The marks that the records of each part carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) catalog: u32,
    pub(crate) rules: u32,
    /// Below [`POLICIES`].
    pub(crate) policy: u32,
}

/// What an offer shows of the records it was made from.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    product: String,
    price: i64,
    need: String,
    text: String,
}

impl Marks {
    /// The marks that an answer was made from.
    ///
    /// # Errors
    /// The answer is not what any one set of marks gives: it mixes.
    pub(crate) fn of(answer: &pb::RecommendResponse) -> Result<Self, String> {
        let read = || {
            let first = answer.offers.first()?;
            let price = first.price.as_ref()?.minor_units - PRICE_BASE;
            let rules = first.need.rsplit(' ').next()?.parse().ok()?;
            let policy = u32::try_from(answer.offers.len()).ok()?.checked_sub(OFFERS_MIN)?;
            Some(Self { catalog: u32::try_from(price).ok()?, rules, policy })
        };
        let marks = read().ok_or_else(|| format!("nothing can be told from {answer:?}"))?;
        let shown: Vec<_> = answer.offers.iter().map(Shown::of).collect();
        let wanted = marks.answer();
        if shown == wanted {
            Ok(marks)
        } else {
            Err(format!("wanted {wanted:?} under {marks:?}, got {shown:?}"))
        }
    }

    /// The whole catalog.
    pub(crate) fn products(self) -> Vec<pb::Product> {
        let anchor = product(ANCHOR.into(), PRICE_BASE * 1_000_000, self.set_time());
        (0..TARGETS).map(|nth| product(target(nth), self.price(), self.set_time())).chain([anchor]).collect()
    }

    /// New prices for all targets.
    pub(crate) fn offers(self) -> Vec<pb::OfferUpdate> {
        let offer = |nth| pb::OfferUpdate {
            product_id: target(nth),
            price: Some(usd(self.price())),
            set_time: Some(self.set_time()),
            ..pb::OfferUpdate::default()
        };
        (0..TARGETS).map(offer).collect()
    }

    /// The whole rule set: a pairing for each target.
    pub(crate) fn rules(self) -> Vec<pb::Rule> {
        (0..TARGETS).map(|nth| self.rule(nth)).collect()
    }

    fn rule(self, nth: u32) -> pb::Rule {
        let pairing = pb::Pairing {
            relation: pb::Relation::Accessory.into(),
            need: self.need(nth),
            position: self.position(nth),
            sentence: format!("{{{{ target }}}} by rules {}", self.rules),
            ..pb::Pairing::default()
        };
        pb::Rule {
            rule_id: format!("rule-{nth}"),
            says: Some(pb::rule::Says::Pairing(pairing)),
            anchor: Some(is(ANCHOR.into())),
            target: Some(is(target(nth))),
            ..pb::Rule::default()
        }
    }

    /// The default policy.
    pub(crate) fn policy(self) -> pb::Policy {
        let limits =
            pb::PolicyLimits { offers_max: Some(OFFERS_MIN + self.policy), ..pb::PolicyLimits::default() };
        pb::Policy { name: "default".into(), limits: Some(limits), ..pb::Policy::default() }
    }

    /// The only right answer: as many offers as the policy says, where the rules say, at the catalog's price.
    fn answer(self) -> Vec<Shown> {
        let mut targets: Vec<_> = (0..TARGETS).collect();
        targets.sort_by_key(|nth| self.position(*nth));
        targets.truncate((OFFERS_MIN + self.policy) as usize);
        let shown = |nth| Shown {
            product: target(nth),
            price: self.price(),
            need: self.need(nth),
            text: format!("Title of {} by rules {}", target(nth), self.rules),
        };
        targets.into_iter().map(shown).collect()
    }

    fn price(self) -> i64 {
        PRICE_BASE + i64::from(self.catalog)
    }

    /// In the order of the marks, whatever the clock does.
    fn set_time(self) -> Timestamp {
        Timestamp { seconds: i64::from(self.catalog), nanos: 0 }
    }

    fn position(self, nth: u32) -> u32 {
        1 + (nth + self.rules) % TARGETS
    }

    fn need(self, nth: u32) -> String {
        format!("need {nth} of rules {}", self.rules)
    }
}

impl Shown {
    fn of(offer: &pb::Offer) -> Self {
        Self {
            product: offer.product_id.clone(),
            price: offer.price.as_ref().map_or(0, |price| price.minor_units),
            need: offer.need.clone(),
            text: offer.reason.as_ref().map_or_else(String::new, |reason| reason.text.clone()),
        }
    }
}

fn target(nth: u32) -> String {
    format!("target-{nth}")
}

/// A product in a leaf category of its own.
fn product(id: String, minor_units: i64, set_time: Timestamp) -> pb::Product {
    pb::Product {
        title: format!("Title of {id}"),
        category_path: vec!["All".into(), id.clone()],
        price: Some(usd(minor_units)),
        price_set_time: Some(set_time),
        product_id: id,
        ..pb::Product::default()
    }
}

fn usd(minor_units: i64) -> pb::Money {
    pb::Money { currency: "USD".into(), minor_units }
}

fn is(product: String) -> pb::Selector {
    let term = pb::Term { term: Some(pb::term::Term::ProductId(product)) };
    pb::Selector { any_of: vec![term], ..pb::Selector::default() }
}
