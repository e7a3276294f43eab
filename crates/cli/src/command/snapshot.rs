//! `snapshot`: the generations of a merchant: see, compare, bring back.

use anyhow::Result;
use sidecart::v1 as pb;

use super::transfer;
use crate::{
    args::{Part, SnapshotCommand},
    out::{self, Output},
    remote::{Remote, new_request_id},
    wire::short_name,
};

/// Does what the command says.
pub(crate) async fn snapshot(remote: &Remote, command: SnapshotCommand, output: Output) -> Result<()> {
    match command {
        SnapshotCommand::List => list(remote, output).await,
        SnapshotCommand::Diff { from, to } => diff(remote, from, to.unwrap_or_default(), output).await,
        SnapshotCommand::Rollback { generation, parts } => {
            roll_back(remote, generation, &parts, output).await
        }
        SnapshotCommand::Export { file } => transfer::export(remote, &file).await,
        SnapshotCommand::Import { file } => transfer::import(remote, &file, output).await,
    }
}

async fn list(remote: &Remote, output: Output) -> Result<()> {
    let request = pb::ListSnapshotsRequest { merchant_id: remote.merchant.clone() };
    let answer = remote.client.snapshot().list_snapshots(remote.call(request)).await?.into_inner();
    if output == Output::Json {
        return Ok(out::message(&answer)?);
    }
    Ok(out::table(&HEADER, answer.snapshots.iter().map(row))?)
}

/// What is told of a snapshot in a table.
pub(super) const HEADER: [&str; 7] =
    ["GENERATION", "CREATED", "CAUSE", "PRODUCTS", "RULES", "POLICIES", "STATE"];

/// A snapshot as a row of a table under [`HEADER`].
pub(super) fn row(snapshot: &pb::Snapshot) -> Vec<String> {
    let pb::Snapshot { degraded, degraded_reason, .. } = snapshot;
    vec![
        snapshot.generation.to_string(),
        snapshot.created_at.as_ref().map(ToString::to_string).unwrap_or_default(),
        snapshot.cause.clone(),
        snapshot.product_count.to_string(),
        snapshot.rule_count.to_string(),
        snapshot.policy_count.to_string(),
        if *degraded { format!("degraded: {degraded_reason}") } else { String::new() },
    ]
}

async fn diff(remote: &Remote, from_generation: u64, to_generation: u64, output: Output) -> Result<()> {
    let merchant_id = remote.merchant.clone();
    let request = pb::DiffSnapshotsRequest { merchant_id, from_generation, to_generation };
    let answer = remote.client.snapshot().diff_snapshots(remote.call(request)).await?.into_inner();
    if output == Output::Json {
        return Ok(out::message(&answer)?);
    }
    let to = answer.to_generation;
    out::line(format!(
        "{} from generation {from_generation} to {to}",
        out::counted(answer.change_count, "change")
    ))?;
    let shown = answer.changes.len();
    let rows = answer.changes.into_iter().map(|change| {
        let pb::SnapshotChange { part, id, kind } = change;
        vec![short_name("SnapshotPart", part), short_name("SnapshotChangeKind", kind), id]
    });
    out::table(&["PART", "CHANGE", "ID"], rows)?;
    if answer.change_count > shown as u64 {
        out::note(format!("these are the first {shown}"));
    }
    Ok(())
}

async fn roll_back(remote: &Remote, generation: u64, parts: &[Part], output: Output) -> Result<()> {
    let parts = parts.iter().map(|part| match part {
        Part::Catalog => pb::SnapshotPart::Catalog.into(),
        Part::Rules => pb::SnapshotPart::Rules.into(),
        Part::Policy => pb::SnapshotPart::Policy.into(),
    });
    let request = pb::RollBackRequest {
        merchant_id: remote.merchant.clone(),
        generation,
        parts: parts.collect(),
        request_id: new_request_id(),
    };
    let answer = remote.client.snapshot().roll_back(remote.call(request)).await?.into_inner();
    match output {
        Output::Json => out::message(&answer)?,
        Output::Table => out::line(format!("generation {}", answer.generation))?,
    }
    Ok(())
}
