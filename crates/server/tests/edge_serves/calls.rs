//! What becomes of one call.

use std::time::Duration;

use futures_util::stream;
use sidecart::v1::{ExportRequest, RollBackRequest};
use sidecart_server::{edge::Settings, limits};
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::{v1, v1alpha};
use tonic_types::StatusExt;

use crate::harness::{REQUEST_MAX, SERVICE, Server, get, last_of, soon, take};

const MOMENT: Duration = Duration::from_millis(30);

#[tokio::test]
async fn a_passed_deadline_is_told_as_such() {
    let short_default = Settings { unary_deadline_default: MOMENT, ..Settings::default() };
    let short_max = Settings { unary_deadline_max: MOMENT, ..Settings::default() };
    let cases: [(Settings, &[(&str, &str)]); 4] = [
        (Settings::default(), &[("grpc-timeout", "30m")]),
        (Settings::default(), &[("grpc-timeout", "0S")]),
        (short_default, &[]),
        (short_max, &[("grpc-timeout", "1H")]),
    ];
    for (settings, headers) in cases {
        let server = Server::start(settings).await;
        let answer = server.raw().await.get_snapshot("wait", headers).await;
        assert_eq!(answer["grpc-status"], "4", "{headers:?}");
        assert_eq!(answer["content-type"], "application/grpc");
    }
}

#[tokio::test]
async fn a_passed_deadline_drops_the_handler() {
    let server = Server::start(Settings::default()).await;
    server.raw().await.get_snapshot("wait", &[("grpc-timeout", "300m")]).await;
    take(&server.signals.dropped).await;
}

