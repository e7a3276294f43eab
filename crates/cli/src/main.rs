//! The binary `sidecart`: serves, talks to a server, and measures on files.
//!
//! It parses what the user says, sends it over the wire and prints what comes back; it knows no rule of the trade.
//! `evaluate` alone needs no server.

mod args;
mod batch;
mod command;
mod config;
mod context;
mod evaluate;
mod exit;
mod import;
mod lines;
mod out;
mod remote;
mod serve;
mod texts;
mod transcripts;
mod wire;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    exit::exit(command::run(args::Cli::parse()))
}
