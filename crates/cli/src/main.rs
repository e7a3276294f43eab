//! The binary `sidecart`: serves, and talks to a server.
//!
//! It parses what the user says, sends it over the wire and prints what comes back; it knows no rule of the trade.

mod args;
mod batch;
mod command;
mod config;
mod context;
mod exit;
mod import;
mod lines;
mod out;
mod remote;
mod serve;
mod wire;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    exit::exit(command::run(args::Cli::parse()))
}
