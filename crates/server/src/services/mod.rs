//! The API: one file for each service, and the paths that they share.
//!
//! A handler parses, takes one snapshot or submits one change, and renders.
//! It holds no state of its own: what is written goes through [`Writer`], what is read comes from [`Registry`].

mod affinities;
mod asked;
mod catalog;
mod clock;
mod closing;
mod compare;
mod converse;
mod follow_ups;
mod front;
mod import;
mod items;
mod orders;
mod page;
mod recommendation;
mod refusal;
mod rules;
mod simulate;
mod snapshot;
mod transfer;
mod upload;
mod view;
mod watch;
mod work;
mod write;

use std::sync::Arc;

use sidecart::v1::{
    affinity_service_server::{self, AffinityServiceServer},
    catalog_service_server::{self, CatalogServiceServer},
    follow_up_service_server::{self, FollowUpServiceServer},
    order_service_server::{self, OrderServiceServer},
    recommendation_service_server::{self, RecommendationServiceServer},
    rules_service_server::{self, RulesServiceServer},
    snapshot_service_server::{self, SnapshotServiceServer},
};
use tonic::service::Routes;

use self::{
    affinities::Affinities, catalog::Catalog, follow_ups::FollowUps, front::Front, orders::OrderDesk,
    recommendation::Recommendation, rules::Rules, snapshot::Snapshots, work::Room,
};
pub(crate) use self::{clock::now, closing::Closing};
use crate::{
    keeper::Keeper,
    learner::Learner,
    limits::{IMPORT_MESSAGE_MAX_BYTES, REQUEST_MAX_BYTES},
    registry::Registry,
    sessions::Sessions,
    writer::Writer,
};

/// The services, each of which has a health of its own.
pub(crate) const NAMES: [&str; 7] = [
    catalog_service_server::SERVICE_NAME,
    rules_service_server::SERVICE_NAME,
    recommendation_service_server::SERVICE_NAME,
    order_service_server::SERVICE_NAME,
    affinity_service_server::SERVICE_NAME,
    follow_up_service_server::SERVICE_NAME,
    snapshot_service_server::SERVICE_NAME,
];

/// What every service works with: where to read, and where to hand in writes. Cheap to clone.
#[derive(Clone)]
struct Desk {
    registry: Arc<Registry>,
    writer: Writer,
    closing: Closing,
    room: Room,
    sessions: Sessions,
}

/// The services, with the bounds on their messages. Watches end when `closing` does.
pub(crate) fn routes(
    registry: Arc<Registry>,
    writer: Writer,
    learner: Learner,
    keeper: Keeper,
    sessions: Sessions,
    closing: Closing,
) -> Routes {
    let desk = Desk { registry, writer, closing, room: Room::default(), sessions };
    let catalog = CatalogServiceServer::new(Catalog::new(desk.clone()));
    let rules = RulesServiceServer::new(Rules::new(desk.clone()));
    let orders = OrderServiceServer::new(OrderDesk::new(desk.clone()));
    let affinities = AffinityServiceServer::new(Affinities::new(desk.clone(), learner));
    let follow_ups = FollowUpServiceServer::new(FollowUps::new(desk.clone(), keeper));
    let follow_ups = follow_ups.max_decoding_message_size(REQUEST_MAX_BYTES);
    let snapshots = SnapshotServiceServer::new(Snapshots::new(desk.clone()));
    let recommendation = RecommendationServiceServer::new(Recommendation::new(desk));
    let recommendation = recommendation.max_decoding_message_size(REQUEST_MAX_BYTES);
    Routes::new(Front { calls: recommendation.clone(), uploads: recommendation, upload_methods: &[] })
        .add_service(Front {
            calls: affinities.clone().max_decoding_message_size(REQUEST_MAX_BYTES),
            uploads: affinities.max_decoding_message_size(IMPORT_MESSAGE_MAX_BYTES),
            upload_methods: &["ImportAffinities"],
        })
        .add_service(Front {
            calls: catalog.clone().max_decoding_message_size(REQUEST_MAX_BYTES),
            uploads: catalog.max_decoding_message_size(IMPORT_MESSAGE_MAX_BYTES),
            upload_methods: &["ImportProducts"],
        })
        .add_service(Front {
            calls: rules.clone().max_decoding_message_size(REQUEST_MAX_BYTES),
            uploads: rules.max_decoding_message_size(IMPORT_MESSAGE_MAX_BYTES),
            upload_methods: &["ReplaceRules"],
        })
        .add_service(Front {
            calls: orders.clone().max_decoding_message_size(REQUEST_MAX_BYTES),
            uploads: orders.max_decoding_message_size(IMPORT_MESSAGE_MAX_BYTES),
            upload_methods: &["ImportOrders"],
        })
        .add_service(Front { calls: follow_ups.clone(), uploads: follow_ups, upload_methods: &[] })
        .add_service(Front {
            calls: snapshots.clone().max_decoding_message_size(REQUEST_MAX_BYTES),
            uploads: snapshots.max_decoding_message_size(IMPORT_MESSAGE_MAX_BYTES),
            upload_methods: &["Import"],
        })
}
