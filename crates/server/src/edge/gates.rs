//! One bound per class of call on how many run at once, over all connections. Nothing queues: a full class refuses.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{method::Class, settings::Settings};
use crate::status::Fault;

/// The bounds, and how many calls of each class are inside.
#[derive(Debug)]
pub(super) struct Gates {
    inside: [AtomicUsize; Class::COUNT],
    max: [usize; Class::COUNT],
}

impl Gates {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut max = [usize::MAX; Class::COUNT];
        max[Class::Read as usize] = settings.reads_max;
        max[Class::Write as usize] = settings.writes_max;
        max[Class::Bulk as usize] = settings.bulks_max;
        max[Class::Admin as usize] = settings.admins_max;
        max[Class::Watch as usize] = settings.watches_max;
        max[Class::Conversation as usize] = settings.conversations_max;
        Self { inside: Default::default(), max }
    }

    /// Lets one more call of the class in, or says that the class is full. Each entry is paid back by one `leave`.
    pub(super) fn enter(&self, class: Class) -> Result<(), Fault> {
        let inside = &self.inside[class as usize];
        if inside.fetch_add(1, Ordering::Relaxed) < self.max[class as usize] {
            return Ok(());
        }
        inside.fetch_sub(1, Ordering::Relaxed);
        let (reason, message) = class.full();
        Err(Fault::exhausted(reason, message))
    }

    /// Gives the place of one call back.
    pub(super) fn leave(&self, class: Class) {
        self.inside[class as usize].fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_class_refuses_and_the_others_do_not() {
        let gates = Gates::new(&Settings { bulks_max: 2, ..Settings::default() });
        assert_eq!(gates.enter(Class::Bulk), Ok(()));
        assert_eq!(gates.enter(Class::Bulk), Ok(()));
        assert!(matches!(gates.enter(Class::Bulk), Err(Fault::Exhausted { reason: "BULKS_FULL", .. })));
        assert_eq!(gates.enter(Class::Read), Ok(()));
        gates.leave(Class::Bulk);
        assert_eq!(gates.enter(Class::Bulk), Ok(()));
    }
}
