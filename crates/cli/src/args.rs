//! The command line: every command and flag, as `--help` shows them.

use std::{num::NonZeroU64, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::{
    command::FollowUpsCommand, config::SettingFlags, context::ContextFlags, evaluate::EvaluateArgs, exit,
    out::Output,
};

/// A cross-sell service: what goes with what a shopper looks at, has in the cart or has just bought.
#[derive(Debug, Parser)]
#[command(name = "sidecart", version, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Globals {
    /// Address of the server [default: http://127.0.0.1:50051]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) addr: Option<String>,
    /// Merchant that the command is about
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) merchant: Option<String>,
    /// Form of the answer
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) output: Output,
    /// TOML file with settings [default: sidecart.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Seconds that one call may take [default: 60, to learn 1800]
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) timeout_s: Option<NonZeroU64>,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a server
    Serve(ServeArgs),
    /// Load products, rules, orders or affinities from a file
    Import(ImportArgs),
    /// Ask what to offer
    Recommend(RecommendArgs),
    /// Follow a conversation: write as the customer, see what is understood and offered
    Chat(ChatArgs),
    /// Find the products that texts name
    Link(LinkArgs),
    /// Ask why products are, or are not, among the offers
    Explain(ExplainArgs),
    /// Measure on files, without a server, how well answers foretell later orders
    Evaluate(EvaluateArgs),
    /// Learn what goes with what from the orders known now
    Learn {
        /// Serve it even if it is much poorer than what is served
        #[arg(long)]
        accept_collapse: bool,
    },
    /// See what was learned, and what was imported in its place
    #[command(subcommand)]
    Affinities(AffinitiesCommand),
    /// See orders
    #[command(subcommand)]
    Orders(OrdersCommand),
    /// Say what looks wrong in the rules; exits with 6 if anything does
    Lint,
    /// See, list or delete products
    #[command(subcommand)]
    Products(ProductsCommand),
    /// List or delete rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// See, set, list or delete policies
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// See, lease and complete messages after a purchase
    #[command(subcommand)]
    FollowUps(FollowUpsCommand),
    /// See, compare, bring back, save and load what a merchant is served from
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// List the merchants that the server holds, and what each is served from
    Merchants {
        /// Only those that are served from a last good view
        #[arg(long)]
        degraded: bool,
    },
    /// See the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// See [`Command::Serve`].
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Load the demo store as merchant `demo`, in a fresh folder that goes at the end unless --data is given
    #[arg(long)]
    pub(crate) demo: bool,
    /// Set a damaged store aside, and write a new one from what is sound and the last good exports
    #[arg(long)]
    pub(crate) repair: bool,
    /// With --repair, start this merchant anew with nothing, if nothing readable is left of it; repeat for more
    #[arg(long, value_name = "MERCHANT", requires = "repair")]
    pub(crate) give_up: Vec<String>,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}

/// See [`Command::Import`].
#[derive(Debug, Args)]
#[command(after_long_help = crate::import::FORMATS)]
pub(crate) struct ImportArgs {
    /// What the file holds
    pub(crate) what: ImportKind,
    /// JSON Lines (.jsonl, .ndjson, .json), .csv or .parquet; `-` is standard input, JSON Lines
    pub(crate) file: PathBuf,
    /// Make the file the whole catalog or rule set, in one generation, or nothing when a line is wrong
    #[arg(long)]
    pub(crate) replace: bool,
    /// With --replace or affinities, take a file that holds nothing as it is: everything is deleted
    #[arg(long)]
    pub(crate) allow_empty: bool,
}

/// What can be imported.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ImportKind {
    /// What is sold
    Products,
    /// Pairings, blocks and boosts
    Rules,
    /// What was bought, and what became of it
    Orders,
    /// What goes with what, from a model of your own; takes the place of what was imported before
    Affinities,
}

/// See [`Command::Recommend`].
#[derive(Debug, Args)]
pub(crate) struct RecommendArgs {
    #[command(flatten)]
    pub(crate) context: ContextFlags,
    /// Ask each line of this file instead: {"id", …fields of RecommendRequest}; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "out", conflicts_with = "context")]
    pub(crate) batch: Option<PathBuf>,
    /// Where the answers of --batch go: {"id","items":[…],"scores":[…]}; `-` is standard output
    #[arg(long, value_name = "FILE", requires = "batch")]
    pub(crate) out: Option<PathBuf>,
    /// Name of the policy to answer under, for these calls only; `open` lifts restraint
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
    /// At most this many offers [default: as the policy says]
    #[arg(long, value_name = "N")]
    pub(crate) max_results: Option<u32>,
}

