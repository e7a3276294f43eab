//! `RulesService`.

use std::sync::Arc;

use futures_util::Stream;
use sidecart::v1::{self as pb, rules_service_server::RulesService};
use sidecart_rules::{PolicyName, lint};
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::{
    Desk, clock,
    items::{RULE_IDS, RULES},
    page::{self, Listing, Page},
    simulate,
    upload::{self, Upload},
    work::apart,
    write::{Envelope, Written},
};
use crate::{
    change::{Change, Outcome, Receipt},
    convert::{self, policy, query::POLICY_DEFAULT, required, rule},
    edge::Deadline,
    limits,
    registry::Published,
    status::Fault,
};

/// The built-in policy that lifts restraint; no merchant can have its own of that name.
const POLICY_OPEN: &str = "open";

/// Answers `RulesService`.
#[derive(Clone)]
pub(crate) struct Rules {
    desk: Desk,
}

impl Rules {
    /// The service at a desk.
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk }
    }

    async fn upsert(&self, request: pb::UpsertRulesRequest) -> Result<pb::UpsertRulesResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        let Written { generation, outcomes } = self.desk.write(envelope, &RULES, request.rules).await?;
        Ok(pb::UpsertRulesResponse { generation, outcomes })
    }

    async fn delete(&self, request: pb::DeleteRulesRequest) -> Result<pb::DeleteRulesResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        let Written { generation, outcomes } = self.desk.write(envelope, &RULE_IDS, request.rule_ids).await?;
        Ok(pb::DeleteRulesResponse { generation, outcomes })
    }

    async fn replace(
        &self,
        messages: impl Stream<Item = Result<pb::ReplaceRulesRequest, Status>> + Unpin,
    ) -> Result<pb::ReplaceRulesResponse, Status> {
        let _place = self.desk.room.take()?;
        let upload = Upload::open(messages).await?;
        let envelope = Envelope::unnamed(upload.merchant.clone());
        let rules = upload::gather(upload, &RULES, limits::RULES_MAX, envelope.received).await?;
        let Receipt { generation, outcomes } =
            self.desk.submit(envelope, Change::ReplaceRules(rules), RULES.list).await?;
        let count = |wanted: Outcome| outcomes.iter().filter(|outcome| **outcome == wanted).count() as u64;
        Ok(pb::ReplaceRulesResponse {
            generation,
            created_count: count(Outcome::Created),
            updated_count: count(Outcome::Updated),
            unchanged_count: count(Outcome::Unchanged),
            deleted_count: count(Outcome::Deleted),
        })
    }

    async fn list(
        &self,
        request: pb::ListRulesRequest,
        deadline: Deadline,
    ) -> Result<pb::ListRulesResponse, Fault> {
        let view = self.desk.view(&request.merchant_id, request.min_generation, deadline).await?;
        apart(move || listed(&view, &request)).await?
    }

    async fn lint(
        &self,
        request: pb::LintRulesRequest,
        deadline: Deadline,
    ) -> Result<pb::LintRulesResponse, Fault> {
        let pb::LintRulesRequest { merchant_id, min_generation } = request;
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        apart(move || {
            let snapshot = &view.snapshot;
            let (findings, truncated) = lint(snapshot.rules(), snapshot.catalog(), clock::now());
            let findings = findings.into_iter().map(convert::lint::to_pb).collect();
            pb::LintRulesResponse { findings, truncated, generation: snapshot.generation() }
        })
        .await
    }

    async fn policy(
        &self,
        request: pb::GetPolicyRequest,
        deadline: Deadline,
    ) -> Result<pb::GetPolicyResponse, Fault> {
        let pb::GetPolicyRequest { merchant_id, name, min_generation } = request;
        let name = if name.is_empty() { POLICY_DEFAULT } else { &name };
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        let found = view.snapshot.policies().get(name).ok_or_else(|| Fault::not_found("policy", name))?;
        Ok(pb::GetPolicyResponse {
            policy: Some(policy::to_pb(&found)),
            generation: view.snapshot.generation(),
        })
    }

    async fn set(&self, request: pb::SetPolicyRequest) -> Result<pb::SetPolicyResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        let pb::SetPolicyRequest { merchant_id: _, policy: sent, request_id: _ } = request;
        let set = policy::from_pb(required(sent, "policy")?).map_err(|fault| fault.within("policy"))?;
        if set.name().as_str() == POLICY_OPEN {
            return Err(Fault::invalid("policy.name", "is `open`, which is built in and cannot be set"));
        }
        let receipt = self.desk.submit(envelope, Change::SetPolicy(Box::new(set)), "policy").await?;
        Ok(pb::SetPolicyResponse { generation: receipt.generation })
    }

    async fn unset(&self, request: pb::DeletePolicyRequest) -> Result<pb::DeletePolicyResponse, Fault> {
        let envelope = Envelope::of(&request)?;
        let name = PolicyName::new(&request.name).map_err(|fault| fault.within("name"))?;
        let receipt = self.desk.submit(envelope, Change::DeletePolicy(name), "name").await?;
        let outcome = match receipt.outcomes[..] {
            [Outcome::Deleted] => pb::Outcome::Deleted,
            _ => pb::Outcome::Unknown,
        };
        Ok(pb::DeletePolicyResponse { generation: receipt.generation, outcome: outcome.into() })
    }
}

