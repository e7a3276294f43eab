//! Category paths, from the root to a leaf.

use std::{fmt, sync::Arc};

use crate::violation::{self, Violation};

/// Most names in a path.
pub(crate) const DEPTH_MAX: usize = 8;
/// Longest name, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 128;

/// A category: 1 to 8 names from the root. Shared, so cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CategoryPath(Arc<[Arc<str>]>);

impl CategoryPath {
    /// Checks and takes a path.
    ///
    /// # Errors
    /// Empty, too deep, or with a bad name.
    pub fn new<S: AsRef<str>>(names: &[S]) -> Result<Self, Violation> {
        if names.is_empty() {
            return Err(Violation::new("", "is empty"));
        }
        violation::count("", names.len(), DEPTH_MAX)?;
        for (at, name) in names.iter().enumerate() {
            violation::text(&format!("[{at}]"), name.as_ref(), NAME_BYTES_MAX)?;
        }
        Ok(Self(names.iter().map(|name| name.as_ref().into()).collect()))
    }

    /// The names, root first.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }

    /// The last name.
    pub fn leaf(&self) -> &str {
        self.0.last().map_or("", |name| name)
    }

    /// The category above, if there is one.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        (!above.is_empty()).then(|| Self(above.into()))
    }

    /// The paths of the category itself and of all above it, root first, as slices of names.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = &[Arc<str>]> {
        (1..=self.0.len()).map(|len| &self.0[..len])
    }

    pub(crate) fn from_prefix(names: &[Arc<str>]) -> Self {
        Self(names.into())
    }

    /// The names, root first, as a slice.
    pub fn as_slice(&self) -> &[Arc<str>] {
        &self.0
    }
}

impl fmt::Display for CategoryPath {
    /// Such as `Cameras > Mirrorless`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" > ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for CategoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}