/// See [`Command::Chat`].
#[derive(Debug, Args)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    pub(crate) context: ContextFlags,
    /// Ask each line {"id","text"} of this file as the only turn of a chat instead, opened on the page of --anchor, or of the first product by id that has offers there; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "out", conflicts_with_all = ["session", "language", "policy"])]
    pub(crate) batch: Option<PathBuf>,
    /// Where the answers of --batch go: {"id","verdict","question"}; `-` is standard output
    #[arg(long, value_name = "FILE", requires = "batch")]
    pub(crate) out: Option<PathBuf>,
    /// Play the written conversations of this file instead, and exit with 6 if anything is not as it says; repeat for more
    #[arg(long, value_name = "FILE", conflicts_with_all = ["batch", "session", "language", "policy"])]
    pub(crate) check: Vec<PathBuf>,
    /// Name of the conversation, to go on with one [default: a new one]
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// Language of what is safe to say: de, en, es, fr or ja [default: the customer's]
    #[arg(long, value_name = "TAG")]
    pub(crate) language: Option<String>,
    /// Name of the policy to answer under
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
}

/// See [`Command::Link`].
#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// File of texts, one {"id","text"} a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) batch: PathBuf,
    /// Where the answers go: {"id","product_ids":[best first]}; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// See [`Command::Explain`].
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) context: ContextFlags,
    /// Product to explain; repeat for more [default: every candidate]
    #[arg(long = "product", value_name = "ID")]
    pub(crate) products: Vec<String>,
    /// Name of the policy to answer under
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
    /// At most this many offers [default: as the policy says]
    #[arg(long, value_name = "N")]
    pub(crate) max_results: Option<u32>,
}

/// See [`Command::Products`].
#[derive(Debug, Subcommand)]
pub(crate) enum ProductsCommand {
    /// See one product
    Get {
        /// Its id
        product_id: String,
    },
    /// List products by id
    List {
        /// Only those at or below this category, such as "Cameras > Mirrorless"
        #[arg(long, value_name = "PATH")]
        category: Option<String>,
        /// At most this many; 0 is all
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Delete products
    Delete {
        /// Their ids
        #[arg(required = true, value_name = "PRODUCT_ID")]
        product_ids: Vec<String>,
    },
}

/// See [`Command::Affinities`].
#[derive(Debug, Subcommand)]
pub(crate) enum AffinitiesCommand {
    /// List what goes with a product, best first
    List {
        /// The product
        product_id: String,
    },
    /// Describe the model being served
    Model,
}

/// See [`Command::Orders`].
#[derive(Debug, Subcommand)]
pub(crate) enum OrdersCommand {
    /// See one order, and what is left of it
    Get {
        /// Its id
        order_id: String,
    },
}

/// See [`Command::Rules`].
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// List rules by id
    List {
        /// At most this many; 0 is all
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Delete rules
    Delete {
        /// Their ids
        #[arg(required = true, value_name = "RULE_ID")]
        rule_ids: Vec<String>,
    },
}

/// See [`Command::Policy`].
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// See a policy, as JSON that `policy set` takes
    Get {
        /// Its name
        #[arg(default_value = "default")]
        name: String,
    },
    /// Set a policy; it replaces the one of its name
    Set {
        /// JSON of `sidecart.v1.Policy`; `-` is standard input
        file: PathBuf,
    },
    /// List the policies that were set
    List,
    /// Delete a policy; without its own `default` the built-in one holds again
    Delete {
        /// Its name
        name: String,
    },
}

/// See [`Command::Snapshot`].
#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotCommand {
    /// List the kept generations, newest first
    List,
    /// Say what differs between two kept generations
    Diff {
        /// The earlier
        from: u64,
        /// The later [default: the one being served]
        to: Option<u64>,
    },
    /// Make a new generation that holds what an earlier one held
    Rollback {
        /// The generation to go back to
        generation: u64,
        /// What to take from it; catalog brings back old prices and stock
        #[arg(long = "part", value_enum, value_delimiter = ',', default_values = ["rules", "policy"])]
        parts: Vec<Part>,
    },
    /// Save everything durable of the merchant
    Export {
        /// The file to write; `-` is standard output
        file: PathBuf,
    },
    /// Make an exported file the whole truth of the merchant, or nothing when it is damaged
    Import {
        /// The file to read; `-` is standard input
        file: PathBuf,
    },
}

/// A part of a snapshot.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Part {
    /// Products, with their prices and stock
    Catalog,
    /// Pairings, blocks and boosts
    Rules,
    /// Policies
    Policy,
}

/// See [`Command::Config`].
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every key, its value and where that comes from
    Show(SettingFlags),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bad_usage_is_refused() {
        let cases: [&[&str]; 9] = [
            &["recommend", "--batch", "f"],
            &["recommend", "--out", "f"],
            &["recommend", "--batch", "f", "--out", "g", "--stage", "cart"],
            &["recommend", "--stage", "noon"],
            &["import", "shoppers", "f"],
            &["products", "delete"],
            &["--timeout-s", "0", "lint"],
            &["evaluate", "--catalog", "f"],
            &["evaluate", "--catalog", "f", "--orders", "g", "--newest", "1"],
        ];
        for args in cases {
            let line = ["sidecart"].iter().chain(args);
            assert!(Cli::try_parse_from(line).is_err(), "{args:?}");
        }
    }
}
