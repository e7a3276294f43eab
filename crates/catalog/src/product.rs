//! A product: one thing that is sold.

use crate::{
    attribute::Attributes,
    category::CategoryPath,
    id::{FamilyId, ProductId},
    money::Money,
    offer::Availability,
    time::Timestamp,
    violation::{self, Violation},
};

/// Bounds on a product's fields, as published in the proto comments.
pub mod limits {
    /// Longest title, in bytes.
    pub const TITLE_BYTES_MAX: usize = 512;
    /// Most tags.
    pub const TAGS_MAX: usize = 64;
    /// Longest tag, in bytes.
    pub const TAG_BYTES_MAX: usize = 64;
    /// Most aliases.
    pub const ALIASES_MAX: usize = 32;
    /// Longest alias, in bytes.
    pub const ALIAS_BYTES_MAX: usize = 128;
    /// Longest supply of one piece, in days.
    pub const DAYS_OF_SUPPLY_MAX: u32 = 3_650;
    /// Most pieces in stock.
    pub const STOCK_QUANTITY_MAX: u32 = 1_000_000_000;
}

/// What kind of thing a product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Bought once and kept.
    Durable,
    /// Used up and bought again.
    Consumable,
    /// Done rather than shipped.
    Service,
}

/// The fields of a product, not yet checked as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// The merchant's own id.
    pub id: ProductId,
    /// What customers read: 1 to 512 bytes.
    pub title: Box<str>,
    /// The family whose variants share it. `None`: the product is its own family.
    pub family: Option<FamilyId>,
    /// Where it stands in the merchant's tree.
    pub category: Option<CategoryPath>,
    /// Facts by name.
    pub attributes: Attributes,
    /// Labels: at most 64 of at most 64 bytes.
    pub tags: Vec<Box<str>>,
    /// What it costs. `None`: it is never offered.
    pub price: Option<Money>,
    /// What it costs the merchant, in the price's currency.
    pub unit_cost: Option<Money>,
    /// Whether it can be bought.
    pub availability: Availability,
    /// Pieces in stock. `None`: not counted.
    pub stock_quantity: Option<u32>,
    /// What kind of thing it is.
    pub kind: Kind,
    /// How many days one piece of a consumable lasts: 1 to 3,650.
    pub days_of_supply: Option<u32>,
    /// Other names customers use: at most 32 of at most 128 bytes.
    pub aliases: Vec<Box<str>>,
    /// When the price was set by its owner.
    pub price_set_time: Timestamp,
    /// When availability and stock were set by their owner.
    pub stock_set_time: Timestamp,
}

/// One thing that is sold. Valid by construction.
#[derive(Debug, Clone, PartialEq)]
pub struct Product(Parts);

impl Product {
    /// Checks the fields and takes them; tags and aliases are sorted and stripped of repeats.
    ///
    /// # Errors
    /// The first fault, with its field path.
    pub fn new(mut parts: Parts) -> Result<Self, Violation> {
        violation::text("title", &parts.title, limits::TITLE_BYTES_MAX)?;
        names("tags", &mut parts.tags, limits::TAGS_MAX, limits::TAG_BYTES_MAX)?;
        names("aliases", &mut parts.aliases, limits::ALIASES_MAX, limits::ALIAS_BYTES_MAX)?;
        if parts.stock_quantity.is_some_and(|pieces| pieces > limits::STOCK_QUANTITY_MAX) {
            return Err(Violation::new("stock_quantity", format!("is above {}", limits::STOCK_QUANTITY_MAX)));
        }
        supply(&parts)?;
        costs(&parts)?;
        Ok(Self(parts))
    }

    /// The merchant's own id.
    pub fn id(&self) -> &ProductId {
        &self.0.id
    }

    /// What customers read.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// The family it was given, if it was.
    pub fn family(&self) -> Option<&FamilyId> {
        self.0.family.as_ref()
    }

    /// The name of the family it belongs to: the one it was given, else its own id.
    pub fn family_name(&self) -> &str {
        self.0.family.as_ref().map_or(self.0.id.as_str(), FamilyId::as_str)
    }

    /// Where it stands in the merchant's tree.
    pub fn category(&self) -> Option<&CategoryPath> {
        self.0.category.as_ref()
    }

    /// Facts by name.
    pub fn attributes(&self) -> &Attributes {
        &self.0.attributes
    }

