//! `Export` and `Import`: one file, in pieces, between the wire and [`crate::archive`], which blocks.
//!
//! Neither holds the file: what is written goes out as it is made, and what comes in is read as it arrives.

use std::{
    io::{self, Read, Write},
    sync::Arc,
};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::Stream;
use sidecart::v1 as pb;
use sidecart_catalog::MerchantId;
use tokio::{sync::mpsc, task};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{Desk, upload::Upload, work::apart, write::Envelope};
use crate::{
    archive::{self, ArchiveError},
    change::{Change, Truth},
    limits::{EXPORT_CHUNK_BYTES, IMPORT_FILE_MAX_BYTES},
    registry::Published,
    status::Fault,
};

/// Pieces that wait between the wire and the file.
const PIECES_MAX: usize = 2;

/// Streams a snapshot as a file. Ends early when the caller goes.
pub(crate) fn export(
    merchant: MerchantId,
    view: Arc<Published>,
) -> ReceiverStream<Result<pb::ExportResponse, Status>> {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    task::spawn_blocking(move || {
        let mut outlet = Outlet { sender, piece: BytesMut::with_capacity(EXPORT_CHUNK_BYTES) };
        let written = archive::write(&merchant, &view, &mut outlet).and_then(|()| outlet.flush());
        if written.is_err() && !outlet.sender.is_closed() {
            tracing::error!(%merchant, "an export could not be written");
            // If the caller goes now, there is nobody left to tell.
            let _ = outlet.sender.blocking_send(Err(Fault::Internal.into()));
        }
    });
    ReceiverStream::new(receiver)
}

/// Sends what is written, in pieces.
struct Outlet {
    sender: mpsc::Sender<Result<pb::ExportResponse, Status>>,
    piece: BytesMut,
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = EXPORT_CHUNK_BYTES - self.piece.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.piece.extend_from_slice(taken);
        if self.piece.len() == EXPORT_CHUNK_BYTES {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let chunk = self.piece.split().freeze();
        let sent = self.sender.blocking_send(Ok(pb::ExportResponse { chunk }));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// Takes a file as the whole truth of a merchant, or refuses all of it.
pub(crate) async fn import(
    desk: &Desk,
    messages: impl Stream<Item = Result<pb::ImportRequest, Status>> + Unpin,
) -> Result<pb::ImportResponse, Status> {
    let _place = desk.room.take()?;
    let mut upload = Upload::open(messages).await?;
    let envelope = Envelope::unnamed(upload.merchant.clone());
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let (sent, read) = tokio::join!(feed(&mut upload, sender), apart(move || read(receiver)));
    sent?;
    let truth = read?.map_err(|fault| Fault::invalid("chunk", fault.to_string()))?;
    let (product_count, rule_count) = (truth.products.len() as u64, truth.rules.len() as u64);
    let order_count = truth.orders.len() as u64;
    let receipt = desk.submit(envelope, Change::Restore(Box::new(truth)), "chunk").await?;
    Ok(pb::ImportResponse { generation: receipt.generation, product_count, rule_count, order_count })
}

/// Passes the pieces on, until there are no more or the reader has seen enough.
async fn feed<S>(upload: &mut Upload<pb::ImportRequest, S>, sender: mpsc::Sender<Bytes>) -> Result<(), Status>
where
    S: Stream<Item = Result<pb::ImportRequest, Status>> + Unpin,
{
    let mut received = 0;
    while let Some(pieces) = upload.next().await? {
        for piece in pieces {
            received += piece.len();
            if received > IMPORT_FILE_MAX_BYTES {
                return Err(Fault::invalid(
                    "chunk",
                    format!("the file has more than {IMPORT_FILE_MAX_BYTES} bytes"),
                )
                .into());
            }
            if sender.send(piece).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn read(receiver: mpsc::Receiver<Bytes>) -> Result<Truth, ArchiveError> {
    let (_, truth) = archive::read(&mut Inlet { receiver, piece: Bytes::new() })?;
    Ok(truth)
}

/// Reads what arrives, in pieces.
struct Inlet {
    receiver: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Inlet {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let Some(next) = self.receiver.blocking_recv() else { return Ok(0) };
            self.piece = next;
        }
        let taken = room.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut room[..taken]);
        Ok(taken)
    }
}
