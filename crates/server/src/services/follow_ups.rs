//! `FollowUpService`.

use std::{sync::Arc, thread, time::Duration};

use sidecart::v1::{self as pb, follow_up_service_server::FollowUpService};
use sidecart_catalog::{MerchantId, OrderId, ShopperId, Timestamp, Violation};
use sidecart_rules::{FollowUpKinds, Surface};
use sidecart_scoring::{
    Snapshot,
    follow_ups::{self, Chosen, Due, Lease, LeaseId, Opt, Wanted},
    orders::RecordedOrder,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    Desk, clock,
    items::COMPLETIONS,
    refusal,
    work::apart,
    write::{Envelope, Written},
};
use crate::{
    change::{Change, Claims, Outcome},
    convert::{at_most, decision, enums, follow_up, id, offer::set_at, required, time, zone::Hours},
    edge::Deadline,
    keeper::Keeper,
    limits,
    status::Fault,
};

/// Answers `FollowUpService`.
#[derive(Clone)]
pub(crate) struct FollowUps {
    desk: Desk,
    keeper: Keeper,
}

/// What a lease asks for.
struct Asked {
    merchant: MerchantId,
    wanted: Wanted,
}

impl FollowUps {
    /// The service at a desk.
    pub(crate) fn new(desk: Desk, keeper: Keeper) -> Self {
        Self { desk, keeper }
    }

    async fn lease(&self, request: pb::LeaseFollowUpsRequest) -> Result<pb::LeaseFollowUpsResponse, Fault> {
        let Asked { merchant, wanted } = Asked::read(request, clock::now())?;
        let slot = self.desk.slot(merchant.as_str())?;
        let _turn = slot.leasing().await;
        let snapshot = slot.current().snapshot.clone();
        let (at, until) = (wanted.at, wanted.until);
        let (chosen, snapshot) = apart(move || (choose(&snapshot, &wanted), snapshot)).await?;
        let Chosen { due, put_off, over, is_more } = chosen;
        let quiet = snapshot.policies().default_policy().follow_ups().times().quiet;
        let claims = Claims {
            at,
            leases: due.iter().map(|due| lease(due, at, until, at.plus_ms(-quiet))).collect(),
            put_off,
            over,
        };
        if claims.leases.is_empty() && claims.put_off.is_empty() && claims.over.is_empty() {
            let generation = snapshot.generation();
            return Ok(pb::LeaseFollowUpsResponse { generation, follow_ups: Vec::new(), is_more });
        }
        let leases: Vec<LeaseId> = claims.leases.iter().map(|lease| lease.id).collect();
        let change = Change::LeaseFollowUps(claims);
        let receipt = self.desk.submit(Envelope::unnamed(merchant), change, "").await?;
        let current = slot.current().snapshot.clone();
        // What changed between choosing and leasing was refused, and may be chosen anew.
        let is_lost = receipt.outcomes.iter().any(|outcome| *outcome != Outcome::Created);
        let told = due.into_iter().zip(leases).zip(receipt.outcomes);
        let held = told.filter(|(_, outcome)| *outcome == Outcome::Created);
        let follow_ups = held.map(|((due, lease), _)| leased(due, lease, &current)).collect();
        Ok(pb::LeaseFollowUpsResponse {
            generation: receipt.generation,
            follow_ups,
            is_more: is_more || is_lost,
        })
    }

    async fn complete(
        &self,
        request: pb::CompleteFollowUpsRequest,
    ) -> Result<pb::CompleteFollowUpsResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        self.desk.slot(envelope.merchant.as_str())?;
        let Written { generation, outcomes } =
            self.desk.write(envelope, &COMPLETIONS, request.completions).await?;
        Ok(pb::CompleteFollowUpsResponse { generation, outcomes })
    }

    async fn list(
        &self,
        request: pb::ListFollowUpsRequest,
        deadline: Deadline,
    ) -> Result<pb::ListFollowUpsResponse, Fault> {
        use pb::list_follow_ups_request::Of;
        let pb::ListFollowUpsRequest { merchant_id, at, surface, min_generation, of } = request;
        let at = time::optional(at.as_ref(), "at")?.unwrap_or_else(clock::now);
        let surface = enums::surface::from_pb(surface).map_err(|fault| fault.within("surface"))?;
        let surface = surface.unwrap_or(Surface::Email);
        match &of {
            Some(Of::OrderId(order)) => drop(OrderId::new(order).map_err(|fault| fault.within("order_id"))?),
            Some(Of::ShopperId(shopper)) => {
                ShopperId::new(shopper).map_err(|fault| fault.within("shopper_id"))?;
            }
            None => {
                return Err(Fault::invalid("of", "is empty: set one of `order_id` and `shopper_id`"));
            }
        }
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        let snapshot = view.snapshot.clone();
        let orders: Vec<Arc<RecordedOrder>> = match of {
            Some(Of::OrderId(order)) => {
                let found = snapshot.orders().get(&order).cloned();
                vec![found.ok_or_else(|| Fault::not_found("order", order))?]
            }
            Some(Of::ShopperId(shopper)) => {
                let newest = snapshot.orders().of_shopper(&shopper).rev();
                newest.take(limits::LISTED_ORDERS_MAX).cloned().collect()
            }
            None => Vec::new(),
        };
        apart(move || listed(&snapshot, &orders, at, surface)).await
    }

    async fn opt(&self, request: pb::SetOptOutRequest) -> Result<pb::SetOptOutResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        self.desk.slot(envelope.merchant.as_str())?;
        let pb::SetOptOutRequest { merchant_id: _, shopper_id, opted_out, request_id: _ } = request;
        let shopper = required(id::shopper(&shopper_id)?, "shopper_id")?;
        let how = if opted_out { Opt::Out } else { Opt::In };
        let receipt = self.desk.submit(envelope, Change::SetOptOut(shopper, how), "").await?;
        let is_new = receipt.outcomes.contains(&Outcome::Updated);
        let outcome = if is_new { pb::Outcome::Updated } else { pb::Outcome::Unchanged };
        Ok(pb::SetOptOutResponse { generation: receipt.generation, outcome: outcome.into() })
    }
}