#[tokio::test]
async fn a_passed_deadline_ends_a_stream_of_answers() {
    let server = Server::start(Settings { transfer_deadline_max: MOMENT, ..Settings::default() }).await;
    let stream = server.client().await.export(ExportRequest::default()).await.unwrap().into_inner();
    assert_eq!(last_of(stream).await.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_malformed_time_out_is_refused_by_name() {
    let server = Server::start(Settings::default()).await;
    let mut request = Request::new(get("any"));
    request.metadata_mut().insert("grpc-timeout", "soon".parse().unwrap());
    let status = server.client().await.get_snapshot(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "grpc-timeout");
}

#[tokio::test]
async fn a_panic_stays_in_its_call() {
    let server = Server::start(Settings::default()).await;
    let mut client = server.client().await;
    let status = client.get_snapshot(get("panic")).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
    let export = ExportRequest { merchant_id: "panic".to_owned() };
    let stream = client.export(export).await.unwrap().into_inner();
    assert_eq!(last_of(stream).await.code(), Code::Internal);
    client.get_snapshot(get("any")).await.unwrap();
    assert_eq!(server.counters.panics(), 2);
    assert_eq!(server.counters.connections_accepted(), 1, "the connection lived on");
}

#[tokio::test]
async fn a_full_class_refuses_at_once_and_leaves_the_others_alone() {
    let server = Server::start(Settings { reads_max: 1, ..Settings::default() }).await;
    let mut client = server.client().await;
    let waiting = tokio::spawn({
        let mut client = client.clone();
        async move { client.get_snapshot(get("wait")).await }
    });
    take(&server.signals.arrived).await;
    let status = client.get_snapshot(get("any")).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.get_details_retry_info().unwrap().retry_delay, Some(limits::RETRY_AFTER_FULL));
    assert_eq!(status.get_details_error_info().unwrap().reason, "READS_FULL");
    assert_eq!(server.counters.calls_shed(), 1);
    client.roll_back(RollBackRequest::default()).await.unwrap();
    let check = HealthCheckRequest { service: SERVICE.to_owned() };
    HealthClient::new(server.channel().await).check(check).await.unwrap();
    server.signals.released.add_permits(1);
    soon(waiting).await.unwrap().unwrap();
    client.get_snapshot(get("any")).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_stream_gives_its_place_back() {
    let server = Server::start(Settings { bulks_max: 1, ..Settings::default() }).await;
    let mut client = server.client().await;
    let held = client.export(ExportRequest::default()).await.unwrap();
    let status = client.export(ExportRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    drop(held);
    let freed = async {
        while client.export(ExportRequest::default()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(freed).await;
}

#[tokio::test]
async fn codes_of_the_transport_are_as_documented() {
    let server = Server::start(Settings::default()).await;
    let mut client = server.client().await;
    let oversize = client.get_snapshot(get(&"x".repeat(REQUEST_MAX + 1))).await.unwrap_err();
    assert_eq!(oversize.code(), Code::OutOfRange);
    let mut other = sidecart::v1::rules_service_client::RulesServiceClient::new(server.channel().await);
    let unknown = other.list_rules(sidecart::v1::ListRulesRequest::default()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_request_id_comes_back_and_is_made_where_it_is_missing() {
    let server = Server::start(Settings::default()).await;
    let mut raw = server.raw().await;
    let timed_out = [("x-request-id", "order-7/a"), ("grpc-timeout", "0S")];
    for (merchant, headers) in [("any", &timed_out[..1]), ("any", &timed_out[..]), ("panic", &timed_out[..1])]
    {
        assert_eq!(raw.get_snapshot(merchant, headers).await["x-request-id"], "order-7/a");
    }
    for headers in [&[][..], &[("x-request-id", "not sane")][..]] {
        let answer = raw.get_snapshot("any", headers).await;
        let id = uuid::Uuid::parse_str(answer["x-request-id"].to_str().unwrap()).unwrap();
        assert_eq!(id.get_version_num(), 7);
    }
}

#[tokio::test]
async fn a_header_list_over_the_limit_is_refused() {
    let server = Server::start(Settings::default()).await;
    let mut request = Request::new(get("any"));
    request.metadata_mut().insert("x-long", "x".repeat(17 * 1024).parse().unwrap());
    server.client().await.get_snapshot(request).await.unwrap_err();
    assert_eq!(server.counters.calls(), 0, "the call did not begin");
}

#[tokio::test]
async fn both_versions_of_reflection_list_every_service() {
    let server = Server::start(Settings::default()).await;
    let channel = server.channel().await;
    let names_v1 = {
        use v1::{
            ServerReflectionRequest, server_reflection_request::MessageRequest,
            server_reflection_response::MessageResponse,
        };
        let message_request = Some(MessageRequest::ListServices(String::new()));
        let request = stream::iter([ServerReflectionRequest { host: String::new(), message_request }]);
        let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
        let mut answers = client.server_reflection_info(request).await.unwrap().into_inner();
        match answers.message().await.unwrap().unwrap().message_response {
            Some(MessageResponse::ListServicesResponse(list)) => {
                list.service.into_iter().map(|it| it.name).collect()
            }
            _ => Vec::new(),
        }
    };
    let names_v1alpha = {
        use v1alpha::{
            ServerReflectionRequest, server_reflection_request::MessageRequest,
            server_reflection_response::MessageResponse,
        };
        let message_request = Some(MessageRequest::ListServices(String::new()));
        let request = stream::iter([ServerReflectionRequest { host: String::new(), message_request }]);
        let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
        let mut answers = client.server_reflection_info(request).await.unwrap().into_inner();
        match answers.message().await.unwrap().unwrap().message_response {
            Some(MessageResponse::ListServicesResponse(list)) => {
                list.service.into_iter().map(|it| it.name).collect()
            }
            _ => Vec::new(),
        }
    };
    for names in [names_v1, names_v1alpha] {
        for service in ["CatalogService", "RulesService", "RecommendationService", "SnapshotService"] {
            assert!(names.contains(&format!("sidecart.v1.{service}")), "{service} is not in {names:?}");
        }
        assert!(names.contains(&"grpc.health.v1.Health".to_owned()), "{names:?}");
    }
}
