//! Lines of affinities.

use serde_json::{Map, Value};
use sidecart::v1 as pb;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Status};

use super::{
    kind::{Kind, Replaceable},
    report::Counts,
};
use crate::{
    remote::Remote,
    wire::{self, Fault},
};

/// See [`pb::Affinity`].
pub(crate) struct Affinities;

const COLUMNS: [&str; 7] = ["anchor_id", "target_id", "kind", "score", "support", "lift", "provenance"];

impl Kind for Affinities {
    type Item = pb::Affinity;

    const NOUN: &'static str = "affinities";

    fn has_column(name: &str) -> bool {
        COLUMNS.contains(&name)
    }

    fn line_of_cells(mut cells: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        // Tables hold ids as numbers where they look like such.
        let ids = cells.iter_mut().filter(|(name, id)| name.ends_with("_id") && id.is_number());
        ids.for_each(|(_, id)| *id = id.to_string().into());
        Ok(cells)
    }

    fn item(fields: Map<String, Value>) -> Result<pb::Affinity, Fault> {
        wire::from_json(fields)
    }

    fn id(_: &pb::Affinity) -> &str {
        ""
    }
}

impl Replaceable for Affinities {
    async fn replace(
        remote: &Remote,
        items: impl Stream<Item = Vec<pb::Affinity>> + Send + 'static,
    ) -> Result<(u64, Counts), Status> {
        let first =
            pb::ImportAffinitiesRequest { merchant_id: remote.merchant.clone(), affinities: Vec::new() };
        let later = items.map(|affinities| pb::ImportAffinitiesRequest { affinities, ..Default::default() });
        let messages = tokio_stream::once(first).chain(later);
        let answer = remote.client.affinities().import_affinities(Request::new(messages)).await?.into_inner();
        let counts = Counts { created: answer.kept_count, ..Counts::default() };
        Ok((answer.generation, counts))
    }
}
