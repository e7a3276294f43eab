//! Attributes.

use std::collections::BTreeMap;

use sidecart::v1 as pb;
use sidecart_catalog::{Attributes, Values, Violation};

/// The attributes of a product.
///
/// # Errors
/// The first bad name or value; the field is `["mount"].text[0]`, say.
pub fn from_pb(attributes: BTreeMap<String, pb::AttributeValues>) -> Result<Attributes, Violation> {
    let named = attributes.into_iter().map(|(name, values)| {
        let pb::AttributeValues { text, number } = values;
        let text = text.into_iter().map(String::into_boxed_str).collect();
        let values = Values::new(text, number).map_err(|fault| fault.within(&format!("[{name:?}]")))?;
        Ok((name.into_boxed_str(), values))
    });
    Attributes::new(named.collect::<Result<_, Violation>>()?)
}

/// The wire form.
pub fn to_pb(attributes: &Attributes) -> BTreeMap<String, pb::AttributeValues> {
    let values = |values: &Values| pb::AttributeValues {
        text: values.text().iter().map(ToString::to_string).collect(),
        number: values.numbers().to_vec(),
    };
    attributes.iter().map(|(name, own)| (name.to_owned(), values(own))).collect()
}
