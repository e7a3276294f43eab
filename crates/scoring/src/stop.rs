//! What stopped a candidate, with the numbers.
//!
//! Small, borrowed and copied freely, so that the untraced path pays nothing for it; put into words only for a trace.

use std::fmt;

use sidecart_catalog::{CategoryPath, Currency, Money, Product, ProductId, Timestamp};
use sidecart_rules::{MatchClause, Relation, Rule, RuleId, SCAN_MAX, Stage, Surface};

use crate::{answer::Why, gate::Gate, recommend::CANDIDATES_MAX, words};

/// One reason for each way in which a gate can stop a candidate.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop<'a> {
    Passed { place: usize, score: f64 },
    NoAnchor,
    NoEvidence,
    RuleDisabled(&'a RuleId),
    RuleStage { rule: &'a RuleId, stage: Stage, surface: Surface },
    RuleWindow { rule: &'a Rule, at: Timestamp },
    MinQuantity { anchor: &'a ProductId, quantity: u64, min: u32 },
    UnknownProduct,
    NoPrice,
    Discontinued,
    OutOfStockNow,
    OutOfStock,
    StockBelow { stock: u32, min: u32 },
    PreorderIsLate,
    InCart,
    IsAnchor,
    SiblingInCart(&'a ProductId),
    SiblingIsAnchor(&'a ProductId),
    Owned,
    OwnedUntil(Timestamp),
    Substitute { category: &'a CategoryPath, anchor: &'a ProductId },
    Blocked(&'a RuleId),
    Currency { price: Money, anchor: &'a ProductId, currency: Currency },
    Match { clause: &'a MatchClause, target: &'a Product, anchor: &'a Product },
    RelationDisallowed(Relation),
    NeedMet { need: &'a str, by: &'a ProductId },
    PriceProportion { price: Money, anchor: &'a ProductId, anchor_price: Money, max_percent: u32 },
    EvidenceFloor { lift: f32, support: u32, min: f64 },
    ScoreFloor { score: f64, min: f64 },
    NeedTaken { need: &'a str, by: &'a ProductId, max: u32 },
    CategoryFull { category: &'a CategoryPath, max: u32 },
    SameCategoryFull { category: &'a CategoryPath, max: u32 },
    Trimmed { max: usize },
    NotDistinct,
    ShownBefore,
    Declined(&'a ProductId),
    Unwanted,
    OtherKind,
    Silent(Why),
    OffersDisabled,
    ScanLimit(&'a RuleId),
}

impl Stop<'_> {
    /// The gate that speaks.
    pub(crate) fn gate(&self) -> Gate {
        match self {
            Self::Passed { .. } => Gate::Passed,
            Self::NoAnchor | Self::NoEvidence => Gate::NoEvidence,
            Self::RuleDisabled(_) => Gate::RuleDisabled,
            Self::RuleStage { .. } => Gate::RuleStage,
            Self::RuleWindow { .. } => Gate::RuleWindow,
            Self::MinQuantity { .. } => Gate::MinQuantity,
            Self::UnknownProduct => Gate::UnknownProduct,
            Self::NoPrice | Self::Discontinued => Gate::Unsellable,
            Self::OutOfStockNow | Self::OutOfStock | Self::StockBelow { .. } | Self::PreorderIsLate => {
                Gate::OutOfStock
            }
            Self::InCart => Gate::InCart,
            Self::IsAnchor | Self::SiblingInCart(_) | Self::SiblingIsAnchor(_) => Gate::SameFamily,
            Self::Owned | Self::OwnedUntil(_) => Gate::Owned,
            Self::Substitute { .. } => Gate::Substitute,
            Self::Blocked(_) => Gate::Blocked,
            Self::Currency { .. } => Gate::Currency,
            Self::Match { .. } => Gate::Match,
            Self::RelationDisallowed(_) => Gate::RelationDisallowed,
            Self::NeedMet { .. } => Gate::NeedMet,
            Self::PriceProportion { .. } => Gate::PriceProportion,
            Self::EvidenceFloor { .. } => Gate::EvidenceFloor,
            Self::ScoreFloor { .. } => Gate::ScoreFloor,
            Self::NeedTaken { .. } => Gate::NeedTaken,
            Self::CategoryFull { .. } => Gate::CategoryFull,
            Self::SameCategoryFull { .. } => Gate::SameCategoryFull,
            Self::Trimmed { .. } => Gate::Trimmed,
            Self::NotDistinct => Gate::NotDistinct,
            Self::ShownBefore | Self::Declined(_) | Self::Unwanted => Gate::Declined,
            Self::OtherKind | Self::Silent(_) => Gate::Conversation,
            Self::OffersDisabled => Gate::OffersDisabled,
            Self::ScanLimit(_) => Gate::ScanLimit,
        }
    }

    /// The rule that stopped it, where that is another one than it came from.
    pub(crate) fn rule(&self) -> Option<&RuleId> {
        match self {
            Self::Blocked(rule) => Some(rule),
            _ => None,
        }
    }
}

impl fmt::Display for Stop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnchor => f.write_str("no anchor, cart line or order line is in the catalog"),
            Self::NoEvidence => f.write_str("no pairing and no orders lead from the anchors to it"),
            Self::UnknownProduct => f.write_str("the catalog does not have it"),
            Self::NoPrice => f.write_str("has no price"),
            Self::Discontinued => f.write_str("is discontinued"),
            Self::OutOfStockNow => f.write_str("the caller says that it is out of stock"),
            Self::OutOfStock => f.write_str("is out of stock"),
            Self::PreorderIsLate => f.write_str("preorder ships after the delivery"),
            Self::InCart => f.write_str("is in the cart"),
            Self::IsAnchor => f.write_str("is an anchor itself"),
            Self::Owned => f.write_str("the shopper has it"),
            Self::NotDistinct => f.write_str("an earlier answer of the batch offers it"),
            Self::ShownBefore => f.write_str("was shown in this conversation"),
            Self::Unwanted => f.write_str("the customer does not want it, or has it already"),
            Self::OtherKind => f.write_str("the customer asks for something of another kind"),
            Self::Silent(why) => write!(f, "the conversation calls for no offer: {}", why.code()),
            Self::Declined(declined) => write!(f, "`{declined}` was declined in this conversation"),
            Self::OffersDisabled => f.write_str("the policy makes at most 0 offers here"),
            Self::RuleDisabled(_) | Self::RuleStage { .. } | Self::RuleWindow { .. } | Self::ScanLimit(_) => {
                self.of_rule(f)
            }
            Self::Passed { .. }
            | Self::EvidenceFloor { .. }
            | Self::ScoreFloor { .. }
            | Self::NeedTaken { .. }
            | Self::CategoryFull { .. }
            | Self::SameCategoryFull { .. }
            | Self::Trimmed { .. } => self.of_arrangement(f),
            _ => self.of_pair(f),
        }
    }
}

impl Stop<'_> {
    fn of_rule(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RuleDisabled(rule) => write!(f, "rule `{}` is switched off", rule.as_str()),
            Self::RuleStage { rule, stage, surface } => {
                let (stage, surface) = (words::stage(*stage), words::surface(*surface));
                write!(f, "rule `{}` does not hold at stage {stage} on surface {surface}", rule.as_str())
            }
            Self::RuleWindow { rule, at } => {
                write!(f, "rule `{}` does not hold on {}: it holds", rule.id().as_str(), Day(*at))?;
                for (nth, window) in rule.parts().windows.iter().enumerate() {
                    f.write_str(if nth == 0 { "" } else { "," })?;
                    window.from().map_or(Ok(()), |from| write!(f, " from {}", Day(from)))?;
                    window.until().map_or(Ok(()), |until| write!(f, " until {}", Day(until)))?;
                }
                Ok(())
            }
            Self::ScanLimit(rule) => write!(
                f,
                "rule `{}` selects more than is looked at: at most {SCAN_MAX} products for one anchor and term, \
                 and {CANDIDATES_MAX} that fit for one answer",
                rule.as_str()
            ),
            _ => Ok(()),
        }
    }

    fn of_pair(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinQuantity { anchor, quantity, min } => {
                write!(f, "quantity {quantity} of anchor `{anchor}` < {min}")
            }
            Self::StockBelow { stock, min } => write!(f, "stock {stock} < {min}"),
            Self::SiblingInCart(sibling) => write!(f, "sibling variant `{sibling}` in cart"),
            Self::SiblingIsAnchor(sibling) => write!(f, "sibling variant `{sibling}` is an anchor"),
            Self::OwnedUntil(until) => write!(f, "the shopper has it, and it lasts until {}", Day(*until)),
            Self::Substitute { category, anchor } => {
                write!(f, "shares category `{category}` with anchor `{anchor}`")
            }
            Self::Blocked(rule) => write!(f, "blocked by rule `{}`", rule.as_str()),
            Self::Currency { price, anchor, currency } => {
                write!(f, "price {price} is not in {}, the currency of anchor `{anchor}`", currency.code())
            }
            Self::Match { clause, target, anchor } => {
                let why = clause.mismatch(target, anchor).map_or(String::new(), |mismatch| mismatch.0);
                write!(f, "{why} (anchor `{}`)", anchor.id())
            }
            Self::RelationDisallowed(relation) => {
                write!(f, "the policy does not offer relation {}", words::relation(*relation))
            }
            Self::NeedMet { need, by } => write!(f, "need `{need}` is met by `{by}`"),
            Self::PriceProportion { price, anchor, anchor_price, max_percent } => {
                f.write_fmt(format_args!("price {price} is "))?;
                let (part, whole) =
                    (i128::from(price.minor_units()) * 100, i128::from(anchor_price.minor_units()));
                match whole {
                    0 => f.write_str("too much")?,
                    // Rounded up, so that what is above the limit also reads so.
                    _ => write!(f, "{} %", (part + whole - 1) / whole)?,
                }
                write!(f, " of anchor `{anchor}` at {anchor_price}, at most {max_percent} %")
            }
            _ => Ok(()),
        }
    }

    fn of_arrangement(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed { place, score } => write!(f, "offered in place {place} with score {score:.4}"),
            Self::EvidenceFloor { lift, support, min } => {
                write!(f, "lift {lift:.2} < {min}, with support {support}")
            }
            Self::ScoreFloor { score, min } => write!(f, "score {score:.4} < {min}"),
            Self::NeedTaken { need, by, max } => {
                write!(f, "need `{need}` is taken by `{by}`, at most {max} for one need")
            }
            Self::CategoryFull { category, max } => {
                write!(f, "better offers fill category `{category}`, at most {max} of one category")
            }
            Self::SameCategoryFull { category, max } => {
                write!(f, "category `{category}` is an anchor's own, at most {max} such offers")
            }
            Self::Trimmed { max } => write!(f, "better offers fill the answer, at most {max}"),
            _ => Ok(()),
        }
    }
}

/// A moment as a date in UTC, such as `2026-03-01`.
struct Day(Timestamp);

impl fmt::Display for Day {
    /// Civil date from days since the epoch, after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.as_ms().div_euclid(86_400_000) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        write!(f, "{:04}-{month:02}-{day:02}", year_of_era + era * 400 + carry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (ms, date) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400_000, "2000-02-29"),
            (951_868_800_000, "2000-03-01"),
            (1_764_547_199_999, "2025-11-30"),
        ] {
            assert_eq!(Day(Timestamp::from_ms(ms)).to_string(), date);
        }
    }
}
