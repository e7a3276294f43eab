//! The catalog and the pairings go in, and come out again as an export file.

use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use sidecart::{client::Client, v1 as pb};

use crate::{
    Fault,
    harness::figures::{Table, gib, rate, seconds},
    synthetic::World,
};

const PRODUCTS_PER_MESSAGE: u64 = 2_000;
const RULES_PER_MESSAGE: u64 = 5_000;

/// How long an upload took until its last message was sent, and from then until it was answered.
struct Upload {
    sent_in: Duration,
    then: Duration,
}

/// Imports all products in one generation.
pub(crate) async fn products(
    client: &Client,
    merchant: &str,
    world: &Arc<World>,
    table: &Table,
) -> Result<(), Fault> {
    let (merchant, own, products) = (merchant.to_owned(), Arc::clone(world), world.products());
    let messages =
        (0..products).step_by(PRODUCTS_PER_MESSAGE as usize).map(move |first| pb::ImportProductsRequest {
            merchant_id: merchant.clone(),
            mode: pb::ImportMode::Replace.into(),
            products: (first..products.min(first + PRODUCTS_PER_MESSAGE))
                .map(|number| own.product(number))
                .collect(),
        });
    let mut catalog = client.catalog();
    let upload = timed(messages, |messages| async move {
        let answer = catalog.import_products(tokio_stream::iter(messages)).await?.into_inner();
        if answer.created_count == products { Ok(()) } else { Err(Fault::Wrong(format!("{answer:?}"))) }
    });
    report(table, "products", products, &upload.await?);
    Ok(())
}

/// Makes the pairings the whole rule set, in one generation.
pub(crate) async fn pairings(
    client: &Client,
    merchant: &str,
    world: &Arc<World>,
    count: u64,
    table: &Table,
) -> Result<(), Fault> {
    let (merchant, own) = (merchant.to_owned(), Arc::clone(world));
    let messages = (0..count).step_by(RULES_PER_MESSAGE as usize).map(move |first| pb::ReplaceRulesRequest {
        merchant_id: merchant.clone(),
        rules: (first..count.min(first + RULES_PER_MESSAGE)).map(|number| own.pairing(number)).collect(),
    });
    let mut rules = client.rules();
    let upload = timed(messages, |messages| async move {
        let answer = rules.replace_rules(tokio_stream::iter(messages)).await?.into_inner();
        if answer.created_count == count { Ok(()) } else { Err(Fault::Wrong(format!("{answer:?}"))) }
    });
    report(table, "pairings", count, &upload.await?);
    Ok(())
}

/// Sends messages and waits for the answer.
async fn timed<T, A, F>(
    messages: impl Iterator<Item = T> + Send + 'static,
    send: impl FnOnce(Box<dyn Iterator<Item = T> + Send>) -> A,
) -> Result<Upload, Fault>
where
    A: Future<Output = Result<F, Fault>>,
{
    let began = Instant::now();
    let last = Arc::new(Mutex::new(began));
    let noting = Arc::clone(&last);
    let note = move |_: &T| *noting.lock().expect("nothing panics while noting the time") = Instant::now();
    send(Box::new(messages.inspect(note))).await?;
    let last = *last.lock().expect("nothing panics while noting the time");
    Ok(Upload { sent_in: last - began, then: last.elapsed() })
}

fn report(table: &Table, what: &str, count: u64, upload: &Upload) {
    let all = upload.sent_in + upload.then;
    table.line(
        &format!("import of {count} {what}"),
        format_args!("{} ({:.0} a second)", seconds(all), rate(count as usize, all)),
    );
    table.line(&format!("… received and checked ({what})"), seconds(upload.sent_in));
    table.line(&format!("… compiled, stored, durable and visible ({what})"), seconds(upload.then));
}

/// Exports everything, and throws it away.
pub(crate) async fn export(client: &Client, merchant: &str, table: &Table) -> Result<(), Fault> {
    let began = Instant::now();
    let mut chunks =
        client.snapshot().export(pb::ExportRequest { merchant_id: merchant.into() }).await?.into_inner();
    let mut bytes = 0;
    while let Some(message) = chunks.message().await? {
        bytes += message.chunk.len() as u64;
    }
    table.line("export", format_args!("{}, {}", seconds(began.elapsed()), gib(bytes)));
    Ok(())
}

/// Bytes in all files under a directory.
pub(crate) fn disk_bytes(dir: &std::path::Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        bytes +=
            if entry.file_type()?.is_dir() { disk_bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
