//! What a server holds of a merchant, as one state that can be compared.

use std::{collections::BTreeMap, sync::Arc};

use prost::Message;
use sidecart::{client::Client, v1 as pb};
use sidecart_server::store::{RowKind, export::Reader};
use tonic::{Code, Status};

/// Products, rules, policies, orders and imported affinities of one merchant, or of one author of it, by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) products: BTreeMap<String, Arc<pb::Product>>,
    pub(crate) rules: BTreeMap<String, Arc<pb::Rule>>,
    pub(crate) policies: BTreeMap<String, Arc<pb::Policy>>,
    pub(crate) orders: BTreeMap<String, Arc<pb::RecordedOrder>>,
    /// By anchor, kind and target.
    pub(crate) imported: BTreeMap<String, Arc<pb::Affinity>>,
}

impl State {
    /// The part of it whose ids start so.
    pub(crate) fn of(&self, prefix: &str) -> Self {
        Self {
            products: starting(&self.products, prefix),
            rules: starting(&self.rules, prefix),
            policies: starting(&self.policies, prefix),
            orders: starting(&self.orders, prefix),
            imported: starting(&self.imported, prefix),
        }
    }

    /// The first difference from another state, in words.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let parts = [
            difference("product", &self.products, &other.products),
            difference("rule", &self.rules, &other.rules),
            difference("policy", &self.policies, &other.policies),
            difference("order", &self.orders, &other.orders),
            difference("affinity", &self.imported, &other.imported),
        ];
        parts.into_iter().flatten().next().unwrap_or_else(|| "none".to_owned())
    }
}

fn starting<T>(all: &BTreeMap<String, Arc<T>>, prefix: &str) -> BTreeMap<String, Arc<T>> {
    let own = all.iter().filter(|(id, _)| id.starts_with(prefix));
    own.map(|(id, value)| (id.clone(), value.clone())).collect()
}

fn difference<T: PartialEq + std::fmt::Debug>(
    what: &str,
    left: &BTreeMap<String, Arc<T>>,
    right: &BTreeMap<String, Arc<T>>,
) -> Option<String> {
    let id = left.keys().chain(right.keys()).find(|id| left.get(*id) != right.get(*id))?;
    let counts = format!("{} and {} of them", left.len(), right.len());
    Some(format!("{what} {id} ({counts}): {:?} and {:?}", left.get(id), right.get(id)))
}

/// What tells one imported affinity from another.
pub(crate) fn affinity_key(affinity: &pb::Affinity) -> String {
    format!("{} {} {}", affinity.anchor_id, affinity.kind, affinity.target_id)
}

/// What is served of a merchant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Served {
    pub(crate) generation: u64,
    /// What was damaged, when this is a last good view.
    pub(crate) degraded: Option<String>,
    pub(crate) state: State,
}

/// Asks a server what it holds of a merchant; nothing, when it does not know it.
pub(crate) async fn served(client: &Client, merchant: &str) -> Result<Served, Status> {
    let request = pb::GetSnapshotRequest { merchant_id: merchant.to_owned(), min_generation: 0 };
    let described = match client.snapshot().get_snapshot(request).await {
        Err(status) if status.code() == Code::NotFound => return Ok(Served::default()),
        answer => answer?.into_inner().snapshot.unwrap_or_default(),
    };
    let (generation, state) = read(&export(client, merchant).await?);
    let degraded = described.degraded.then_some(described.degraded_reason);
    Ok(Served { generation, degraded, state })
}

/// The exported file of a merchant.
pub(crate) async fn export(client: &Client, merchant: &str) -> Result<Vec<u8>, Status> {
    let request = pb::ExportRequest { merchant_id: merchant.to_owned() };
    let mut chunks = client.snapshot().export(request).await?.into_inner();
    let mut file = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        file.extend_from_slice(&chunk.chunk);
    }
    Ok(file)
}

/// Generation and content of an exported file, which is a sound one.
pub(crate) fn read(file: &[u8]) -> (u64, State) {
    let mut rows = Reader::new(file).expect("an export starts with its header");
    let (mut state, mut imported) = (State::default(), BTreeMap::new());
    for row in rows.by_ref() {
        let row = row.expect("an export is whole");
        let id = String::from_utf8(row.id.to_vec()).expect("ids are text");
        match row.kind {
            RowKind::Product => drop(state.products.insert(id, decoded(&row.value))),
            RowKind::Rule => drop(state.rules.insert(id, decoded(&row.value))),
            RowKind::Policy => drop(state.policies.insert(id, decoded(&row.value))),
            RowKind::Order => drop(state.orders.insert(id, decoded(&row.value))),
            RowKind::Imported => drop(imported.insert(id, row.value.to_vec())),
            RowKind::FollowUps | RowKind::OptOut => panic!("nobody was written to"),
            RowKind::Model => panic!("nothing was learned"),
            RowKind::Request => panic!("an export holds no answered writes"),
        }
    }
    let imported: Arc<pb::ImportAffinitiesRequest> =
        decoded(&imported.into_values().flatten().collect::<Vec<_>>());
    state.imported = imported.affinities.iter().map(|it| (affinity_key(it), Arc::new(it.clone()))).collect();
    (rows.header().generation, state)
}

fn decoded<M: Message + Default>(bytes: &[u8]) -> Arc<M> {
    Arc::new(M::decode(bytes).expect("an export holds messages of the API"))
}
