//! Products. The wire form is the stored form too, and returns exactly.

use sidecart::v1 as pb;
use sidecart_catalog::{CategoryPath, FamilyId, Parts, Product, ProductId, Timestamp, Violation, limits};

use super::{attribute, bounds, enums, money, offer, time};

/// Most bytes of a product as it is stored: encoded, with its set times and defaults filled in.
pub const BYTES_MAX: usize = 3_500;

/// A product. Set times that are absent become `received`.
///
/// # Errors
/// The first fault.
pub fn from_pb(mut product: pb::Product, received: Timestamp) -> Result<Product, Violation> {
    fill_in(&mut product, received);
    bounds::small(&product, BYTES_MAX)?;
    let pb::Product {
        product_id,
        title,
        family_id,
        category_path,
        attributes,
        tags,
        price,
        unit_cost,
        availability,
        stock_quantity,
        kind,
        days_of_supply,
        aliases,
        price_set_time,
        stock_set_time,
    } = product;
    let price_set_time = time::optional(price_set_time.as_ref(), "price_set_time")?.unwrap_or(received);
    let stock_set_time = time::optional(stock_set_time.as_ref(), "stock_set_time")?.unwrap_or(received);
    let availability =
        enums::availability::from_pb(availability).map_err(|fault| fault.within("availability"))?;
    let kind = enums::kind::from_pb(kind).map_err(|fault| fault.within("kind"))?;
    Product::new(Parts {
        id: ProductId::new(&product_id).map_err(|fault| fault.within("product_id"))?,
        title: title.into(),
        family: family(&family_id)?,
        category: category(&category_path)?,
        attributes: attribute::from_pb(attributes).map_err(|fault| fault.within("attributes"))?,
        tags: boxed(tags),
        price: money::optional(price.as_ref(), "price")?,
        unit_cost: money::optional(unit_cost.as_ref(), "unit_cost")?,
        availability: availability.unwrap_or(sidecart_catalog::Availability::InStock),
        stock_quantity: stock_quantity.map(pieces).transpose()?,
        kind: kind.unwrap_or(sidecart_catalog::Kind::Durable),
        days_of_supply,
        aliases: boxed(aliases),
        price_set_time,
        stock_set_time,
    })
}

/// A product as a caller sends it: its set times may not lie far ahead, where they would shut out later writes.
///
/// # Errors
/// As [`from_pb`], or a set time in the future.
pub fn sent_from_pb(product: pb::Product, received: Timestamp) -> Result<Product, Violation> {
    offer::set_at(product.price_set_time.as_ref(), "price_set_time", received)?;
    offer::set_at(product.stock_set_time.as_ref(), "stock_set_time", received)?;
    from_pb(product, received)
}

/// The wire form, with every default written out.
pub fn to_pb(product: &Product) -> pb::Product {
    let texts = |texts: &[Box<str>]| texts.iter().map(ToString::to_string).collect();
    let path = product.category().map(|path| path.names().map(str::to_owned).collect());
    pb::Product {
        product_id: product.id().to_string(),
        title: product.title().to_owned(),
        family_id: product.family().map(ToString::to_string).unwrap_or_default(),
        category_path: path.unwrap_or_default(),
        attributes: attribute::to_pb(product.attributes()),
        tags: texts(product.tags()),
        price: product.price().map(money::to_pb),
        unit_cost: product.unit_cost().map(money::to_pb),
        availability: enums::availability::to_pb(product.availability()).into(),
        stock_quantity: product.stock_quantity().map(i64::from),
        kind: enums::kind::to_pb(product.kind()).into(),
        days_of_supply: product.days_of_supply(),
        aliases: texts(product.aliases()),
        price_set_time: Some(time::to_pb(product.price_set_time())),
        stock_set_time: Some(time::to_pb(product.stock_set_time())),
    }
}

