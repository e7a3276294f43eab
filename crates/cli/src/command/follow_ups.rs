//! `follow-ups`: messages after a purchase, for people who look at them and for workers in a shell.

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use sidecart::v1 as pb;

use super::recommend::price;
use crate::{
    context::{Surface, time},
    lines,
    out::{self, Output},
    remote::{Remote, new_request_id},
    wire::{self, short_name},
};

/// Most follow-ups that are completed at once, as the wire allows.
const COMPLETIONS_MAX: usize = 1_000;

/// See [`crate::args::Command::FollowUps`].
#[derive(Debug, Subcommand)]
pub(crate) enum FollowUpsCommand {
    /// List the follow-ups of an order, or of a shopper's newest orders, also those that offer nothing
    List {
        /// Of this order
        #[arg(long, value_name = "ID", required_unless_present = "shopper", conflicts_with = "shopper")]
        order: Option<String>,
        /// Of this shopper
        #[arg(long, value_name = "ID")]
        shopper: Option<String>,
        #[command(flatten)]
        when: When,
    },
    /// Show the time line of an order: what was sent about it, what would be, and when
    Preview {
        /// The order
        #[arg(long, value_name = "ID")]
        order: String,
        #[command(flatten)]
        when: When,
    },
    /// Lease follow-ups that are due, and print each as a line of JSON
    Lease {
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
        /// For how many seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 300)]
        seconds: i64,
        #[command(flatten)]
        when: When,
    },
    /// Say what became of leased follow-ups, given as `lease` prints them
    Complete {
        /// What became of all of them
        #[arg(value_enum)]
        ending: Ending,
        /// The lines; `-` is standard input
        #[arg(default_value = "-")]
        file: std::path::PathBuf,
        /// Why they were skipped
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Never write to a shopper
    OptOut {
        /// Who
        shopper: String,
    },
    /// Write to a shopper again who had opted out
    OptIn {
        /// Who
        shopper: String,
    },
    /// Take a shopper out of everything, the store's files and exports included
    Erase {
        /// Who
        shopper: String,
    },
}

/// Through what a message would reach the customer, and when.
#[derive(Debug, Args)]
pub(crate) struct When {
    /// How the message reaches the customer
    #[arg(long, value_enum, ignore_case = true, default_value = "email")]
    surface: Surface,
    /// The moment to look from, such as 2026-01-31T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<prost_types::Timestamp>,
}

/// What became of a follow-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ending {
    /// It was sent
    Sent,
    /// It is not to be sent
    Skipped,
    /// It could not be sent, and is to be tried again
    Failed,
}

/// Does what the command says.
pub(super) async fn follow_ups(remote: &Remote, command: FollowUpsCommand, output: Output) -> Result<()> {
    use pb::list_follow_ups_request::Of;
    match command {
        FollowUpsCommand::List { order, shopper, when } => {
            let of = order.map(Of::OrderId).or(shopper.map(Of::ShopperId));
            list(remote, of, &when, Shown::All, output).await
        }
        FollowUpsCommand::Preview { order, when } => {
            list(remote, Some(Of::OrderId(order)), &when, Shown::Telling, output).await
        }
        FollowUpsCommand::Lease { limit, seconds, when } => lease(remote, limit, seconds, when).await,
        FollowUpsCommand::Complete { ending, file, reason } => {
            complete(remote, ending, &file, &reason, output).await
        }
        FollowUpsCommand::OptOut { shopper } => opt(remote, shopper, true, output).await,
        FollowUpsCommand::OptIn { shopper } => opt(remote, shopper, false, output).await,
        FollowUpsCommand::Erase { shopper } => erase(remote, shopper, output).await,
    }
}

async fn opt(remote: &Remote, shopper_id: String, opted_out: bool, output: Output) -> Result<()> {
    let (merchant_id, request_id) = (remote.merchant.clone(), new_request_id());
    let request = pb::SetOptOutRequest { merchant_id, shopper_id, opted_out, request_id };
    let answer = remote.client.follow_ups().set_opt_out(remote.call(request)).await?.into_inner();
    match output {
        Output::Json => Ok(out::message(&answer)?),
        Output::Table => {
            let outcome = short_name("Outcome", answer.outcome);
            Ok(out::line(format!("{outcome}, generation {}", answer.generation))?)
        }
    }
}

/// With the deadline of long calls: a store that is large is written anew.
async fn erase(remote: &Remote, shopper_id: String, output: Output) -> Result<()> {
    let request = pb::EraseShopperRequest { merchant_id: remote.merchant.clone(), shopper_id };
    let answer = remote.client.follow_ups().erase_shopper(remote.long_call(request)).await?.into_inner();
    match output {
        Output::Json => Ok(out::message(&answer)?),
        Output::Table => {
            let orders = out::counted(answer.order_count, "order");
            Ok(out::line(format!("gone from generation {} on, out of {orders}", answer.generation))?)
        }
    }
}