impl FollowUps {
    /// In a task of its own: a caller that gives up half-way leaves nothing half erased.
    async fn erase(&self, request: pb::EraseShopperRequest) -> Result<pb::EraseShopperResponse, Fault> {
        let pb::EraseShopperRequest { merchant_id, shopper_id } = request;
        self.desk.slot(&merchant_id)?;
        let merchant = id::merchant(&merchant_id)?;
        let shopper = required(id::shopper(&shopper_id)?, "shopper_id")?;
        let own = self.clone();
        tokio::spawn(async move { own.erase_all(merchant, shopper).await })
            .await
            .map_err(|_| Fault::Internal)?
    }

    async fn erase_all(
        &self,
        merchant: MerchantId,
        shopper: ShopperId,
    ) -> Result<pb::EraseShopperResponse, Fault> {
        let (at, mut order_count) = (clock::now(), 0);
        let generation = loop {
            let (shopper, orders_max) = (shopper.clone(), limits::ERASED_AT_ONCE_MAX);
            let change = Change::EraseShopper { shopper, at, orders_max };
            let receipt = self.desk.submit(Envelope::unnamed(merchant.clone()), change, "").await?;
            order_count += receipt.outcomes.len() as u64;
            if receipt.outcomes.len() < orders_max {
                break receipt.generation;
            }
        };
        let rewritten = self.desk.writer.rewrite_store().await;
        rewritten.map_err(|refused| refusal::fault(refused, &merchant, ""))?;
        let keeper = self.keeper.clone();
        let exported = apart(move || (keeper.export_only(&merchant), merchant)).await?;
        if let (Err(fault), merchant) = exported {
            tracing::error!(%merchant, %fault, "exports could not be written anew after an erasure");
            let message = "erased, but older exports could not be replaced: send it again".to_owned();
            return Err(Fault::unavailable("EXPORTS_NOT_REPLACED", message, limits::RETRY_AFTER_ERASURE));
        }
        Ok(pb::EraseShopperResponse { generation, order_count })
    }
}

impl Asked {
    fn read(request: pb::LeaseFollowUpsRequest, now: Timestamp) -> Result<Self, Violation> {
        let pb::LeaseFollowUpsRequest { merchant_id, surface, limit, lease, kinds, at } = request;
        let merchant = id::merchant(&merchant_id)?;
        let surface = enums::surface::from_pb(surface).map_err(|fault| fault.within("surface"))?;
        let surface = required(surface, "surface")?;
        let max = limits::LEASES_MAX;
        if limit > max {
            return Err(Violation::new("limit", format!("is {limit}, at most {max}")));
        }
        at_most(&kinds, enums::follow_up_kind::ALL.len(), "kinds")?;
        let kinds = enums::follow_up_kinds(kinds, "kinds")?.unwrap_or(FollowUpKinds::ALL);
        let at = set_at(at.as_ref(), "at", now)?.unwrap_or(now);
        let lasting = i64::try_from(length(lease)?.as_millis()).unwrap_or(i64::MAX);
        let limit = if limit == 0 { limits::LEASES_DEFAULT } else { limit };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let limit = limit as usize;
        let wanted = Wanted { at, until: at.plus_ms(lasting), kinds, surface, limit, threads };
        Ok(Self { merchant, wanted })
    }
}

