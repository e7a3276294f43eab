//! Words: what an offer is called and how it is put to the shopper, for each relation at each stage.
//!
//! A sentence says no more than the pairing does: what the target is to the anchor, never that they were tested together.

use sidecart_rules::{Relation, Stage, Surface};

use crate::{answer::Level, lead::AffinityKind};

/// How a reason is told: its code and its sentence, with `{target}` and `{anchor}` for their titles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) code: &'static str,
    pub(crate) text: &'static str,
}

/// When the offer is made: the stage, and before or after the thing arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Stage(Stage),
    /// Ordered, and known to arrive later.
    BeforeArrival,
}

/// How a learned target is tied to its anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tie {
    With,
    /// With products like the anchor, of which it has too few orders of its own.
    Alike,
    After,
    Again,
}

impl Tie {
    pub(crate) const fn of(kind: AffinityKind, level: Level) -> Self {
        match (kind, level) {
            (AffinityKind::BoughtWith, Level::Product) => Self::With,
            (AffinityKind::BoughtWith, _) => Self::Alike,
            (AffinityKind::BoughtAfter, _) => Self::After,
            (AffinityKind::BoughtAgain, _) => Self::Again,
        }
    }
}

macro_rules! table {
    ($(#[$words_doc:meta])* $words:ident, $kind:ident; $($relation:ident $name:literal {
        browse: $browse:literal,
        product: $product:literal,
        cart: $cart:literal,
        checkout: $checkout:literal,
        ordered: $ordered:literal,
        before_arrival: $before_arrival:literal,
        delivered: $delivered:literal,
        replenish: $replenish:literal,
    })*) => {
        $(#[$words_doc])*
        pub(crate) const fn $words(kind: $kind, moment: Moment) -> Words {
            match kind {
                $($kind::$relation => match moment {
                    Moment::Stage(Stage::Browse) => Words { code: concat!($name, "_BROWSE"), text: $browse },
                    Moment::Stage(Stage::Product) => Words { code: concat!($name, "_PRODUCT"), text: $product },
                    Moment::Stage(Stage::Cart) => Words { code: concat!($name, "_CART"), text: $cart },
                    Moment::Stage(Stage::Checkout) => Words { code: concat!($name, "_CHECKOUT"), text: $checkout },
                    Moment::Stage(Stage::OrderPlaced) => {
                        Words { code: concat!($name, "_ORDER_PLACED"), text: $ordered }
                    }
                    Moment::BeforeArrival => Words { code: concat!($name, "_ORDER_PLACED"), text: $before_arrival },
                    Moment::Stage(Stage::Delivered) => Words { code: concat!($name, "_DELIVERED"), text: $delivered },
                    Moment::Stage(Stage::Replenish) => Words { code: concat!($name, "_REPLENISH"), text: $replenish },
                },)*
            }
        }
    };
}

table! {
    /// The words for a relation at a moment.
    words, Relation;
    RequiredAccessory "REQUIRED_ACCESSORY" {
        browse: "{anchor} needs this: {target}.",
        product: "Pair this with {target}: {anchor} needs it to work.",
        cart: "Don't forget {target}: {anchor} needs it to work.",
        checkout: "Add {target} before you go: {anchor} needs it to work.",
        ordered: "Add {target} to go with your order: {anchor} needs it to work.",
        before_arrival: "Add {target} before {anchor} arrives: it needs this to work.",
        delivered: "Now that you have {anchor}, you might need {target} to use it.",
        replenish: "Time for more: {anchor} needs {target} to work.",
    }
    Accessory "ACCESSORY" {
        browse: "Goes with {anchor}: {target}.",
        product: "Pair this with {target}, to get more out of {anchor}.",
        cart: "Don't forget {target} to go with {anchor}.",
        checkout: "Add {target} before you go, to get more out of {anchor}.",
        ordered: "Add {target} to go with your order of {anchor}.",
        before_arrival: "Add {target} before {anchor} arrives, to get more out of it.",
        delivered: "Now that you have {anchor}, you might need {target} to get more out of it.",
        replenish: "Time for something to go with {anchor}: {target}.",
    }
    Consumable "CONSUMABLE" {
        browse: "Keeps {anchor} going: {target}.",
        product: "Pair this with {target}, to keep {anchor} going.",
        cart: "Don't forget {target}, to keep {anchor} going.",
        checkout: "Add {target} before you go, to keep {anchor} going.",
        ordered: "Add {target} to go with your order, to keep {anchor} going.",
        before_arrival: "Add {target} before {anchor} arrives, to have it at hand from the first day.",
        delivered: "Now that you have {anchor}, you might need {target} to keep it going.",
        replenish: "Time for more {target}, to keep {anchor} going.",
    }
    Refill "REFILL" {
        browse: "For when {anchor} runs out: {target}.",
        product: "Pair this with {target}, for when {anchor} runs out.",
        cart: "Don't forget {target}, for when {anchor} runs out.",
        checkout: "Add {target} before you go, for when {anchor} runs out.",
        ordered: "Add {target} to go with your order, for when {anchor} runs out.",
        before_arrival: "Add {target} before {anchor} arrives, for when it runs out.",
        delivered: "Now that you have {anchor}, you might need {target} once it runs out.",
        replenish: "Time for more: {target}.",
    }
    Protection "PROTECTION" {
        browse: "Protects {anchor}: {target}.",
        product: "Pair this with {target}, to protect {anchor}.",
        cart: "Don't forget to protect {anchor}: {target}.",
        checkout: "Add {target} before you go, to protect {anchor}.",
        ordered: "Add {target} to go with your order, to protect {anchor}.",
        before_arrival: "Add {target} before {anchor} arrives, to protect it from the first day.",
        delivered: "Now that you have {anchor}, you might need {target} to protect it.",
        replenish: "Time to renew what protects {anchor}: {target}.",
    }
    BundlePart "BUNDLE_PART" {
        browse: "Part of a set with {anchor}: {target}.",
        product: "Pair this with {target} to complete the set.",
        cart: "Don't forget {target}, which completes the set with {anchor}.",
        checkout: "Add {target} before you go, to complete the set with {anchor}.",
        ordered: "Add {target} to go with your order, to complete the set with {anchor}.",
        before_arrival: "Add {target} before {anchor} arrives, to complete the set.",
        delivered: "Now that you have {anchor}, you might need {target} to complete the set.",
        replenish: "Time for more of the set with {anchor}: {target}.",
    }
    Service "SERVICE" {
        browse: "A service for {anchor}: {target}.",
        product: "Pair this with {target}, a service for {anchor}.",
        cart: "Don't forget {target}, a service for {anchor}.",
        checkout: "Add {target} before you go, a service for {anchor}.",
        ordered: "Add {target} to go with your order, a service for {anchor}.",
        before_arrival: "Book {target} before {anchor} arrives.",
        delivered: "Now that you have {anchor}, you might need {target}.",
        replenish: "Time for {target} for {anchor}.",
    }
}