fn policies(view: &Published) -> pb::ListPoliciesResponse {
    let policies = view.snapshot.policies().iter().map(|own| policy::to_pb(own)).collect();
    pb::ListPoliciesResponse { policies, generation: view.snapshot.generation() }
}

fn listed(view: &Arc<Published>, request: &pb::ListRulesRequest) -> Result<pb::ListRulesResponse, Fault> {
    let pb::ListRulesRequest { merchant_id, page_size, page_token, min_generation: _ } = request;
    let listing = Listing { what: RULES.list, merchant_id, filter: &[] };
    let (size, after) = (page::size(*page_size)?, listing.after(page_token)?);
    let found = view.snapshot.rules().list(after.as_deref());
    let Page { items: rules, has_more } = page::cut(found.map(|found| rule::to_pb(found)), size);
    let last = rules.last().filter(|_| has_more);
    let next_page_token = last.map(|last| listing.token(&last.rule_id)).unwrap_or_default();
    Ok(pb::ListRulesResponse { rules, next_page_token, generation: view.snapshot.generation() })
}

#[async_trait]
impl RulesService for Rules {
    async fn upsert_rules(
        &self,
        request: Request<pb::UpsertRulesRequest>,
    ) -> Result<Response<pb::UpsertRulesResponse>, Status> {
        Ok(Response::new(self.upsert(request.into_inner()).await?))
    }

    async fn replace_rules(
        &self,
        request: Request<Streaming<pb::ReplaceRulesRequest>>,
    ) -> Result<Response<pb::ReplaceRulesResponse>, Status> {
        Ok(Response::new(self.replace(request.into_inner()).await?))
    }

    async fn list_rules(
        &self,
        request: Request<pb::ListRulesRequest>,
    ) -> Result<Response<pb::ListRulesResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.list(request.into_inner(), deadline).await?))
    }

    async fn delete_rules(
        &self,
        request: Request<pb::DeleteRulesRequest>,
    ) -> Result<Response<pb::DeleteRulesResponse>, Status> {
        Ok(Response::new(self.delete(request.into_inner()).await?))
    }

    async fn lint_rules(
        &self,
        request: Request<pb::LintRulesRequest>,
    ) -> Result<Response<pb::LintRulesResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.lint(request.into_inner(), deadline).await?))
    }

    async fn simulate_rules(
        &self,
        request: Request<pb::SimulateRulesRequest>,
    ) -> Result<Response<pb::SimulateRulesResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(simulate::simulate(&self.desk, request.into_inner(), deadline).await?))
    }

    async fn get_policy(
        &self,
        request: Request<pb::GetPolicyRequest>,
    ) -> Result<Response<pb::GetPolicyResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        Ok(Response::new(self.policy(request.into_inner(), deadline).await?))
    }

    async fn set_policy(
        &self,
        request: Request<pb::SetPolicyRequest>,
    ) -> Result<Response<pb::SetPolicyResponse>, Status> {
        Ok(Response::new(self.set(request.into_inner()).await?))
    }

    async fn list_policies(
        &self,
        request: Request<pb::ListPoliciesRequest>,
    ) -> Result<Response<pb::ListPoliciesResponse>, Status> {
        let deadline = Deadline::of(request.extensions());
        let pb::ListPoliciesRequest { merchant_id, min_generation } = request.into_inner();
        let view = self.desk.view(&merchant_id, min_generation, deadline).await?;
        Ok(Response::new(policies(&view)))
    }

    async fn delete_policy(
        &self,
        request: Request<pb::DeletePolicyRequest>,
    ) -> Result<Response<pb::DeletePolicyResponse>, Status> {
        Ok(Response::new(self.unset(request.into_inner()).await?))
    }
}
