//! The commands: each asks the server and prints the answer.

mod affinities;
mod catalog;
mod chat;
mod explain;
mod follow_ups;
mod merchants;
mod policy;
mod recommend;
mod rules;
mod snapshot;
mod transfer;

pub(crate) use follow_ups::FollowUpsCommand;
pub(crate) use policy::set as set_policy;

use std::{
    io::{Write, stdout},
    time::Duration,
};

use anyhow::Result;
use clap::CommandFactory;
use tokio::runtime;

use crate::{
    args::{
        AffinitiesCommand, ChatArgs, Cli, Command, ConfigCommand, Globals, LinkArgs, OrdersCommand,
        RecommendArgs,
    },
    batch, config, evaluate,
    exit::Exit,
    import,
    remote::Remote,
    serve,
    texts::{self, Ask, Texts},
    transcripts,
};

/// How long work that nobody waits for any more, such as a lint whose caller is gone, may hold up the end.
const LINGER_MAX: Duration = Duration::from_secs(2);

/// Does what the command line says.
///
/// # Errors
/// Whatever stopped it; `exit` knows what to say and with which code to end.
pub(crate) fn run(cli: Cli) -> Result<Exit> {
    let Cli { globals, command } = cli;
    match command {
        Command::Config(ConfigCommand::Show(flags)) => config::show(&globals, &flags).map(|()| Exit::Done),
        Command::Completions { shell } => {
            // Into memory first: the generator panics when it cannot write.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "sidecart", &mut script);
            stdout().write_all(&script)?;
            Ok(Exit::Done)
        }
        Command::Evaluate(args) => evaluate::evaluate(&args, globals.output),
        command => {
            let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
            let outcome = runtime.block_on(talk(&globals, command));
            runtime.shutdown_timeout(LINGER_MAX);
            outcome
        }
    }
}

/// The commands that need a runtime.
async fn talk(globals: &Globals, command: Command) -> Result<Exit> {
    if let Command::Serve(args) = command {
        return serve::serve(globals, args).await;
    }
    let output = globals.output;
    if let Command::Merchants { degraded } = command {
        merchants::list(&Remote::of_all(globals).await?, degraded, output).await?;
        return Ok(Exit::Done);
    }
    let remote = &Remote::connect(globals).await?;
    match command {
        Command::Import(args) => return import::import(remote, args, output).await,
        Command::Lint => return rules::lint(remote, output).await,
        Command::Recommend(RecommendArgs {
            batch: Some(queries),
            out: Some(answers),
            policy,
            max_results,
            ..
        }) => {
            batch::batch(remote, batch::Batch { queries, answers, policy, max_results }, output).await?;
        }
        Command::Recommend(args) => recommend::recommend(remote, args, output).await?,
        Command::Chat(ChatArgs { batch: Some(texts), out: Some(answers), context, .. }) => {
            let texts = Texts { texts, answers, anchors: context.anchors().to_vec() };
            texts::ask(remote, Ask::Chat, texts, output).await?;
        }
        Command::Chat(ChatArgs { check, .. }) if !check.is_empty() => {
            return transcripts::check(remote, &check, output).await;
        }
        Command::Chat(args) => chat::chat(remote, args, output).await?,
        Command::Link(LinkArgs { batch: texts, out: answers }) => {
            let texts = Texts { texts, answers, anchors: Vec::new() };
            texts::ask(remote, Ask::Link, texts, output).await?;
        }
        Command::Explain(args) => explain::explain(remote, args, output).await?,
        Command::Learn { accept_collapse } => affinities::learn(remote, accept_collapse, output).await?,
        Command::Affinities(AffinitiesCommand::List { product_id }) => {
            affinities::list(remote, product_id, output).await?;
        }
        Command::Affinities(AffinitiesCommand::Model) => affinities::model(remote, output).await?,
        Command::Orders(OrdersCommand::Get { order_id }) => {
            affinities::order(remote, order_id, output).await?;
        }
        Command::FollowUps(command) => follow_ups::follow_ups(remote, command, output).await?,
        Command::Products(command) => catalog::products(remote, command, output).await?,
        Command::Rules(command) => rules::rules(remote, command, output).await?,
        Command::Policy(command) => policy::policy(remote, command, output).await?,
        Command::Snapshot(command) => snapshot::snapshot(remote, command, output).await?,
        Command::Serve(_)
        | Command::Merchants { .. }
        | Command::Evaluate(_)
        | Command::Config(_)
        | Command::Completions { .. } => {
            unreachable!("done above")
        }
    }
    Ok(Exit::Done)
}
