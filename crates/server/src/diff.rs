//! What differs between two sorted sequences: the one merge that writer and services share.

use std::{cmp::Ordering, iter::Peekable, sync::Arc};

use sidecart_catalog::Entry;
use sidecart_rules::{Policy, Rule};

/// What a sequence is sorted by.
pub(crate) trait Keyed {
    /// The key, which the sequence has once.
    fn key(&self) -> &str;
}

impl Keyed for Entry {
    fn key(&self) -> &str {
        self.product().id().as_str()
    }
}

impl Keyed for Rule {
    fn key(&self) -> &str {
        self.id().as_str()
    }
}

impl Keyed for Policy {
    fn key(&self) -> &str {
        self.name().as_str()
    }
}

/// What stands in the earlier, the later, or both sequences under one key, and differs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Difference<T> {
    /// Only the later has it.
    Added(T),
    /// Only the earlier has it.
    Removed(T),
    /// Both have it: earlier, later.
    Changed(T, T),
}

impl<T> Difference<T> {
    /// The same difference, seen as something else.
    pub(crate) fn map<U>(self, seen: impl Fn(T) -> U) -> Difference<U> {
        match self {
            Self::Added(new) => Difference::Added(seen(new)),
            Self::Removed(old) => Difference::Removed(seen(old)),
            Self::Changed(old, new) => Difference::Changed(seen(old), seen(new)),
        }
    }
}

/// Walks two sequences, each strictly ascending in its keys, and yields what differs, ascending.
///
/// What both share by pointer is skipped without a look inside.
pub(crate) fn differences<'a, T: Keyed + PartialEq + 'a>(
    earlier: impl Iterator<Item = &'a Arc<T>>,
    later: impl Iterator<Item = &'a Arc<T>>,
) -> impl Iterator<Item = Difference<&'a T>> {
    let (mut earlier, mut later) = (earlier.peekable(), later.peekable());
    std::iter::from_fn(move || next(&mut earlier, &mut later))
}

fn next<'a, T: Keyed + PartialEq + 'a>(
    earlier: &mut Peekable<impl Iterator<Item = &'a Arc<T>>>,
    later: &mut Peekable<impl Iterator<Item = &'a Arc<T>>>,
) -> Option<Difference<&'a T>> {
    loop {
        let order = match (earlier.peek(), later.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.key().cmp(new.key()),
        };
        match order {
            Ordering::Less => return earlier.next().map(|old| Difference::Removed(&**old)),
            Ordering::Greater => return later.next().map(|new| Difference::Added(&**new)),
            Ordering::Equal => {}
        }
        let (old, new) = (earlier.next()?, later.next()?);
        if !Arc::ptr_eq(old, new) && old != new {
            return Some(Difference::Changed(&**old, &**new));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Keyed for String {
        fn key(&self) -> &str {
            &self[..1]
        }
    }

    fn shelf(items: &[&str]) -> Vec<Arc<String>> {
        items.iter().map(|item| Arc::new((*item).to_owned())).collect()
    }

    #[test]
    fn added_removed_and_changed_are_told_apart() {
        let (old, new) = (shelf(&["a1", "b1", "d1"]), shelf(&["b2", "c1", "d1"]));
        let found: Vec<_> = differences(old.iter(), new.iter()).collect();
        assert_eq!(
            found,
            [
                Difference::Removed(&*old[0]),
                Difference::Changed(&old[1], &new[0]),
                Difference::Added(&new[1])
            ]
        );
    }
}