    /// Labels, ascending.
    pub fn tags(&self) -> &[Box<str>] {
        &self.0.tags
    }

    /// What it costs, if that is known.
    pub fn price(&self) -> Option<Money> {
        self.0.price
    }

    /// What it costs the merchant, if that is known.
    pub fn unit_cost(&self) -> Option<Money> {
        self.0.unit_cost
    }

    /// Whether it can be bought.
    pub fn availability(&self) -> Availability {
        self.0.availability
    }

    /// Pieces in stock, if counted.
    pub fn stock_quantity(&self) -> Option<u32> {
        self.0.stock_quantity
    }

    /// What kind of thing it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// How many days one piece lasts, if that is known.
    pub fn days_of_supply(&self) -> Option<u32> {
        self.0.days_of_supply
    }

    /// Other names customers use, ascending.
    pub fn aliases(&self) -> &[Box<str>] {
        &self.0.aliases
    }

    /// When the price was set by its owner.
    pub fn price_set_time(&self) -> Timestamp {
        self.0.price_set_time
    }

    /// When availability and stock were set by their owner.
    pub fn stock_set_time(&self) -> Timestamp {
        self.0.stock_set_time
    }

    /// Whether two products differ at most in when their fields were set.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let mut timed = other.0.clone();
        timed.price_set_time = self.0.price_set_time;
        timed.stock_set_time = self.0.stock_set_time;
        self.0 == timed
    }

    /// This product with price and stock of `stored` wherever those were set later.
    #[must_use]
    pub fn with_newer_offer_of(mut self, stored: &Self) -> Self {
        if stored.0.price_set_time > self.0.price_set_time {
            self.set_price(stored.0.price, stored.0.price_set_time);
        }
        if stored.0.stock_set_time > self.0.stock_set_time {
            self.set_stock(stored.0.availability, stored.0.stock_quantity, stored.0.stock_set_time);
        }
        self
    }

    /// Sets the price; a unit cost in another currency no longer means anything and is dropped.
    pub(crate) fn set_price(&mut self, price: Option<Money>, at: Timestamp) {
        self.0.price = price;
        self.0.price_set_time = at;
        self.0.unit_cost =
            self.0.unit_cost.filter(|cost| price.is_some_and(|price| price.currency() == cost.currency()));
    }

    pub(crate) fn set_stock(
        &mut self,
        availability: Availability,
        stock_quantity: Option<u32>,
        at: Timestamp,
    ) {
        self.0.availability = availability;
        self.0.stock_quantity = stock_quantity;
        self.0.stock_set_time = at;
    }

    pub(crate) fn share_category(&mut self, shared: CategoryPath) {
        debug_assert_eq!(self.0.category.as_ref(), Some(&shared));
        self.0.category = Some(shared);
    }
}

fn names(
    field: &str,
    names: &mut Vec<Box<str>>,
    count_max: usize,
    bytes_max: usize,
) -> Result<(), Violation> {
    violation::count(field, names.len(), count_max)?;
    for (at, name) in names.iter().enumerate() {
        violation::text(&format!("{field}[{at}]"), name, bytes_max)?;
    }
    names.sort_unstable();
    names.dedup();
    names.shrink_to_fit();
    Ok(())
}

fn supply(parts: &Parts) -> Result<(), Violation> {
    let Some(days) = parts.days_of_supply else { return Ok(()) };
    if parts.kind != Kind::Consumable {
        return Err(Violation::new("days_of_supply", "is set, but the product is not a CONSUMABLE"));
    }
    if !(1..=limits::DAYS_OF_SUPPLY_MAX).contains(&days) {
        return Err(Violation::new(
            "days_of_supply",
            format!("is {days}, allowed 1 to {}", limits::DAYS_OF_SUPPLY_MAX),
        ));
    }
    Ok(())
}

fn costs(parts: &Parts) -> Result<(), Violation> {
    let Some(cost) = parts.unit_cost else { return Ok(()) };
    match parts.price {
        Some(price) if price.currency() == cost.currency() => Ok(()),
        Some(price) => {
            let (own, wanted) = (cost.currency(), price.currency());
            Err(Violation::new("unit_cost.currency", format!("is {own:?}, but the price is in {wanted:?}")))
        }
        None => Err(Violation::new("unit_cost", "is set, but the product has no price")),
    }
}
