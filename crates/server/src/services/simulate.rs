//! `SimulateRules`: a draft laid over the snapshot being served, asked the same things, and forgotten.

use std::collections::{HashMap, HashSet};

use sidecart::v1 as pb;
use sidecart_catalog::Violation;
use sidecart_rules::{Rule, RuleId};
use sidecart_scoring::{Parts, Query, Snapshot, recommend};

use super::{
    Desk,
    recommendation::{min_generation, read_all},
    work::{apart, in_time},
};
use crate::{
    convert::{at_least_one, at_most, decision, rule},
    edge::Deadline,
    limits,
    registry::Published,
    status::Fault,
};

/// Says what the draft of a request would change.
///
/// # Errors
/// A bad draft or context, or no such merchant.
pub(crate) async fn simulate(
    desk: &Desk,
    request: pb::SimulateRulesRequest,
    deadline: Deadline,
) -> Result<pb::SimulateRulesResponse, Fault> {
    let pb::SimulateRulesRequest { merchant_id, upserts, delete_ids, contexts } = request;
    at_most(&upserts, limits::SIMULATE_RULES_MAX, "upserts")?;
    at_most(&delete_ids, limits::SIMULATE_RULES_MAX, "delete_ids")?;
    at_least_one(&contexts, limits::SIMULATE_CONTEXTS_MAX, "contexts")?;
    let min_generation = min_generation(&contexts);
    let view = desk.view(&merchant_id, min_generation, deadline).await?;
    apart(move || {
        let asked = read_all(contexts, &merchant_id, "contexts")?;
        let draft = Draft::read(upserts, &delete_ids)?.over(&view.snapshot)?;
        compared(
            asked.into_iter().map(|asked| Ok(asked.under(&view.snapshot)?.query)),
            &view,
            &draft,
            deadline,
        )
    })
    .await?
}

/// Rules to create, replace and remove.
struct Draft {
    upserts: Vec<Rule>,
    deletes: Vec<RuleId>,
}

impl Draft {
    fn read(upserts: Vec<pb::Rule>, delete_ids: &[String]) -> Result<Self, Violation> {
        let mut first: HashMap<RuleId, usize> = HashMap::new();
        let mut draft = Self { upserts: Vec::new(), deletes: Vec::new() };
        for (at, sent) in upserts.into_iter().enumerate() {
            let read = rule::from_pb(sent).map_err(|fault| fault.within(&format!("upserts[{at}]")))?;
            if let Some(earlier) = first.insert(read.id().clone(), at) {
                return Err(Violation::new(
                    format!("upserts[{at}].rule_id"),
                    format!("is a duplicate of upserts[{earlier}]"),
                ));
            }
            draft.upserts.push(read);
        }
        for (at, id) in delete_ids.iter().enumerate() {
            let field = format!("delete_ids[{at}]");
            let id = RuleId::new(id).map_err(|fault| fault.within(&field))?;
            if let Some(upsert) = first.get(&id) {
                return Err(Violation::new(field, format!("is created by upserts[{upsert}]")));
            }
            if draft.deletes.contains(&id) {
                return Err(Violation::new(field, format!("names `{id}` again")));
            }
            draft.deletes.push(id);
        }
        Ok(draft)
    }

    /// The snapshot that would be served if this were written.
    fn over(self, snapshot: &Snapshot) -> Result<Snapshot, Violation> {
        let mut parts: Parts = snapshot.parts().clone();
        for (at, id) in self.deletes.iter().enumerate() {
            if !parts.rules.remove(id.as_str()) {
                return Err(Violation::new(format!("delete_ids[{at}]"), format!("there is no rule `{id}`")));
            }
        }
        for (at, rule) in self.upserts.into_iter().enumerate() {
            parts.rules.upsert(rule).map_err(|fault| fault.within(&format!("upserts[{at}]")))?;
        }
        Ok(Snapshot::new(snapshot.generation(), parts))
    }
}

fn compared(
    mut queries: impl Iterator<Item = Result<Query, Fault>>,
    view: &Published,
    draft: &Snapshot,
    deadline: Deadline,
) -> Result<pb::SimulateRulesResponse, Fault> {
    let offers = |snapshot: &Snapshot, query: &Query| -> Vec<pb::Offer> {
        recommend(snapshot, query).offers.into_iter().map(decision::offer_to_pb).collect()
    };
    let contexts = queries.try_fold(Vec::new(), |mut contexts, query| {
        in_time(deadline)?;
        let query = query?;
        contexts.push(context(offers(&view.snapshot, &query), offers(draft, &query)));
        Ok::<_, Fault>(contexts)
    })?;
    Ok(pb::SimulateRulesResponse { contexts, generation: view.snapshot.generation() })
}

/// What differs between two answers. An offer has changed when it stands elsewhere or says anything else.
fn context(before: Vec<pb::Offer>, after: Vec<pb::Offer>) -> pb::SimulatedContext {
    let ids =
        |offers: &[pb::Offer]| offers.iter().map(|offer| offer.product_id.clone()).collect::<HashSet<_>>();
    let (ids_before, ids_after) = (ids(&before), ids(&after));
    let without = |offers: &[pb::Offer], others: &HashSet<String>| {
        offers.iter().map(|offer| &offer.product_id).filter(|id| !others.contains(*id)).cloned().collect()
    };
    let stays = |(at, offer): &(usize, &pb::Offer)| before.get(*at) == Some(*offer);
    let moved = after.iter().enumerate().filter(|offer| !stays(offer)).map(|(_, offer)| &offer.product_id);
    pb::SimulatedContext {
        new_ids: without(&after, &ids_before),
        lost_ids: without(&before, &ids_after),
        changed_ids: moved.filter(|id| ids_before.contains(*id)).cloned().collect(),
        before,
        after,
    }
}