/// A number of pieces in stock.
///
/// # Errors
/// Negative, or above what may be counted.
pub fn pieces(quantity: i64) -> Result<u32, Violation> {
    let max = limits::STOCK_QUANTITY_MAX;
    let bad = || Violation::new("stock_quantity", format!("is {quantity}, allowed 0 to {max}"));
    u32::try_from(quantity).ok().filter(|pieces| *pieces <= max).ok_or_else(bad)
}

/// A category; none, when there are no names.
///
/// # Errors
/// Too deep, or a bad name.
pub fn category(names: &[String]) -> Result<Option<CategoryPath>, Violation> {
    if names.is_empty() {
        return Ok(None);
    }
    CategoryPath::new(names).map(Some).map_err(|fault| fault.within("category_path"))
}

fn family(id: &str) -> Result<Option<FamilyId>, Violation> {
    if id.is_empty() {
        return Ok(None);
    }
    FamilyId::new(id).map(Some).map_err(|fault| fault.within("family_id"))
}

fn boxed(texts: Vec<String>) -> Vec<Box<str>> {
    texts.into_iter().map(String::into_boxed_str).collect()
}

/// Writes out what [`to_pb`] will, so that what fits now fits when it is stored and read back.
fn fill_in(product: &mut pb::Product, received: Timestamp) {
    product.price_set_time.get_or_insert_with(|| time::to_pb(received));
    product.stock_set_time.get_or_insert_with(|| time::to_pb(received));
    if product.availability == 0 {
        product.set_availability(pb::Availability::InStock);
    }
    if product.kind == 0 {
        product.set_kind(pb::ProductKind::Durable);
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    const RECEIVED: Timestamp = Timestamp::from_ms(1_763_800_000_123);

    fn least() -> pb::Product {
        pb::Product { product_id: "p".into(), title: "t".into(), ..pb::Product::default() }
    }

    fn most() -> pb::Product {
        let values = pb::AttributeValues { text: vec!["E".into(), "X".into()], number: vec![-0.5, 67.0] };
        pb::Product {
            product_id: "filter-67 ü".into(),
            title: "Filter".into(),
            family_id: "filter".into(),
            category_path: vec!["Cameras".into(), "Filters".into()],
            attributes: [("mount".to_owned(), values)].into(),
            tags: vec!["a".into(), "b".into()],
            price: Some(pb::Money { currency: "JPY".into(), minor_units: 0 }),
            unit_cost: Some(pb::Money { currency: "JPY".into(), minor_units: 1 }),
            availability: pb::Availability::Preorder.into(),
            stock_quantity: Some(0),
            kind: pb::ProductKind::Consumable.into(),
            days_of_supply: Some(30),
            aliases: vec!["lens filter".into()],
            price_set_time: Some(prost_types::Timestamp { seconds: -1, nanos: 999_000_000 }),
            stock_set_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        }
    }

    #[test]
    fn the_stored_form_returns_exactly() {
        assert_eq!(to_pb(&from_pb(most(), RECEIVED).unwrap()), most());
        for sent in [least(), most()] {
            let product = from_pb(sent, RECEIVED).unwrap();
            assert_eq!(from_pb(to_pb(&product), Timestamp::from_ms(0)), Ok(product));
        }
    }

    #[test]
    fn what_is_absent_is_as_documented() {
        let product = from_pb(least(), RECEIVED).unwrap();
        assert_eq!(product.kind(), sidecart_catalog::Kind::Durable);
        assert_eq!(product.availability(), sidecart_catalog::Availability::InStock);
        assert_eq!((product.price_set_time(), product.stock_set_time()), (RECEIVED, RECEIVED));
    }

    #[test]
    fn what_is_taken_fits_its_record() {
        let of = |bytes: usize| pb::Product {
            aliases: (0..32).map(|at| format!("{at:0bytes$}")).collect(),
            ..most()
        };
        let largest = (1..128).rev().find_map(|bytes| from_pb(of(bytes), RECEIVED).ok()).unwrap();
        assert!((BYTES_MAX - 64..=BYTES_MAX).contains(&to_pb(&largest).encoded_len()));
        assert_eq!(from_pb(of(127), RECEIVED).unwrap_err().field, "");
    }
}
