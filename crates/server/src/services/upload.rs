//! Uploads: requests that come as a stream of messages, of which the first names the merchant.

use futures_util::{Stream, StreamExt};
use sidecart::v1 as pb;
use sidecart_catalog::{MerchantId, Timestamp, Violation};
use tonic::Status;

use super::{items::Kind, work::apart};
use crate::{
    convert::{at_most, id, outcome::Place},
    limits,
    status::Fault,
};

/// One message of an upload.
pub(crate) trait Message: Send + 'static {
    /// What an upload is made of.
    type Item: Send + 'static;

    /// The tenant, as sent.
    fn merchant_id(&self) -> &str;

    /// The items it carries.
    fn into_items(self) -> Vec<Self::Item>;
}

impl Message for pb::ImportProductsRequest {
    type Item = pb::Product;

    fn merchant_id(&self) -> &str {
        &self.merchant_id
    }

    fn into_items(self) -> Vec<pb::Product> {
        self.products
    }
}

impl Message for pb::ImportOrdersRequest {
    type Item = pb::RecordedOrder;

    fn merchant_id(&self) -> &str {
        &self.merchant_id
    }

    fn into_items(self) -> Vec<pb::RecordedOrder> {
        self.orders
    }
}

impl Message for pb::ImportAffinitiesRequest {
    type Item = pb::Affinity;

    fn merchant_id(&self) -> &str {
        &self.merchant_id
    }

    fn into_items(self) -> Vec<pb::Affinity> {
        self.affinities
    }
}

impl Message for pb::ReplaceRulesRequest {
    type Item = pb::Rule;

    fn merchant_id(&self) -> &str {
        &self.merchant_id
    }

    fn into_items(self) -> Vec<pb::Rule> {
        self.rules
    }
}

/// The file arrives in pieces, each an item.
impl Message for pb::ImportRequest {
    type Item = bytes::Bytes;

    fn merchant_id(&self) -> &str {
        &self.merchant_id
    }

    fn into_items(self) -> Vec<bytes::Bytes> {
        vec![self.chunk]
    }
}

/// An upload under way.
pub(crate) struct Upload<M, S> {
    /// Whose it is.
    pub(crate) merchant: MerchantId,
    first: Option<M>,
    rest: S,
}

impl<M: Message, S: Stream<Item = Result<M, Status>> + Unpin> Upload<M, S> {
    /// Waits for the first message.
    ///
    /// # Errors
    /// There is none, it names no merchant, or the stream broke.
    pub(crate) async fn open(mut messages: S) -> Result<Self, Status> {
        let none = || Fault::invalid("merchant_id", "is required in the first message, and there is none");
        let first = messages.next().await.transpose()?.ok_or_else(none)?;
        let merchant = id::merchant(first.merchant_id()).map_err(Fault::from)?;
        Ok(Self { merchant, first: Some(first), rest: messages })
    }

    /// The first message, while it has not been taken.
    pub(crate) fn first(&self) -> Option<&M> {
        self.first.as_ref()
    }

    /// The items of the next message. `None` at the end.
    ///
    /// # Errors
    /// Too many items in one message, another merchant, or the stream broke.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<M::Item>>, Status> {
        let message = match self.first.take() {
            Some(first) => Some(first),
            None => self.rest.next().await.transpose()?,
        };
        let Some(message) = message else { return Ok(None) };
        if !message.merchant_id().is_empty() && message.merchant_id() != self.merchant.as_str() {
            return Err(Fault::invalid("merchant_id", "differs from that of the first message").into());
        }
        Ok(Some(message.into_items()))
    }
}

/// Items of an upload, converted; each knows its place in the stream.
pub(crate) struct Converted<T> {
    /// What is right.
    pub(crate) good: Vec<(Sent, T)>,
    /// What is wrong.
    pub(crate) bad: Vec<(Sent, Violation)>,
}

/// An item as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// Its place in the stream, from 0.
    pub(crate) index: usize,
    /// Its id, as sent.
    pub(crate) id: String,
}

/// Converts the items of one message, the first of which has the place `start` in the stream.
///
/// # Errors
/// There are too many.
pub(crate) async fn convert<P: Send + 'static, T: Send + 'static>(
    kind: &'static Kind<P, T>,
    items: Vec<P>,
    start: usize,
    received: Timestamp,
) -> Result<Converted<T>, Fault> {
    at_most(&items, limits::IMPORT_MESSAGE_ITEMS_MAX, kind.list)?;
    apart(move || {
        let mut converted = Converted { good: Vec::with_capacity(items.len()), bad: Vec::new() };
        for (offset, item) in items.into_iter().enumerate() {
            let sent = Sent { index: start + offset, id: (kind.id)(&item).to_owned() };
            match (kind.from_pb)(item, received) {
                Ok(item) => converted.good.push((sent, item)),
                Err(fault) => converted.bad.push((sent, fault)),
            }
        }
        converted
    })
    .await
}

/// Takes all items of an upload that is applied whole or not at all.
///
/// # Errors
/// Any item is wrong (the first hundred are named), there are more than `max`, or the stream broke.
pub(crate) async fn gather<M, S, P, T>(
    mut upload: Upload<M, S>,
    kind: &'static Kind<P, T>,
    max: usize,
    received: Timestamp,
) -> Result<Vec<T>, Status>
where
    M: Message<Item = P>,
    S: Stream<Item = Result<M, Status>> + Unpin,
    P: Send + 'static,
    T: Send + 'static,
{
    let (mut all, mut faults, mut count) = (Vec::new(), Vec::new(), 0);
    while let Some(items) = upload.next().await? {
        let start = count;
        count += items.len();
        if count > max {
            return Err(Fault::invalid(kind.list, format!("has more than {max} entries in all")).into());
        }
        let converted = convert(kind, items, start, received).await?;
        faults.extend(
            converted
                .bad
                .into_iter()
                .map(|(Sent { index, .. }, fault)| Place { list: kind.list, index }.locate(fault)),
        );
        if faults.len() >= limits::IMPORT_ERRORS_MAX {
            break;
        }
        all.extend(converted.good.into_iter().map(|(_, item)| item));
    }
    faults.truncate(limits::IMPORT_ERRORS_MAX);
    if faults.is_empty() { Ok(all) } else { Err(Fault::Invalid(faults).into()) }
}
