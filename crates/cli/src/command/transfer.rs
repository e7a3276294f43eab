//! `snapshot export` and `snapshot import`: a merchant as one file.

use std::{
    io::{self, Read, Write, stdout},
    path::Path,
};

use anyhow::{Context, Result};
use sidecart::v1 as pb;
use tempfile::NamedTempFile;
use tokio::{sync::mpsc, task::spawn_blocking};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Request, Streaming};

use crate::{
    lines,
    out::{self, Output},
    remote::Remote,
};

const CHUNK_BYTES: usize = 256 * 1024;
const CHUNKS_IN_FLIGHT: usize = 4;

/// Saves a merchant. The file appears whole or not at all.
pub(super) async fn export(remote: &Remote, file: &Path) -> Result<()> {
    let request = Request::new(pb::ExportRequest { merchant_id: remote.merchant.clone() });
    let chunks = remote.client.snapshot().export(request).await?.into_inner();
    if lines::is_standard(file) {
        copy(chunks, &mut stdout()).await?;
        return Ok(());
    }
    let at = || file.display().to_string();
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = NamedTempFile::new_in(dir).with_context(at)?;
    let size = copy(chunks, draft.as_file_mut()).await?;
    draft.as_file().sync_all().with_context(at)?;
    draft.persist(file).with_context(at)?;
    out::note(format!("{} holds {size} bytes", file.display()));
    Ok(())
}

async fn copy(mut chunks: Streaming<pb::ExportResponse>, to: &mut impl Write) -> Result<u64> {
    let mut size = 0;
    while let Some(message) = chunks.next().await {
        let chunk = message?.chunk;
        to.write_all(&chunk)?;
        size += chunk.len() as u64;
    }
    to.flush()?;
    Ok(size)
}

/// Loads a merchant.
pub(super) async fn import(remote: &Remote, file: &Path, output: Output) -> Result<()> {
    let mut bytes = lines::open(file)?.bytes;
    let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
    let merchant_id = remote.merchant.clone();
    let reading = spawn_blocking(move || -> io::Result<()> {
        let mut merchant_id = merchant_id;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            bytes.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
            // The first message names the merchant, and goes out even if the file is empty: the server says what is
            // wrong with that.
            let is_end = chunk.is_empty() && merchant_id.is_empty();
            let message =
                pb::ImportRequest { merchant_id: std::mem::take(&mut merchant_id), chunk: chunk.into() };
            if is_end || sender.blocking_send(message).is_err() {
                return Ok(());
            }
        }
    });
    let answer = remote.client.snapshot().import(ReceiverStream::new(receiver)).await;
    reading.await?.with_context(|| file.display().to_string())?;
    let answer = answer?.into_inner();
    if output == Output::Json {
        return Ok(out::message(&answer)?);
    }
    let pb::ImportResponse { generation, product_count, rule_count, order_count } = answer;
    let (products, rules) = (out::counted(product_count, "product"), out::counted(rule_count, "rule"));
    let orders = out::counted(order_count, "order");
    Ok(out::line(format!("{products}, {rules} and {orders}; generation {generation}"))?)
}