/// How long a lease is to last.
fn length(lease: Option<prost_types::Duration>) -> Result<Duration, Violation> {
    let Some(lease) = lease else { return Ok(limits::LEASE_DEFAULT) };
    let lasting = Duration::try_from(lease).ok();
    let allowed = limits::LEASE_MIN..=limits::LEASE_MAX;
    lasting.filter(|lasting| allowed.contains(lasting)).ok_or_else(|| {
        let (min, max) = (limits::LEASE_MIN.as_secs(), limits::LEASE_MAX.as_secs());
        Violation::new("lease", format!("is not of {min} to {max} seconds"))
    })
}

fn choose(snapshot: &Snapshot, wanted: &Wanted) -> Chosen {
    let policy = snapshot.policies().default_policy();
    let terms = policy.follow_ups();
    let mut hours = Hours::new(wanted.at, terms.hours());
    follow_ups::choose(snapshot, wanted, |order| {
        let zone = order.delivery().and_then(|delivery| delivery.time_zone.as_deref());
        hours.quiet_until(zone.unwrap_or(terms.time_zone()))
    })
}

fn lease(due: &Due, at: Timestamp, until: Timestamp, quiet_since: Timestamp) -> Lease {
    let id = LeaseId(Uuid::now_v7().as_u128());
    Lease { plan: due.plan.clone(), id, at, until, quiet_since }
}

/// What a holder is given.
fn leased(due: Due, lease: LeaseId, snapshot: &Snapshot) -> pb::FollowUp {
    let Due { plan, span, decision } = due;
    let step = snapshot.follow_ups().step(&plan);
    pb::FollowUp {
        offers: decision.offers.into_iter().map(decision::offer_to_pb).collect(),
        lease_id: follow_up::lease_to_pb(lease),
        ..follow_up::to_pb(&plan, span, step, pb::FollowUpState::Leased)
    }
}

/// The follow-ups of orders, by when they open.
fn listed(
    snapshot: &Snapshot,
    orders: &[Arc<RecordedOrder>],
    at: Timestamp,
    surface: Surface,
) -> pb::ListFollowUpsResponse {
    let policy = snapshot.policies().default_policy();
    let times = policy.follow_ups().times();
    let mut plans: Vec<_> =
        orders.iter().flat_map(|order| snapshot.follow_ups().plans(order, &times)).collect();
    for (plan, span) in &mut plans {
        span.opens = follow_ups::opening(snapshot, plan, *span);
    }
    plans.sort_by(|(a, one), (b, other)| {
        (one.opens, a.order.id(), a.kind, &a.product).cmp(&(other.opens, b.order.id(), b.kind, &b.product))
    });
    let told = plans.into_iter().map(|(plan, span)| {
        let step = snapshot.follow_ups().step(&plan);
        let state = match follow_up::state(span, step, at) {
            pb::FollowUpState::Planned | pb::FollowUpState::Due | pb::FollowUpState::Waiting
                if follow_ups::is_filled(snapshot, &plan) =>
            {
                pb::FollowUpState::Missed
            }
            state => state,
        };
        let is_open =
            matches!(state, pb::FollowUpState::Planned | pb::FollowUpState::Due | pb::FollowUpState::Waiting);
        let offers =
            is_open.then(|| follow_ups::offers(snapshot, &plan, at.max(span.opens), surface, &policy).offers);
        pb::FollowUp {
            offers: offers.into_iter().flatten().map(decision::offer_to_pb).collect(),
            ..follow_up::to_pb(&plan, span, step, state)
        }
    });
    let shopper = orders.first().and_then(|order| order.shopper());
    pb::ListFollowUpsResponse {
        follow_ups: told.collect(),
        generation: snapshot.generation(),
        opted_out: shopper.is_some_and(|it| snapshot.follow_ups().has_opted_out(it.as_str())),
    }
}

#[async_trait]
impl FollowUpService for FollowUps {
    async fn lease_follow_ups(
        &self,
        request: Request<pb::LeaseFollowUpsRequest>,
    ) -> Result<Response<pb::LeaseFollowUpsResponse>, Status> {
        Ok(Response::new(self.lease(request.into_inner()).await?))
    }

    async fn complete_follow_ups(
        &self,
        request: Request<pb::CompleteFollowUpsRequest>,
    ) -> Result<Response<pb::CompleteFollowUpsResponse>, Status> {
        Ok(Response::new(self.complete(request.into_inner()).await?))
    }

    async fn list_follow_ups(
        &self,
        request: Request<pb::ListFollowUpsRequest>,
    ) -> Result<Response<pb::ListFollowUpsResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.list(request.into_inner(), deadline).await?))
    }

    async fn erase_shopper(
        &self,
        request: Request<pb::EraseShopperRequest>,
    ) -> Result<Response<pb::EraseShopperResponse>, Status> {
        Ok(Response::new(self.erase(request.into_inner()).await?))
    }

    async fn set_opt_out(
        &self,
        request: Request<pb::SetOptOutRequest>,
    ) -> Result<Response<pb::SetOptOutResponse>, Status> {
        Ok(Response::new(self.opt(request.into_inner()).await?))
    }
}
