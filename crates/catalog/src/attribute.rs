//! Attributes: facts about a product by name, each with text values, numbers or both.

use crate::violation::{self, Violation};

/// Most attributes of a product.
pub(crate) const ATTRIBUTES_MAX: usize = 64;
/// Longest attribute name, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 64;
/// Most values of one attribute, text and numbers together.
pub(crate) const VALUES_MAX: usize = 64;
/// Longest text value, in bytes.
pub(crate) const VALUE_BYTES_MAX: usize = 128;

/// The values of one attribute, each kind sorted and without repeats.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    text: Box<[Box<str>]>,
    numbers: Box<[f64]>,
}

impl Values {
    /// Checks, sorts and takes values.
    ///
    /// # Errors
    /// None at all, too many, a bad text or a number that is not finite.
    pub fn new(mut text: Vec<Box<str>>, mut numbers: Vec<f64>) -> Result<Self, Violation> {
        violation::count("", text.len() + numbers.len(), VALUES_MAX)?;
        if text.is_empty() && numbers.is_empty() {
            return Err(Violation::new("", "has no values"));
        }
        for (at, value) in text.iter().enumerate() {
            violation::text(&format!("text[{at}]"), value, VALUE_BYTES_MAX)?;
        }
        if let Some(at) = numbers.iter().position(|number| !number.is_finite()) {
            return Err(Violation::new(format!("number[{at}]"), "is not a finite number"));
        }
        text.sort_unstable();
        text.dedup();
        // -0.0 and 0.0 are one value and must be stored as one.
        numbers.iter_mut().for_each(|number| *number += 0.0);
        numbers.sort_unstable_by(f64::total_cmp);
        numbers.dedup();
        Ok(Self { text: text.into(), numbers: numbers.into() })
    }

    /// Text values, ascending.
    pub fn text(&self) -> &[Box<str>] {
        &self.text
    }

    /// Numbers, ascending. All finite.
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }
}

/// A product's attributes, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attributes(Box<[(Box<str>, Values)]>);

impl Attributes {
    /// Checks, sorts and takes attributes.
    ///
    /// # Errors
    /// Too many, a bad name, or a name twice.
    pub fn new(mut attributes: Vec<(Box<str>, Values)>) -> Result<Self, Violation> {
        violation::count("", attributes.len(), ATTRIBUTES_MAX)?;
        for (name, _) in &attributes {
            violation::text(&format!("[{name:?}]"), name, NAME_BYTES_MAX)?;
        }
        attributes.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if let Some(pair) = attributes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Violation::new(format!("[{:?}]", pair[0].0), "is given twice"));
        }
        Ok(Self(attributes.into()))
    }

    /// The values of one attribute, if the product has it.
    pub fn get(&self, name: &str) -> Option<&Values> {
        let at = self.0.binary_search_by(|(own, _)| (**own).cmp(name)).ok()?;
        Some(&self.0[at].1)
    }

    /// All attributes, by name ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Values)> {
        self.0.iter().map(|(name, values)| (&**name, values))
    }
}
