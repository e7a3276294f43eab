//! Match clauses: what must hold between an attribute of the target and one of the anchor.

use sidecart_catalog::{Product, Values, Violation};

use crate::check;

/// Longest attribute name, in bytes: no product has a longer one.
const NAME_BYTES_MAX: usize = 64;
/// Most values shown of one side of a mismatch.
const SHOWN_MAX: usize = 8;

/// How a target's values compare with an anchor's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MatchOp {
    /// The target's text values contain all of the anchor's.
    Superset,
    /// The target's text values are all among the anchor's.
    Subset,
    /// They share a text value.
    Overlaps,
    /// They are the same, text and numbers.
    Equal,
    /// Each of the target's numbers is at least the anchor's greatest.
    AtLeast,
    /// Each of the target's numbers is at most the anchor's least.
    AtMost,
    /// Some number of the target is within this of one of the anchor's. Finite, 0 or more.
    Within(f64),
}

/// What must hold between a target and its anchor. A side without values never matches.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchClause {
    target_attribute: Box<str>,
    anchor_attribute: Box<str>,
    op: MatchOp,
}

/// Why a clause does not hold, with the values, for `explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch(pub String);

/// What an operator looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Numbers,
    Both,
}

impl MatchClause {
    /// Checks and takes a clause. An empty anchor attribute means the same name as the target's.
    ///
    /// # Errors
    /// An attribute name that no product could have, or a tolerance that is negative or not finite.
    pub fn new(target_attribute: &str, op: MatchOp, anchor_attribute: &str) -> Result<Self, Violation> {
        check::text("target_attribute", target_attribute, NAME_BYTES_MAX)?;
        let anchor_attribute = if anchor_attribute.is_empty() { target_attribute } else { anchor_attribute };
        check::text("anchor_attribute", anchor_attribute, NAME_BYTES_MAX)?;
        if let MatchOp::Within(tolerance) = op
            && !(tolerance.is_finite() && tolerance >= 0.0)
        {
            return Err(Violation::new("tolerance", format!("is {tolerance:?}, allowed 0 or more, finite")));
        }
        Ok(Self { target_attribute: target_attribute.into(), anchor_attribute: anchor_attribute.into(), op })
    }

    /// The target's attribute.
    pub fn target_attribute(&self) -> &str {
        &self.target_attribute
    }

    /// The anchor's attribute.
    pub fn anchor_attribute(&self) -> &str {
        &self.anchor_attribute
    }

    /// How they compare.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// Whether it holds.
    pub fn holds(&self, target: &Product, anchor: &Product) -> bool {
        let target = target.attributes().get(&self.target_attribute);
        let anchor = anchor.attributes().get(&self.anchor_attribute);
        matches!((target, anchor), (Some(target), Some(anchor)) if self.op.holds(target, anchor))
    }

    /// Why it does not hold, if it does not.
    pub fn mismatch(&self, target: &Product, anchor: &Product) -> Option<Mismatch> {
        if self.holds(target, anchor) {
            return None;
        }
        Some(Mismatch(self.why_not(target, anchor)))
    }

    /// The same clause seen from the other side, for a mutual pairing: anchor and target swapped, the operator mirrored.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self {
            target_attribute: self.anchor_attribute.clone(),
            anchor_attribute: self.target_attribute.clone(),
            op: self.op.mirrored(),
        }
    }

    /// Whether a product has, as target, the kind of values that the clause compares.
    pub(crate) fn can_hold_for_target(&self, product: &Product) -> bool {
        self.op.finds_values(product.attributes().get(&self.target_attribute))
    }

    /// Whether a product has, as anchor, the kind of values that the clause compares.
    pub(crate) fn can_hold_for_anchor(&self, product: &Product) -> bool {
        self.op.finds_values(product.attributes().get(&self.anchor_attribute))
    }

    fn why_not(&self, target: &Product, anchor: &Product) -> String {
        let Self { target_attribute, anchor_attribute, op } = self;
        let sides = [("anchor", anchor, anchor_attribute), ("target", target, target_attribute)];
        for (side, product, attribute) in sides {
            let values = product.attributes().get(attribute);
            if op.finds_values(values) {
                continue;
            }
            return match (values, op.kind()) {
                (Some(_), Kind::Text) => format!("{side} has no text value of `{attribute}`"),
                (Some(_), Kind::Numbers) => format!("{side} has no number of `{attribute}`"),
                _ => format!("{side} has no `{attribute}`"),
            };
        }
        let [anchor, target] = sides.map(|(side, product, name)| {
            format!("{side} {name} {}", op.show(product.attributes().get(name)))
        });
        let relation = match op {
            MatchOp::Superset => "does not contain",
            MatchOp::Subset => "is not within",
            MatchOp::Overlaps => "shares nothing with",
            MatchOp::Equal => "is not the same as",
            MatchOp::AtLeast => "is not at least",
            MatchOp::AtMost => "is not at most",
            MatchOp::Within(tolerance) => return format!("{target} is not within {tolerance} of {anchor}"),
        };
        format!("{target} {relation} {anchor}")
    }
}

impl MatchOp {
    fn holds(self, target: &Values, anchor: &Values) -> bool {
        let contains =
            |many: &Values, few: &Values| few.text().iter().all(|value| many.text().contains(value));
        let (targets, anchors) = (target.numbers(), anchor.numbers());
        if !self.finds_values(Some(target)) || !self.finds_values(Some(anchor)) {
            return false;
        }
        match self {
            Self::Superset => contains(target, anchor),
            Self::Subset => contains(anchor, target),
            Self::Overlaps => target.text().iter().any(|value| anchor.text().contains(value)),
            Self::Equal => target == anchor,
            Self::AtLeast => targets.first() >= anchors.last(),
            Self::AtMost => targets.last() <= anchors.first(),
            Self::Within(tolerance) => {
                targets.iter().any(|target| anchors.iter().any(|anchor| (target - anchor).abs() <= tolerance))
            }
        }
    }

    fn mirrored(self) -> Self {
        match self {
            Self::Superset => Self::Subset,
            Self::Subset => Self::Superset,
            Self::AtLeast => Self::AtMost,
            Self::AtMost => Self::AtLeast,
            Self::Overlaps | Self::Equal | Self::Within(_) => self,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Superset | Self::Subset | Self::Overlaps => Kind::Text,
            Self::AtLeast | Self::AtMost | Self::Within(_) => Kind::Numbers,
            Self::Equal => Kind::Both,
        }
    }

    fn finds_values(self, values: Option<&Values>) -> bool {
        values.is_some_and(|values| match self.kind() {
            Kind::Text => !values.text().is_empty(),
            Kind::Numbers => !values.numbers().is_empty(),
            Kind::Both => !values.text().is_empty() || !values.numbers().is_empty(),
        })
    }

    /// The values it looks at, such as `[E, L]`.
    fn show(self, values: Option<&Values>) -> String {
        let (text, numbers) = values.map_or((&[][..], &[][..]), |values| (values.text(), values.numbers()));
        let text = if self.kind() == Kind::Numbers { &[] } else { text };
        let numbers = if self.kind() == Kind::Text { &[] } else { numbers };
        let all = text.iter().map(ToString::to_string).chain(numbers.iter().map(ToString::to_string));
        let more = if text.len() + numbers.len() > SHOWN_MAX { ", …" } else { "" };
        format!("[{}{more}]", all.take(SHOWN_MAX).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests;
