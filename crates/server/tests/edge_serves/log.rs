//! The one line that each call leaves in the log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use sidecart::v1::WatchRequest;
use sidecart_server::edge::Settings;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{Server, get};

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

#[tokio::test]
async fn each_call_leaves_one_line_without_its_content() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(lines.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let server = Server::start(Settings::default()).await;
    let mut raw = server.raw().await;
    for (merchant, timeout) in [("secret", "1S"), ("secret", "0S"), ("panic", "1S")] {
        raw.get_snapshot(merchant, &[("x-request-id", "r-1"), ("grpc-timeout", timeout)]).await;
    }
    let mut client = server.client().await;
    client.get_snapshot(get("secret")).await.unwrap();
    let watched = client.watch(WatchRequest::default()).await.unwrap();
    server.stop().drained().await;
    drop((guard, watched));
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let of_calls: Vec<&str> = text.lines().filter(|line| line.contains("sidecart::rpc: rpc ")).collect();
    let expected = [
        (" INFO ", "/sidecart.v1.SnapshotService/GetSnapshot\" code=\"OK\"", "request_id=\"r-1\""),
        (
            " INFO ",
            "/sidecart.v1.SnapshotService/GetSnapshot\" code=\"DEADLINE_EXCEEDED\"",
            "request_id=\"r-1\"",
        ),
        ("ERROR ", "/sidecart.v1.SnapshotService/GetSnapshot\" code=\"INTERNAL\"", "request_id=\"r-1\""),
        (" INFO ", "/sidecart.v1.SnapshotService/GetSnapshot\" code=\"OK\"", "elapsed_us="),
        (" INFO ", "/sidecart.v1.SnapshotService/Watch\" code=\"UNAVAILABLE\"", "peer=127.0.0.1:"),
    ];
    assert_eq!(of_calls.len(), expected.len(), "{text}");
    for (line, (level, method_and_code, more)) in of_calls.iter().zip(expected) {
        assert!([level, method_and_code, more].iter().all(|part| line.contains(part)), "{line}");
    }
    assert!(!text.contains("secret") && !text.contains("as told"), "{text}");
}
