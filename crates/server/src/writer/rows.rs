//! Domain values as stored records: the wire API's messages, encoded.

use bytes::Bytes;
use prost::Message as _;
use sidecart::v1 as pb;
use sidecart_catalog::{OrderId, Product, ShopperId, Timestamp, Violation};
use sidecart_rules::{Policy, Rule};
use sidecart_scoring::{follow_ups::Step, orders::RecordedOrder};

use crate::{convert, store::RowKind};

/// A value that is kept as a record.
pub(crate) trait Record: PartialEq + Sized {
    /// What kind of record it is.
    const KIND: RowKind;

    /// Its id.
    fn id(&self) -> &str;

    /// Whether a caller would see no difference.
    fn says_the_same_as(&self, other: &Self) -> bool {
        self == other
    }

    /// Its bytes.
    fn encode(&self) -> Bytes;

    /// The value of a record's bytes.
    ///
    /// # Errors
    /// The bytes are not a valid value of this kind.
    fn decode(bytes: &[u8]) -> Result<Self, Violation>;
}

impl Record for Product {
    const KIND: RowKind = RowKind::Product;

    fn id(&self) -> &str {
        self.id().as_str()
    }

    fn says_the_same_as(&self, other: &Self) -> bool {
        self.says_the_same_as(other)
    }

    fn encode(&self) -> Bytes {
        convert::product::to_pb(self).encode_to_vec().into()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Violation> {
        convert::product::from_pb(message(bytes)?, LONG_AGO)
    }
}

impl Record for Rule {
    const KIND: RowKind = RowKind::Rule;

    fn id(&self) -> &str {
        self.id().as_str()
    }

    fn encode(&self) -> Bytes {
        convert::rule::to_pb(self).encode_to_vec().into()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Violation> {
        convert::rule::from_pb(message(bytes)?)
    }
}

impl Record for Policy {
    const KIND: RowKind = RowKind::Policy;

    fn id(&self) -> &str {
        self.name().as_str()
    }

    fn encode(&self) -> Bytes {
        convert::policy::to_pb(self).encode_to_vec().into()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Violation> {
        convert::policy::from_pb(message::<pb::Policy>(bytes)?)
    }
}

impl Record for RecordedOrder {
    const KIND: RowKind = RowKind::Order;

    fn id(&self) -> &str {
        self.id().as_str()
    }

    fn encode(&self) -> Bytes {
        convert::order::to_pb(self).encode_to_vec().into()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Violation> {
        convert::order::from_pb(message(bytes)?)
    }
}

/// What became of the follow-ups of an order.
#[derive(Debug, PartialEq)]
pub(crate) struct Steps(pub(crate) OrderId, pub(crate) Vec<Step>);

impl Record for Steps {
    const KIND: RowKind = RowKind::FollowUps;

    fn id(&self) -> &str {
        self.0.as_str()
    }

    fn encode(&self) -> Bytes {
        convert::follow_up::encode(&self.0, &self.1)
    }

    fn decode(bytes: &[u8]) -> Result<Self, Violation> {
        convert::follow_up::decode(bytes).map(|(order, steps)| Self(order, steps))
    }
}

/// A shopper who does not want to be written to.
#[derive(Debug, PartialEq)]
pub(crate) struct OptedOut(pub(crate) ShopperId);

impl Record for OptedOut {
    const KIND: RowKind = RowKind::OptOut;

    fn id(&self) -> &str {
        self.0.as_str()
    }

    fn encode(&self) -> Bytes {
        Bytes::copy_from_slice(self.0.as_str().as_bytes())
    }

    fn decode(bytes: &[u8]) -> Result<Self, Violation> {
        let id = std::str::from_utf8(bytes).map_err(|_| Violation::new("", "is not text"))?;
        ShopperId::new(id).map(Self)
    }
}

/// Stored products carry their set times; this stands in for one that does not, and loses against any that does.
const LONG_AGO: Timestamp = Timestamp::from_ms(0);

fn message<M: prost::Message + Default>(bytes: &[u8]) -> Result<M, Violation> {
    M::decode(bytes).map_err(|fault| Violation::new("", format!("cannot be decoded: {fault}")))
}
