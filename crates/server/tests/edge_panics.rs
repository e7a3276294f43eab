//! The panic hook, in a process of its own.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

use std::{
    io,
    panic::catch_unwind,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn a_panic_is_logged_by_place_and_not_by_words() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(lines.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        sidecart_server::edge::log_panics();
        catch_unwind(|| panic!("secret")).unwrap_err();
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("sidecart::panic") && text.contains("edge_panics.rs"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}
