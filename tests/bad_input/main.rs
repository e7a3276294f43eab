//! Bad input, class by class: each gets the documented code and the path of the field at fault, over a real server.
//!
//! Requests are sent as bytes, so that a case can be what no client library would send.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::needless_pass_by_value, reason = "cases read better with their requests in place")]

mod build;
mod cases;
mod conversations;
mod orders;
mod wire;

use sidecart::v1 as pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use self::{
    build::{Case, Expect, IMPORT_ORDERS, IMPORT_PRODUCTS},
    wire::Wire,
};

#[tokio::test]
async fn bad_input_gets_its_code_and_its_field_path() {
    let data = tempfile::tempdir().unwrap();
    let mut config = sidecart_server::Config::new(data.path());
    config.listen.set_port(0);
    let server = sidecart_server::start(config).await.unwrap();
    let wire = Wire::to(server.addr).await;
    for (path, message) in build::ground() {
        wire.call(path, vec![message]).await.unwrap();
    }
    let mut failures = Vec::new();
    let all = cases::all().into_iter().chain(orders::all()).chain(conversations::all());
    for Case { name, path, messages, expect } in all {
        let answer = wire.call(path, messages).await;
        let found = describe(path, answer);
        if found != expect {
            failures.push(format!("{name}: expected {expect:?}, found {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    drop(wire);
    server.shut_down().await.unwrap();
}

/// What an answer says, in the words of the table.
fn describe(path: &str, answer: Result<Vec<u8>, Status>) -> Expect {
    match answer {
        Ok(bytes) => outcome(path, &bytes),
        Err(status) => refusal(&status),
    }
}

fn refusal(status: &Status) -> Expect {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    let violation = details.bad_request().and_then(|bad| bad.field_violations.first().cloned());
    match (status.code(), violation) {
        (Code::InvalidArgument, Some(violation)) => Expect::Field(violation.field),
        (code, _) => Expect::Code(code, reason),
    }
}

/// The last item that was not taken as it came. All bulk writes are answered in the same form.
fn outcome(path: &str, bytes: &[u8]) -> Expect {
    let outcomes = match path {
        IMPORT_PRODUCTS => decoded::<pb::ImportProductsResponse>(bytes).errors,
        IMPORT_ORDERS => decoded::<pb::ImportOrdersResponse>(bytes).errors,
        _ => decoded::<pb::UpsertProductsResponse>(bytes).outcomes,
    };
    let told =
        outcomes.iter().rev().find_map(|item| Some((item.outcome(), item.violations.first()?.field.clone())));
    told.map_or(Expect::Accepted, |(outcome, field)| Expect::Item(outcome, field))
}

fn decoded<M: prost::Message + Default>(bytes: &[u8]) -> M {
    M::decode(bytes).unwrap_or_default()
}
