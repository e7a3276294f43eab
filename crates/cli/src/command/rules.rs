//! `rules` and `lint`: see, delete and check what may be offered.

use anyhow::Result;
use sidecart::v1 as pb;

use super::catalog::{PAGE_MAX, note_more, page_size, show_outcomes};
use crate::{
    args::RulesCommand,
    exit::Exit,
    out::{self, Output},
    remote::{Remote, new_request_id},
    wire::short_name,
};

/// Does what the command says.
pub(crate) async fn rules(remote: &Remote, command: RulesCommand, output: Output) -> Result<()> {
    match command {
        RulesCommand::List { limit } => list(remote, limit, output).await,
        RulesCommand::Delete { rule_ids } => delete(remote, rule_ids, output).await,
    }
}

async fn list(remote: &Remote, limit: usize, output: Output) -> Result<()> {
    let mut whole = pb::ListRulesResponse::default();
    loop {
        let request = pb::ListRulesRequest {
            merchant_id: remote.merchant.clone(),
            page_size: page_size(limit, whole.rules.len()),
            page_token: whole.next_page_token,
            min_generation: 0,
        };
        let page = remote.client.rules().list_rules(remote.call(request)).await?.into_inner();
        whole.rules.extend(page.rules);
        whole.next_page_token = page.next_page_token;
        whole.generation = page.generation;
        if whole.next_page_token.is_empty() || whole.rules.len() == limit {
            break;
        }
    }
    if output == Output::Json {
        return Ok(out::message(&whole)?);
    }
    out::table(&["RULE", "SAYS", "NEED", "ANCHOR", "TARGET", "STATE"], whole.rules.iter().map(row))?;
    note_more(&whole.next_page_token);
    Ok(())
}

fn row(rule: &pb::Rule) -> Vec<String> {
    let (says, need) = match &rule.says {
        Some(pb::rule::Says::Pairing(pairing)) => {
            (format!("PAIRING {}", short_name("Relation", pairing.relation)), pairing.need.clone())
        }
        Some(pb::rule::Says::Block(_)) => ("BLOCK".to_owned(), String::new()),
        Some(pb::rule::Says::Boost(boost)) => (format!("BOOST {}", boost.factor), String::new()),
        None => Default::default(),
    };
    let state = if rule.disabled { "off" } else { "on" };
    let sides = [
        rule.anchor.as_ref().map_or("any".to_owned(), selector),
        rule.target.as_ref().map(selector).unwrap_or_default(),
    ];
    let [anchor, target] = sides;
    vec![rule.rule_id.clone(), says, need, anchor, target, state.to_owned()]
}

/// A selector on one line, such as `category:Cameras & tag:body-only & not product:x`.
fn selector(selector: &pb::Selector) -> String {
    let pb::Selector { any_of, all_of, none_of } = selector;
    let any: Vec<_> = any_of.iter().map(term).collect();
    let any = (!any.is_empty()).then(|| any.join(" | "));
    let all = all_of.iter().map(term);
    let none = none_of.iter().map(|it| format!("not {}", term(it)));
    any.into_iter().chain(all).chain(none).collect::<Vec<_>>().join(" & ")
}

/// A term in the form that the import of CSV takes.
fn term(term: &pb::Term) -> String {
    use pb::term::Term::{Attribute, Category, FamilyId, ProductId, Tag};
    match &term.term {
        Some(ProductId(id)) => format!("product:{id}"),
        Some(FamilyId(id)) => format!("family:{id}"),
        Some(Category(category)) => format!("category:{}", category.path.join(" > ")),
        Some(Tag(tag)) => format!("tag:{tag}"),
        Some(Attribute(attribute)) => format!("attr:{}={}", attribute.name, attribute.value),
        None => String::new(),
    }
}

async fn delete(remote: &Remote, rule_ids: Vec<String>, output: Output) -> Result<()> {
    let mut whole = pb::DeleteRulesResponse::default();
    for ids in rule_ids.chunks(PAGE_MAX) {
        let request = pb::DeleteRulesRequest {
            merchant_id: remote.merchant.clone(),
            rule_ids: ids.to_vec(),
            request_id: new_request_id(),
        };
        let answer = remote.client.rules().delete_rules(remote.call(request)).await?.into_inner();
        whole.outcomes.extend(answer.outcomes);
        whole.generation = answer.generation;
    }
    match output {
        Output::Json => out::message(&whole)?,
        Output::Table => show_outcomes(&whole.outcomes, whole.generation)?,
    }
    Ok(())
}

/// Says what looks wrong in the rules.
pub(crate) async fn lint(remote: &Remote, output: Output) -> Result<Exit> {
    let request = pb::LintRulesRequest { merchant_id: remote.merchant.clone(), min_generation: 0 };
    let answer = remote.client.rules().lint_rules(remote.call(request)).await?.into_inner();
    let exit = if answer.findings.is_empty() { Exit::Done } else { Exit::Findings };
    if output == Output::Json {
        out::message(&answer)?;
        return Ok(exit);
    }
    if answer.findings.is_empty() {
        out::line(format!("nothing looks wrong in generation {}", answer.generation))?;
        return Ok(exit);
    }
    let rows = answer.findings.into_iter().map(|finding| {
        let pb::LintFinding { rule_id, kind, reason, other_rule_id } = finding;
        vec![rule_id, short_name("LintKind", kind), other_rule_id, reason]
    });
    out::table(&["RULE", "KIND", "OTHER RULE", "REASON"], rows)?;
    if answer.truncated {
        out::note("there are more: these are the first");
    }
    Ok(exit)
}
