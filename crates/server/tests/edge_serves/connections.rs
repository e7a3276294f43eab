//! What becomes of connections: the cap, the preface, the age and shutdown.

use std::time::Duration;

use sidecart::v1::WatchRequest;
use sidecart_server::edge::{Drained, Settings};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::harness::{SERVICE, Server, get, last_of, soon, take, until_closed};

const MOMENT: Duration = Duration::from_millis(30);
const LONG: Duration = Duration::from_secs(3_600);

/// The preface and empty settings.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

async fn say(stream: &TcpStream, text: &[u8]) {
    stream.writable().await.unwrap();
    assert_eq!(stream.try_write(text).unwrap(), text.len());
}

#[tokio::test]
async fn a_connection_over_the_cap_is_closed_at_once() {
    let server = Server::start(Settings { connections_max: 1, ..Settings::default() }).await;
    let mut first = server.client().await;
    first.get_snapshot(get("any")).await.unwrap();
    until_closed(&TcpStream::connect(server.addr).await.unwrap()).await;
    assert_eq!(server.counters.connections_refused(), 1);
    first.get_snapshot(get("any")).await.unwrap();
    drop(first);
    let let_in = async {
        let address = format!("http://{}", server.addr);
        loop {
            let channel = tonic::transport::Channel::from_shared(address.clone()).unwrap().connect_lazy();
            let mut client = sidecart::v1::snapshot_service_client::SnapshotServiceClient::new(channel);
            if client.get_snapshot(get("any")).await.is_ok() {
                return;
            }
        }
    };
    soon(let_in).await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_or_something_else_is_closed() {
    let server = Server::start(Settings { preface_timeout: MOMENT, ..Settings::default() }).await;
    until_closed(&TcpStream::connect(server.addr).await.unwrap()).await;
    let cases: [&[u8]; 2] = [b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n"];
    for text in cases {
        let stream = TcpStream::connect(server.addr).await.unwrap();
        say(&stream, text).await;
        until_closed(&stream).await;
    }
    assert_eq!(server.counters.connections_ungreeted(), 3);
}

#[tokio::test]
async fn a_preface_in_pieces_is_understood() {
    let server = Server::start(Settings::default()).await;
    let stream = TcpStream::connect(server.addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in GREETING.chunks(5) {
        say(&stream, piece).await;
    }
    soon(stream.readable()).await.unwrap();
    let mut settings = [0; 9];
    assert_eq!(stream.try_read(&mut settings).unwrap(), settings.len());
    assert_eq!(settings[3], 4, "the server answers with its settings");
}

#[tokio::test]
async fn an_idle_connection_is_asked_to_go_at_its_age() {
    let server = Server::start(Settings { connection_age: MOMENT, ..Settings::default() }).await;
    soon(server.raw().await.closed).await.unwrap();
}

#[tokio::test]
async fn a_silent_connection_is_cut_after_its_grace() {
    let settings = Settings { connection_age: MOMENT, connection_grace: MOMENT, ..Settings::default() };
    let server = Server::start(settings).await;
    let stream = TcpStream::connect(server.addr).await.unwrap();
    say(&stream, GREETING).await;
    until_closed(&stream).await;
}

#[tokio::test]
async fn age_ends_subscriptions_and_lets_calls_finish() {
    let settings = Settings {
        connection_age: Duration::from_millis(500),
        connection_grace: Duration::from_millis(1),
        ..Settings::default()
    };
    let server = Server::start(settings).await;
    let client = server.client().await;
    let waiting = tokio::spawn({
        let mut client = client.clone();
        async move { client.get_snapshot(get("wait")).await }
    });
    take(&server.signals.arrived).await;
    let watched = client.clone().watch(WatchRequest::default()).await.unwrap().into_inner();
    assert_eq!(last_of(watched).await.code(), Code::Unavailable);
    assert!(!waiting.is_finished());
    server.signals.released.add_permits(1);
    soon(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_says_not_serving_and_waits_for_calls() {
    let server = Server::start(Settings { drain_deadline: LONG, ..Settings::default() }).await;
    let client = server.client().await;
    let waiting = tokio::spawn({
        let mut client = client.clone();
        async move { client.get_snapshot(get("wait")).await }
    });
    take(&server.signals.arrived).await;
    let check = HealthCheckRequest { service: SERVICE.to_owned() };
    let mut health = HealthClient::new(server.channel().await).watch(check).await.unwrap().into_inner();
    assert_eq!(soon(health.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    let addr = server.addr;
    let stopping = server.stop();
    assert_eq!(soon(health.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(last_of(health).await.code(), Code::Unavailable);
    TcpStream::connect(addr).await.unwrap_err();
    assert!(!waiting.is_finished());
    stopping.signals.released.add_permits(1);
    soon(waiting).await.unwrap().unwrap();
    assert_eq!(stopping.drained().await, Drained { connections_cut: 0 });
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_connection_that_said_nothing() {
    let server = Server::start(Settings { drain_deadline: LONG, ..Settings::default() }).await;
    let silent = TcpStream::connect(server.addr).await.unwrap();
    let mut client = server.client().await;
    client.get_snapshot(get("any")).await.unwrap();
    assert_eq!(server.counters.connections_accepted(), 2);
    assert_eq!(server.stop().drained().await, Drained { connections_cut: 0 });
    until_closed(&silent).await;
}

#[tokio::test]
async fn shutdown_cuts_what_is_open_at_its_deadline() {
    let settings = Settings { drain_deadline: MOMENT, connection_grace: LONG, ..Settings::default() };
    let server = Server::start(settings).await;
    let silent = TcpStream::connect(server.addr).await.unwrap();
    say(&silent, GREETING).await;
    soon(silent.readable()).await.unwrap();
    let mut client = server.client().await;
    let waiting = tokio::spawn(async move { client.get_snapshot(get("wait")).await });
    take(&server.signals.arrived).await;
    let stopping = server.stop();
    let signals = std::sync::Arc::clone(&stopping.signals);
    assert_eq!(stopping.drained().await, Drained { connections_cut: 2 });
    soon(waiting).await.unwrap().unwrap_err();
    take(&signals.dropped).await;
}
