//! One fault in what was sent, and where it is.
//!
//! Shared by every validating constructor, so that a client always learns the field path.

use std::fmt;

/// A fault at a field path, relative to the value being built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Violation {
    /// Path such as `price.currency`, or empty for the value itself.
    pub field: String,
    /// What is wrong and what would be right: lower case, no full stop.
    pub description: String,
}

impl Violation {
    /// A fault at `field`.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }

    /// The same fault, seen from one level further out.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.field = match self.field.as_str() {
            "" => outer.to_owned(),
            inner if inner.starts_with('[') => format!("{outer}{inner}"),
            inner => format!("{outer}.{inner}"),
        };
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.description),
            field => write!(f, "{field}: {}", self.description),
        }
    }
}

/// Refuses text outside `1..=max` bytes or with control characters.
pub(crate) fn text(field: &str, value: &str, max: usize) -> Result<(), Violation> {
    if value.is_empty() {
        return Err(Violation::new(field, "is empty"));
    }
    if value.len() > max {
        return Err(Violation::new(field, format!("is {} bytes, at most {max}", value.len())));
    }
    if value.chars().any(char::is_control) {
        return Err(Violation::new(field, "has a control character"));
    }
    Ok(())
}

/// Refuses more than `max` of something.
pub(crate) fn count(field: &str, len: usize, max: usize) -> Result<(), Violation> {
    if len > max {
        return Err(Violation::new(field, format!("has {len} entries, at most {max}")));
    }
    Ok(())
}