/// Which follow-ups are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    All,
    /// Those that are over, or have something to offer.
    Telling,
}

async fn list(
    remote: &Remote,
    of: Option<pb::list_follow_ups_request::Of>,
    when: &When,
    shown: Shown,
    output: Output,
) -> Result<()> {
    let request = pb::ListFollowUpsRequest {
        merchant_id: remote.merchant.clone(),
        at: when.at,
        surface: when.surface.to_pb().into(),
        min_generation: 0,
        of,
    };
    let mut answer = remote.client.follow_ups().list_follow_ups(remote.call(request)).await?.into_inner();
    if shown == Shown::Telling {
        answer.follow_ups.retain(|it| !it.offers.is_empty() || it.completed_at.is_some());
    }
    if output == Output::Json {
        return Ok(out::message(&answer)?);
    }
    let moment =
        |moment: Option<&prost_types::Timestamp>| moment.map(ToString::to_string).unwrap_or_default();
    let rows = answer.follow_ups.iter().flat_map(|follow_up| {
        let reference = follow_up.r#ref.clone().unwrap_or_default();
        let own = vec![
            moment(follow_up.opens_at.as_ref()),
            moment(follow_up.closes_at.as_ref()),
            reference.order_id,
            short_name("FollowUpKind", reference.kind),
            short_name("FollowUpState", follow_up.state),
        ];
        // The time line of one follow-up has a row for each offer; what they share is told once.
        let blank = vec![String::new(); own.len()];
        let first = follow_up.offers.first();
        let others = follow_up.offers.iter().skip(1).map(|offer| [blank.clone(), told(Some(offer))].concat());
        let rows: Vec<_> = std::iter::once([own, told(first)].concat()).chain(others).collect();
        rows
    });
    if answer.opted_out {
        out::line("the shopper does not want to be written to")?;
    }
    Ok(out::table(&["OPENS", "CLOSES", "ORDER", "KIND", "STATE", "PRODUCT", "PRICE", "SENTENCE"], rows)?)
}

fn told(offer: Option<&pb::Offer>) -> Vec<String> {
    let sentence = offer.and_then(|offer| offer.reason.as_ref()).map(|reason| reason.text.clone());
    vec![
        offer.map(|offer| offer.product_id.clone()).unwrap_or_default(),
        price(offer.and_then(|offer| offer.price.as_ref())),
        sentence.unwrap_or_default(),
    ]
}

async fn lease(remote: &Remote, limit: u32, seconds: i64, when: When) -> Result<()> {
    let request = pb::LeaseFollowUpsRequest {
        merchant_id: remote.merchant.clone(),
        surface: when.surface.to_pb().into(),
        limit,
        lease: Some(prost_types::Duration { seconds, nanos: 0 }),
        kinds: Vec::new(),
        at: when.at,
    };
    let answer = remote.client.follow_ups().lease_follow_ups(remote.call(request)).await?.into_inner();
    for follow_up in &answer.follow_ups {
        out::line(wire::document(follow_up))?;
    }
    if answer.is_more {
        out::note("there may be more");
    }
    Ok(())
}

async fn complete(remote: &Remote, ending: Ending, file: &Path, reason: &str, output: Output) -> Result<()> {
    use pb::follow_up_completion::Result as Told;
    let mut completions = Vec::new();
    for line in lines::lines(lines::open(file)?.bytes) {
        let (number, text) = line?;
        let read = text
            .map_err(anyhow::Error::msg)
            .and_then(|text| Ok(wire::from_json::<pb::FollowUp>(wire::object(&text)?)?));
        let follow_up = read.with_context(|| format!("line {number}"))?;
        if completions.len() == COMPLETIONS_MAX {
            bail!("line {number}: at most {COMPLETIONS_MAX} can be completed at once");
        }
        completions.push(pb::FollowUpCompletion {
            r#ref: follow_up.r#ref,
            lease_id: follow_up.lease_id,
            at: None,
            result: Some(match ending {
                Ending::Sent => Told::Sent(pb::FollowUpSent {}),
                Ending::Skipped => Told::Skipped(pb::FollowUpSkipped { reason: reason.to_owned() }),
                Ending::Failed => Told::Failed(pb::FollowUpFailed {}),
            }),
        });
    }
    if completions.is_empty() {
        return Ok(());
    }
    let (merchant_id, request_id) = (remote.merchant.clone(), new_request_id());
    let request = pb::CompleteFollowUpsRequest { merchant_id, completions, request_id };
    let answer = remote.client.follow_ups().complete_follow_ups(remote.call(request)).await?.into_inner();
    if output == Output::Json {
        return Ok(out::message(&answer)?);
    }
    let rows = answer.outcomes.iter().map(|it| vec![it.id.clone(), short_name("Outcome", it.outcome)]);
    Ok(out::table(&["LEASE", "OUTCOME"], rows)?)
}
