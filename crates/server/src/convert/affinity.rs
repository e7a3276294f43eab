//! Imported affinities.

use std::sync::Arc;

use prost::Message;
use sidecart::v1 as pb;
use sidecart_catalog::{ProductId, Violation};
use sidecart_scoring::{
    AffinityKind, Imported,
    imported::{IMPORTED_MAX, ImportedAffinity},
    model::Affinity,
};

use super::{bounds::short, decision::LEARNED, enums::affinity_kind};

/// Bytes of a provenance.
const PROVENANCE_MAX_BYTES: usize = 64;
/// What an import is called that does not say.
const IMPORTED: &str = "imported";

/// An affinity as a data team says it.
///
/// # Errors
/// The first fault.
pub(crate) fn from_pb(affinity: pb::Affinity) -> Result<ImportedAffinity, Violation> {
    let pb::Affinity { anchor_id, target_id, kind, score, support, provenance, lift, days_between: _ } =
        affinity;
    let product = |id: &str, field| ProductId::new(id).map_err(|fault| fault.within(field));
    short(&provenance, PROVENANCE_MAX_BYTES, "provenance")?;
    if provenance == LEARNED || provenance.chars().any(char::is_control) {
        let fault = "is `learned`, or holds a control character: neither may be the name of an import";
        return Err(Violation::new("provenance", fault));
    }
    let support = u32::try_from(support)
        .map_err(|_| Violation::new("support", format!("is {support}, at most {}", u32::MAX)))?;
    let affinity = ImportedAffinity {
        anchor: product(&anchor_id, "anchor_id")?,
        target: product(&target_id, "target_id")?,
        kind: affinity_kind::from_pb(kind)
            .map_err(|fault| fault.within("kind"))?
            .unwrap_or(AffinityKind::BoughtWith),
        score,
        support,
        lift: lift as f32,
        provenance: Arc::from(if provenance.is_empty() { IMPORTED } else { &provenance }),
    };
    affinity.check()?;
    Ok(affinity)
}

/// The wire form.
pub(crate) fn to_pb(affinity: &ImportedAffinity) -> pb::Affinity {
    let ImportedAffinity { anchor, target, kind, score, support, lift, provenance } = affinity;
    pb::Affinity {
        anchor_id: anchor.to_string(),
        target_id: target.to_string(),
        kind: affinity_kind::to_pb(*kind).into(),
        score: *score,
        support: (*support).into(),
        provenance: provenance.to_string(),
        lift: (*lift).into(),
        days_between: Vec::new(),
    }
}

/// The wire form of what was learned.
pub(crate) fn learned_to_pb(anchor: &ProductId, kind: AffinityKind, learned: &Affinity<'_>) -> pb::Affinity {
    let Affinity { target, chance, support, lift, days_between } = *learned;
    pb::Affinity {
        anchor_id: anchor.to_string(),
        target_id: target.to_string(),
        kind: affinity_kind::to_pb(kind).into(),
        score: chance.into(),
        support: support.into(),
        provenance: LEARNED.to_owned(),
        lift: lift.into(),
        days_between: days_between.iter().flatten().map(|days| f64::from(*days)).collect(),
    }
}

/// The bytes of all that was imported.
pub(crate) fn encode(imported: &Imported) -> Vec<u8> {
    let affinities = imported.iter().map(to_pb).collect();
    pb::ImportAffinitiesRequest { merchant_id: String::new(), affinities }.encode_to_vec()
}

/// What was imported, of these bytes; nothing, of none.
///
/// # Errors
/// They are not those of imported affinities.
pub(crate) fn decode(bytes: &[u8]) -> Result<Imported, Violation> {
    let stored = pb::ImportAffinitiesRequest::decode(bytes)
        .map_err(|fault| Violation::new("", format!("cannot be decoded: {fault}")))?;
    super::at_most(&stored.affinities, IMPORTED_MAX, "affinities")?;
    let affinities = stored.affinities.into_iter().map(from_pb).collect::<Result<_, _>>()?;
    Imported::new(affinities).map_err(|(_, fault)| fault)
}
