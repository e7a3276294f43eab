//! What goes to standard output: lines, tables and JSON documents. Notes and errors go to standard error.
//!
//! A reader that closes the pipe early is no fault: see `exit`.

use std::{
    fmt::Display,
    io::{self, Write, stdout},
};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, TableStyle};
use serde::Serialize;

use crate::wire::{self, Named};

/// In what form answers are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Table,
    /// For scripts: one JSON document, a message in proto3 JSON by its proto field names.
    Json,
}

/// A count and what was counted, which is a word that takes an `s` when there are more.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Prints one line.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    writeln!(stdout().lock(), "{text}")
}

/// Prints rows under a header.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec()).add_rows(rows);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    line(table.trim_fmt())
}

/// Prints a message as one JSON document. The same message gives the same text.
pub(crate) fn message<T: Named>(message: &T) -> io::Result<()> {
    json(&wire::document(message))
}

/// Prints a value of our own as one JSON document.
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    let mut out = stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)
}

/// Tells people something beside the answer. A closed standard error is not worth failing for.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
