//! Rules: pairings, blocks and boosts. The wire form is the stored form too, and returns exactly.

use sidecart::v1 as pb;
use sidecart_catalog::Violation;
use sidecart_rules::{Boost, Pairing, Rule, RuleId, RuleParts, Says, Selector, Sentence, Window};

use super::{
    bounds::{self, each, required},
    enums, matching, selector, time,
};

/// Most bytes of an encoded rule.
pub const BYTES_MAX: usize = 64 * 1024;
/// Most match clauses, asked before any is converted.
const MATCHES_MAX: usize = 8;
/// Most windows, asked before any is converted.
const WINDOWS_MAX: usize = 16;
/// Last position that a pairing may name.
const POSITION_MAX: u32 = 20;

/// A rule.
///
/// # Errors
/// The first fault.
pub fn from_pb(rule: pb::Rule) -> Result<Rule, Violation> {
    bounds::small(&rule, BYTES_MAX)?;
    let pb::Rule { rule_id, anchor, target, r#match, stages, surfaces, windows, disabled, note, says } = rule;
    bounds::at_most(&r#match, MATCHES_MAX, "match")?;
    bounds::at_most(&windows, WINDOWS_MAX, "windows")?;
    Rule::new(RuleParts {
        id: RuleId::new(&rule_id).map_err(|fault| fault.within("rule_id"))?,
        says: statement(says)?,
        anchor: anchor.map(|anchor| selected(anchor, "anchor")).transpose()?,
        target: selected(required(target, "target")?, "target")?,
        matches: each(r#match, "match", matching::from_pb)?,
        stages: enums::stages(stages)?,
        surfaces: enums::surfaces(surfaces)?,
        windows: each(windows, "windows", window)?,
        disabled,
        note: note.into(),
    })
}

/// The wire form.
pub fn to_pb(rule: &Rule) -> pb::Rule {
    let RuleParts { id, says, anchor, target, matches, stages, surfaces, windows, disabled, note } =
        rule.parts();
    pb::Rule {
        rule_id: id.as_str().to_owned(),
        anchor: anchor.as_ref().map(selector::to_pb),
        target: Some(selector::to_pb(target)),
        r#match: matches.iter().map(matching::to_pb).collect(),
        stages: enums::stages_to_pb(*stages),
        surfaces: enums::surfaces_to_pb(*surfaces),
        windows: windows.iter().map(window_to_pb).collect(),
        disabled: *disabled,
        note: note.to_string(),
        says: Some(match says {
            Says::Pairing(pairing) => pb::rule::Says::Pairing(pairing_to_pb(pairing)),
            Says::Block => pb::rule::Says::Block(pb::Block {}),
            Says::Boost(boost) => pb::rule::Says::Boost(pb::Boost { factor: boost.factor() }),
        }),
    }
}

fn statement(says: Option<pb::rule::Says>) -> Result<Says, Violation> {
    match says {
        None => Err(Violation::new("", "says nothing: set one of `pairing`, `block` and `boost`")),
        Some(pb::rule::Says::Pairing(said)) => {
            pairing(said).map(Says::Pairing).map_err(|fault| fault.within("pairing"))
        }
        Some(pb::rule::Says::Block(pb::Block {})) => Ok(Says::Block),
        Some(pb::rule::Says::Boost(pb::Boost { factor })) => {
            Boost::new(factor).map(Says::Boost).map_err(|fault| fault.within("boost"))
        }
    }
}

fn pairing(pairing: pb::Pairing) -> Result<Pairing, Violation> {
    let pb::Pairing { relation, need, position, min_anchor_quantity, sentence, mutual, allows_same_category } =
        pairing;
    let relation = enums::relation::from_pb(relation).map_err(|fault| fault.within("relation"))?;
    Ok(Pairing {
        relation: required(relation, "relation")?,
        need: Some(need).filter(|need| !need.is_empty()).map(Into::into),
        position: place(position)?,
        min_anchor_quantity: min_anchor_quantity.max(1),
        sentence: own_words(&sentence)?,
        mutual,
        allows_same_category,
    })
}

fn pairing_to_pb(pairing: &Pairing) -> pb::Pairing {
    let Pairing { relation, need, position, min_anchor_quantity, sentence, mutual, allows_same_category } =
        pairing;
    pb::Pairing {
        relation: enums::relation::to_pb(*relation).into(),
        need: need.as_deref().unwrap_or_default().to_owned(),
        position: position.map(u32::from).unwrap_or_default(),
        min_anchor_quantity: if *min_anchor_quantity == 1 { 0 } else { *min_anchor_quantity },
        sentence: sentence.as_ref().map(|sentence| sentence.source().to_owned()).unwrap_or_default(),
        mutual: *mutual,
        allows_same_category: *allows_same_category,
    }
}

fn place(position: u32) -> Result<Option<u8>, Violation> {
    match u8::try_from(position) {
        Ok(0) => Ok(None),
        Ok(place) if position <= POSITION_MAX => Ok(Some(place)),
        _ => Err(Violation::new("position", format!("is {position}, at most {POSITION_MAX}"))),
    }
}

fn own_words(sentence: &str) -> Result<Option<Sentence>, Violation> {
    if sentence.is_empty() {
        return Ok(None);
    }
    Sentence::new(sentence).map(Some).map_err(|fault| fault.within("sentence"))
}

fn selected(selector: pb::Selector, field: &str) -> Result<Selector, Violation> {
    selector::from_pb(selector).map_err(|fault| fault.within(field))
}

fn window(window: pb::Window) -> Result<Window, Violation> {
    let pb::Window { from, until } = window;
    Window::new(time::optional(from.as_ref(), "from")?, time::optional(until.as_ref(), "until")?)
}

fn window_to_pb(window: &Window) -> pb::Window {
    pb::Window { from: window.from().map(time::to_pb), until: window.until().map(time::to_pb) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(term: pb::term::Term) -> pb::Term {
        pb::Term { term: Some(term) }
    }

    fn selector() -> pb::Selector {
        use pb::term::Term;
        pb::Selector {
            any_of: vec![term(Term::ProductId("a".into())), term(Term::FamilyId("b".into()))],
            all_of: vec![term(Term::Category(pb::CategoryPath { path: vec!["c".into(), "d".into()] }))],
            none_of: vec![
                term(Term::Tag("e".into())),
                term(Term::Attribute(pb::AttributeTerm { name: "f".into(), value: "g".into() })),
            ],
        }
    }

    fn rule(says: pb::rule::Says) -> pb::Rule {
        let clause = |op: pb::MatchOp, anchor_attribute: &str, tolerance| pb::MatchClause {
            target_attribute: "mount".into(),
            op: op.into(),
            anchor_attribute: anchor_attribute.into(),
            tolerance,
        };
        let from = Some(prost_types::Timestamp { seconds: 5, nanos: 0 });
        pb::Rule {
            rule_id: "r".into(),
            anchor: Some(selector()),
            target: Some(selector()),
            r#match: vec![
                clause(pb::MatchOp::Superset, "", 0.0),
                clause(pb::MatchOp::Within, "bayonet", 0.5),
            ],
            stages: vec![pb::Stage::Product.into(), pb::Stage::Replenish.into()],
            surfaces: vec![pb::Surface::Voice.into()],
            windows: vec![pb::Window { from, until: None }],
            disabled: true,
            note: "note".into(),
            says: Some(says),
        }
    }

    #[test]
    fn the_stored_form_returns_exactly() {
        let pairing = pb::Pairing {
            relation: pb::Relation::BundlePart.into(),
            need: "memory card".into(),
            position: 20,
            min_anchor_quantity: 2,
            sentence: "Pair {{ anchor }} with {{ target }}".into(),
            mutual: true,
            allows_same_category: true,
        };
        for says in [
            pb::rule::Says::Pairing(pairing),
            pb::rule::Says::Pairing(pb::Pairing { relation: 1, ..pb::Pairing::default() }),
            pb::rule::Says::Block(pb::Block {}),
            pb::rule::Says::Boost(pb::Boost { factor: 1.5 }),
        ] {
            let sent = rule(says);
            let read = from_pb(sent.clone()).unwrap();
            assert_eq!(to_pb(&read), sent);
            assert_eq!(from_pb(to_pb(&read)), Ok(read));
        }
    }
}
