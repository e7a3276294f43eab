//! The immutable view one merchant is served from.

use std::sync::Arc;

use sidecart_catalog::Catalog;
use sidecart_rules::{Policies, RuleSet};

use crate::{
    follow_ups::{FollowUps, Known},
    imported::Imported,
    model::Model,
    orders::Orders,
};

/// The parts of a snapshot. Each shares what it can with other generations; cloning is cheap.
#[derive(Clone, Default)]
pub struct Parts {
    /// What is sold.
    pub catalog: Catalog,
    /// What may, must and must not be offered.
    pub rules: RuleSet,
    /// Limits on offering.
    pub policies: Policies,
    /// What was bought.
    pub orders: Orders,
    /// What was learned from that.
    pub model: Arc<Model>,
    /// What a data team says besides.
    pub imported: Arc<Imported>,
    /// Whom to write to after a purchase, and to whom was.
    pub follow_ups: FollowUps,
}

impl Parts {
    /// What refills are worked out from, and the follow-ups.
    pub fn follow_ups_and_known(&mut self) -> (&mut FollowUps, Known<'_>) {
        let Self { catalog, orders, model, follow_ups, .. } = self;
        (follow_ups, Known { catalog, model, orders })
    }
}

/// One generation of one merchant. Immutable.
pub struct Snapshot {
    generation: u64,
    parts: Parts,
}

impl Snapshot {
    /// A snapshot of these parts, their names brought up to date.
    pub fn new(generation: u64, mut parts: Parts) -> Self {
        parts.catalog.settle_names();
        Self { generation, parts }
    }

    /// Strictly increasing with each write of the merchant.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// All parts.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// What is sold.
    pub fn catalog(&self) -> &Catalog {
        &self.parts.catalog
    }

    /// What may, must and must not be offered.
    pub fn rules(&self) -> &RuleSet {
        &self.parts.rules
    }

    /// What was bought.
    pub fn orders(&self) -> &Orders {
        &self.parts.orders
    }

    /// What was learned from orders.
    pub fn model(&self) -> &Model {
        &self.parts.model
    }

    /// What a data team says goes with what.
    pub fn imported(&self) -> &Imported {
        &self.parts.imported
    }

    /// What refills are worked out from.
    pub fn known(&self) -> Known<'_> {
        let Parts { catalog, orders, model, .. } = &self.parts;
        Known { catalog, model, orders }
    }

    /// Whom to write to after a purchase, and to whom was.
    pub fn follow_ups(&self) -> &FollowUps {
        &self.parts.follow_ups
    }

    /// Limits on offering.
    pub fn policies(&self) -> &Policies {
        &self.parts.policies
    }
}
