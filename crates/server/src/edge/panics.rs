//! Panics in the log, by place and without their words, which may hold a caller's data.

use std::{
    panic::{PanicHookInfo, set_hook},
    thread,
};

/// Replaces the process's panic hook, which prints the panic's words, by one that logs where it happened.
pub fn log_panics() {
    set_hook(Box::new(log));
}

fn log(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(String::new, ToString::to_string);
    tracing::error!(target: "sidecart::panic", place, thread = thread::current().name(), "a thread panicked");
}
