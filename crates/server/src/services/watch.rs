//! `Watch`: each new generation, as long as the caller keeps up; the newest in any case.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, stream};
use sidecart::v1 as pb;
use sidecart_catalog::MerchantId;
use tokio::sync::watch;
use tonic::Status;

use super::{Closing, refusal};
use crate::{convert::snapshot, registry::Slot, status::Fault};

/// Descriptions of generations, each newer than the one before.
pub(crate) type Generations = Pin<Box<dyn Stream<Item = Result<pb::WatchResponse, Status>> + Send>>;

/// A watch under way.
struct Watching {
    merchant: MerchantId,
    slot: Arc<Slot>,
    generation: watch::Receiver<u64>,
    seen: u64,
    closing: Closing,
}

/// The generations of a merchant after one that was seen. Ends only when the server does.
pub(crate) fn generations(merchant: MerchantId, slot: Arc<Slot>, seen: u64, closing: Closing) -> Generations {
    let generation = slot.watch();
    let watching = Watching { merchant, slot, generation, seen, closing };
    Box::pin(stream::unfold(Some(watching), |watching| async {
        let mut watching = watching?;
        Some(match watching.next().await {
            Ok(response) => (Ok(response), Some(watching)),
            Err(fault) => (Err(fault.into()), None),
        })
    }))
}

impl Watching {
    async fn next(&mut self) -> Result<pb::WatchResponse, Fault> {
        let seen = self.seen;
        let newer = tokio::select! {
            newer = self.generation.wait_for(|generation| *generation > seen) => newer.is_ok(),
            () = self.closing.closed() => false,
        };
        if !newer {
            return Err(refusal::shutting_down());
        }
        let current = self.slot.current();
        self.seen = current.snapshot.generation();
        Ok(pb::WatchResponse { snapshot: Some(snapshot::to_pb(&self.merchant, &current)) })
    }
}