table! {
    /// The words for what orders taught at a moment. They say what was bought, never that it fits.
    learned_words, Tie;
    With "BOUGHT_WITH" {
        browse: "Often bought with {anchor}: {target}.",
        product: "Often bought with this: {target}.",
        cart: "Don't forget {target}, often bought with {anchor}.",
        checkout: "Add {target} before you go: often bought with {anchor}.",
        ordered: "Often bought with {anchor}: {target}.",
        before_arrival: "Often bought with {anchor}: add {target} before it arrives.",
        delivered: "Now that you have {anchor}, you might need {target}: they are often bought together.",
        replenish: "Often bought with {anchor}: {target}.",
    }
    Alike "BOUGHT_WITH" {
        browse: "Often bought with things like {anchor}: {target}.",
        product: "Often bought with things like this: {target}.",
        cart: "Don't forget {target}, often bought with things like {anchor}.",
        checkout: "Add {target} before you go: often bought with things like {anchor}.",
        ordered: "Often bought with things like {anchor}: {target}.",
        before_arrival: "Often bought with things like {anchor}: add {target} before it arrives.",
        delivered: "Now that you have {anchor}, you might need {target}: it is often bought with things like it.",
        replenish: "Often bought with things like {anchor}: {target}.",
    }
    After "BOUGHT_AFTER" {
        browse: "Often bought after {anchor}: {target}.",
        product: "Often bought later by those who bought this: {target}.",
        cart: "Often needed after {anchor}: {target}.",
        checkout: "Add {target} before you go: often bought after {anchor}.",
        ordered: "Often bought after {anchor}: {target}.",
        before_arrival: "Often bought after {anchor}: add {target} before it arrives.",
        delivered: "Now that you have {anchor}, you might need {target}: others bought it next.",
        replenish: "Often bought after {anchor}: {target}.",
    }
    Again "BOUGHT_AGAIN" {
        browse: "You bought this before: {target}.",
        product: "You bought this before: {target}.",
        cart: "Don't forget {target}, which you bought before.",
        checkout: "Add {target} before you go: you bought it before.",
        ordered: "You bought this before: {target}.",
        before_arrival: "You bought this before: {target}.",
        delivered: "You bought this before: {target}.",
        replenish: "Time for more: {target}.",
    }
}

/// The name of a relation, as in the proto.
pub(crate) const fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::RequiredAccessory => "REQUIRED_ACCESSORY",
        Relation::Accessory => "ACCESSORY",
        Relation::Consumable => "CONSUMABLE",
        Relation::Refill => "REFILL",
        Relation::Protection => "PROTECTION",
        Relation::BundlePart => "BUNDLE_PART",
        Relation::Service => "SERVICE",
    }
}

/// The name of a stage, as in the proto.
pub(crate) const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Browse => "BROWSE",
        Stage::Product => "PRODUCT",
        Stage::Cart => "CART",
        Stage::Checkout => "CHECKOUT",
        Stage::OrderPlaced => "ORDER_PLACED",
        Stage::Delivered => "DELIVERED",
        Stage::Replenish => "REPLENISH",
    }
}

/// The name of a surface, as in the proto.
pub(crate) const fn surface(surface: Surface) -> &'static str {
    match surface {
        Surface::Web => "WEB",
        Surface::App => "APP",
        Surface::Chat => "CHAT",
        Surface::Email => "EMAIL",
        Surface::Sms => "SMS",
        Surface::Voice => "VOICE",
    }
}

impl Words {
    /// The sentence with the titles in it. Titles are taken as they are, braces and all.
    pub(crate) fn fill(self, target: &str, anchor: &str) -> String {
        fill(self.text, target, anchor)
    }
}

/// A sentence with the titles in the place of `{target}` and `{anchor}`. Titles are taken as they are, braces and all.
pub(crate) fn fill(text: &str, target: &str, anchor: &str) -> String {
    let mut sentence = String::with_capacity(text.len() + target.len() + anchor.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        sentence.push_str(before);
        let (slot, after) = after.split_once('}').unwrap_or((after, ""));
        sentence.push_str(if slot == "target" { target } else { anchor });
        rest = after;
    }
    sentence.push_str(rest);
    sentence
}
