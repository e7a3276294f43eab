//! `policy`: a merchant's limits on offering, as JSON both ways.

use std::{io::Read, path::Path};

use anyhow::{Context, Result};
use sidecart::v1 as pb;

use crate::{
    args::PolicyCommand,
    lines,
    out::{self, Output},
    remote::{Remote, new_request_id},
    wire::{self, short_name},
};

/// Bytes of a policy file that are read: far more than a policy may have.
const FILE_MAX_BYTES: u64 = 1024 * 1024;

/// Does what the command says.
pub(crate) async fn policy(remote: &Remote, command: PolicyCommand, output: Output) -> Result<()> {
    match command {
        PolicyCommand::Get { name } => get(remote, name).await,
        PolicyCommand::Set { file } => {
            let policy = read(&file).with_context(|| file.display().to_string())?;
            let answer = set(remote, policy).await?;
            match output {
                Output::Json => out::message(&answer)?,
                Output::Table => out::line(format!("generation {}", answer.generation))?,
            }
            Ok(())
        }
        PolicyCommand::List => list(remote, output).await,
        PolicyCommand::Delete { name } => delete(remote, name, output).await,
    }
}

async fn list(remote: &Remote, output: Output) -> Result<()> {
    let request = pb::ListPoliciesRequest { merchant_id: remote.merchant.clone(), min_generation: 0 };
    let answer = remote.client.rules().list_policies(remote.call(request)).await?.into_inner();
    if output == Output::Json {
        return Ok(out::message(&answer)?);
    }
    let rows = answer.policies.into_iter().map(|it| vec![it.name, it.overrides.len().to_string()]);
    Ok(out::table(&["POLICY", "OVERRIDES"], rows)?)
}

async fn delete(remote: &Remote, name: String, output: Output) -> Result<()> {
    let merchant_id = remote.merchant.clone();
    let request = pb::DeletePolicyRequest { merchant_id, name, request_id: new_request_id() };
    let answer = remote.client.rules().delete_policy(remote.call(request)).await?.into_inner();
    if output == Output::Json {
        return Ok(out::message(&answer)?);
    }
    let outcome = short_name("Outcome", answer.outcome);
    Ok(out::line(format!("{outcome}, generation {}", answer.generation))?)
}

async fn get(remote: &Remote, name: String) -> Result<()> {
    let request = pb::GetPolicyRequest { merchant_id: remote.merchant.clone(), name, min_generation: 0 };
    let answer = remote.client.rules().get_policy(remote.call(request)).await?.into_inner();
    Ok(out::message(&answer.policy.unwrap_or_default())?)
}

/// Sets a policy.
pub(crate) async fn set(remote: &Remote, policy: pb::Policy) -> Result<pb::SetPolicyResponse> {
    let request = pb::SetPolicyRequest {
        merchant_id: remote.merchant.clone(),
        policy: Some(policy),
        request_id: new_request_id(),
    };
    Ok(remote.client.rules().set_policy(remote.call(request)).await?.into_inner())
}

fn read(file: &Path) -> Result<pb::Policy> {
    let mut text = String::new();
    lines::open(file)?.bytes.take(FILE_MAX_BYTES).read_to_string(&mut text)?;
    Ok(wire::object(&text).and_then(wire::from_json)?)
}
