//! How many writes each merchant has waiting, so that one cannot fill the queue of all: the only home of `DashMap`.

#![expect(clippy::disallowed_types, reason = "this module is the home of DashMap")]

use std::sync::Arc;

use dashmap::{DashMap, Entry};
use sidecart_catalog::MerchantId;

use crate::limits::MERCHANT_PENDING_MAX;

/// Waiting writes by merchant. Merchants without any are not kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Quota(Arc<DashMap<MerchantId, usize>>);

/// A place in a merchant's share, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    quota: Quota,
    merchant: MerchantId,
}

impl Quota {
    /// Takes a place, unless the merchant has all of its own.
    pub(super) fn take(&self, merchant: &MerchantId) -> Option<Place> {
        let mut waiting = self.0.entry(merchant.clone()).or_default();
        if *waiting >= MERCHANT_PENDING_MAX {
            return None;
        }
        *waiting += 1;
        Some(Place { quota: self.clone(), merchant: merchant.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Entry::Occupied(mut waiting) = self.quota.0.entry(self.merchant.clone()) else { return };
        *waiting.get_mut() -= 1;
        if *waiting.get() == 0 {
            waiting.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merchant_gets_its_share_and_gives_it_back() {
        let (quota, [mine, other]) = (Quota::default(), ["a", "b"].map(|id| MerchantId::new(id).unwrap()));
        let places: Vec<_> = (0..MERCHANT_PENDING_MAX).map_while(|_| quota.take(&mine)).collect();
        assert_eq!(places.len(), MERCHANT_PENDING_MAX);
        assert!(quota.take(&mine).is_none());
        assert!(quota.take(&other).is_some());
        drop(places);
        assert!(quota.0.is_empty());
    }
}
