//! The demo store: part of the program, loaded over the wire like any other.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Result, ensure};
use sidecart::v1 as pb;

use crate::{
    command,
    exit::code_name,
    import::{self, Products, Progress, Rules, Upsertable},
    out,
    remote::Remote,
    wire,
};

const MERCHANT: &str = "demo";
const PRODUCTS: &str = include_str!("../../../../examples/demo/products.jsonl");
const RULES: &str = include_str!("../../../../examples/demo/rules.jsonl");
const POLICY: &str = include_str!("../../../../examples/demo/policy.json");
const TIMEOUT: Duration = Duration::from_secs(60);

/// Loads the demo store, unless it is there.
pub(super) async fn load(addr: SocketAddr) -> Result<()> {
    let remote =
        Remote::to(&format!("http://{}", reachable(addr)), MERCHANT.to_owned(), Some(TIMEOUT)).await?;
    if is_loaded(&remote).await? {
        return Ok(());
    }
    upsert::<Products>(&remote, PRODUCTS).await?;
    command::set_policy(&remote, wire::object(POLICY).and_then(wire::from_json)?).await?;
    // Last, for they tell that the store is whole.
    upsert::<Rules>(&remote, RULES).await
}

async fn is_loaded(remote: &Remote) -> Result<bool> {
    let request = pb::GetSnapshotRequest { merchant_id: remote.merchant.clone(), min_generation: 0 };
    match remote.client.snapshot().get_snapshot(remote.call(request)).await {
        Ok(answer) => Ok(answer.into_inner().snapshot.is_some_and(|snapshot| snapshot.rule_count > 0)),
        Err(status) if code_name(&status) == "NOT_FOUND" => Ok(false),
        Err(status) => Err(status.into()),
    }
}

async fn upsert<K: Upsertable>(remote: &Remote, text: &'static str) -> Result<()> {
    let rows = import::rows_of_text(text)?;
    let progress = Progress::new(K::NOUN, format!("demo {}", K::NOUN), &rows);
    let report = import::upsert::<K>(remote, rows, progress).await?;
    ensure!(report.rejected_count == 0, "{} {} are rejected", report.rejected_count, K::NOUN);
    out::note(format!("merchant {MERCHANT}: {} {}", report.imported(), K::NOUN));
    Ok(())
}

/// An address that reaches a server which listens on all addresses.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Kind;

    #[test]
    fn the_demo_store_can_be_read() {
        let items = |text: &str| {
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .map(wire::object)
                .collect::<Result<Vec<_>, _>>()
        };
        let products =
            items(PRODUCTS).unwrap().into_iter().map(Products::item).collect::<Result<Vec<_>, _>>();
        let rules = items(RULES).unwrap().into_iter().map(Rules::item).collect::<Result<Vec<_>, _>>();
        assert!(products.unwrap().len() >= 60);
        assert!(rules.unwrap().len() >= 40);
        wire::object(POLICY).and_then(wire::from_json::<pb::Policy>).unwrap();
    }
}
