//! The clock of the services: the one place where they learn what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use sidecart_catalog::Timestamp;

/// Now, to the millisecond. A clock set before 1970 reads as 1970.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
