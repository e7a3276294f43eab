//! A small client: one connection, and a stub for each service with limits that fit its answers.
//!
//! It deliberately adds nothing to the generated stubs: no retries, no deadlines, no conversions.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint, Error};

use crate::v1::{
    affinity_service_client::AffinityServiceClient, catalog_service_client::CatalogServiceClient,
    follow_up_service_client::FollowUpServiceClient, order_service_client::OrderServiceClient,
    recommendation_service_client::RecommendationServiceClient, rules_service_client::RulesServiceClient,
    snapshot_service_client::SnapshotServiceClient,
};

/// Bytes of one answer that the stubs accept. A batch of 1,000 answers is larger than tonic's own 4 MiB.
pub const ANSWER_MAX_BYTES: usize = 64 * 1024 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
const WINDOW_BYTES: u32 = 1024 * 1024;

/// A connection to a server. Cheap to clone; clones share the connection.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
}

impl Client {
    /// Connects to an address such as `http://127.0.0.1:50051`, and reconnects by itself from then on.
    ///
    /// # Errors
    /// The address is not a URI, or nothing answers there within 5 s.
    pub async fn connect(addr: &str) -> Result<Self, Error> {
        let endpoint = Endpoint::from_shared(addr.to_owned())?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .tcp_nodelay(true);
        Ok(Self { channel: endpoint.connect().await? })
    }

    /// What a merchant sells.
    pub fn catalog(&self) -> CatalogServiceClient<Channel> {
        CatalogServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_MAX_BYTES)
    }

    /// What was bought.
    pub fn orders(&self) -> OrderServiceClient<Channel> {
        OrderServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_MAX_BYTES)
    }

    /// What was learned from orders.
    pub fn affinities(&self) -> AffinityServiceClient<Channel> {
        AffinityServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_MAX_BYTES)
    }

    /// Whom to write to after a purchase.
    pub fn follow_ups(&self) -> FollowUpServiceClient<Channel> {
        FollowUpServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_MAX_BYTES)
    }

    /// What may, must and must not be offered.
    pub fn rules(&self) -> RulesServiceClient<Channel> {
        RulesServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_MAX_BYTES)
    }

    /// What goes with what.
    pub fn recommendation(&self) -> RecommendationServiceClient<Channel> {
        RecommendationServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_MAX_BYTES)
    }

    /// The compiled view, and the way back.
    pub fn snapshot(&self) -> SnapshotServiceClient<Channel> {
        SnapshotServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_MAX_BYTES)
    }
}
