//! Metrics over HTTP: what happened is counted, and nobody is named.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::SocketAddr, time::Duration};

use sidecart::{client::Client, v1 as pb};
use sidecart_server::{Config, Running, start};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

async fn serve() -> (TempDir, Running, Client) {
    let data = TempDir::new().unwrap();
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let server =
        start(Config { listen: free, metrics: Some(free), ..Config::new(data.path()) }).await.unwrap();
    let client = Client::connect(&format!("http://{}", server.addr)).await.unwrap();
    (data, server, client)
}

/// What comes back for a request line.
async fn get(server: &Running, line: &str) -> String {
    let mut stream = TcpStream::connect(server.metrics.unwrap()).await.unwrap();
    stream.write_all(format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(5), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

async fn ask(client: &Client, merchant_id: &str) {
    let request = pb::GetSnapshotRequest { merchant_id: merchant_id.into(), min_generation: 0 };
    // Refused for a merchant that is not there, which is counted too.
    let _ = client.snapshot().get_snapshot(request).await;
}

#[tokio::test]
async fn calls_are_counted_by_method_and_code_and_merchants_and_store_are_measured() {
    let (_data, server, client) = serve().await;
    let products = vec![
        pb::Product { product_id: "p-secret".into(), title: "P".into(), ..Default::default() },
        pb::Product { product_id: "q-secret".into(), title: "Q".into(), ..Default::default() },
    ];
    let request =
        pb::UpsertProductsRequest { merchant_id: "acme-secret".into(), products, ..Default::default() };
    client.catalog().upsert_products(request).await.unwrap();
    for merchant in ["acme-secret", "acme-secret", "nobody"] {
        ask(&client, merchant).await;
    }
    let answer = get(&server, "GET /metrics").await;
    let method = "method=\"/sidecart.v1.SnapshotService/GetSnapshot\"";
    for line in [
        "HTTP/1.1 200 OK".to_owned(),
        "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8".to_owned(),
        format!("sidecart_calls_total{{{method},code=\"OK\"}} 2"),
        format!("sidecart_calls_total{{{method},code=\"NOT_FOUND\"}} 1"),
        format!("sidecart_call_duration_seconds_count{{{method}}} 3"),
        format!("sidecart_call_duration_seconds_bucket{{le=\"+Inf\",{method}}} 3"),
        "sidecart_connections_total 1".to_owned(),
        "sidecart_panics_total 0".to_owned(),
        "sidecart_merchants 1".to_owned(),
        "sidecart_merchants_degraded 0".to_owned(),
        "sidecart_products 2".to_owned(),
        "sidecart_store_blob_files 0".to_owned(),
        "# EOF".to_owned(),
    ] {
        assert!(answer.lines().any(|found| found == line), "{line} is missing from:\n{answer}");
    }
    assert!(answer.lines().any(|line| {
        line.strip_prefix("sidecart_store_disk_bytes ").is_some_and(|bytes| bytes.parse::<u64>().unwrap() > 0)
    }));
    assert!(!answer.contains("secret"), "{answer}");
    server.shut_down().await.unwrap();
}

#[tokio::test]
async fn nothing_else_is_answered_and_silence_holds_nobody_up() {
    let (_data, server, _client) = serve().await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(server.metrics.unwrap()).await.unwrap());
    }
    for (line, status) in [
        ("GET /", "HTTP/1.1 404"),
        ("POST /metrics", "HTTP/1.1 405"),
        ("GET /metrics", "HTTP/1.1 200"),
        ("nonsense", "HTTP/1.1 400"),
    ] {
        let answer = get(&server, line).await;
        assert!(answer.starts_with(status), "{line}: {answer}");
    }
    timeout(Duration::from_secs(5), server.shut_down()).await.unwrap().unwrap();
}
