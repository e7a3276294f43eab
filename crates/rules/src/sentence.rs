//! The merchant's own sentence: a template with slots, checked on write, rendered with bounded fuel.
//!
//! Only what a sentence needs is allowed: slots and conditions.
//! Loops, assignments and `*` could make much out of little within any fuel, so they are refused.

use std::{
    str::CharIndices,
    sync::{Arc, LazyLock},
};

use minijinja::{Environment, Template, UndefinedBehavior, context};
use sidecart_catalog::Violation;

use crate::check;

/// Longest template, in bytes.
const SOURCE_BYTES_MAX: usize = 1_024;
/// Longest sentence, in bytes.
const TEXT_BYTES_MAX: usize = 512;
/// Most template instructions run for one sentence.
const FUEL_MAX: u64 = 256;
/// The statements a template may use.
const STATEMENTS: [&str; 4] = ["if", "elif", "else", "endif"];
/// The slots a template may name.
const SLOTS: [&str; 4] = ["target", "anchor", "need", "price"];
/// What a template is tried with on write.
const SAMPLE: Slots<'_> = Slots {
    target: "Memory card 64 GB",
    anchor: "Mirrorless camera",
    need: "memory card",
    price: "129.00 USD",
};

/// What a sentence may speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots<'a> {
    /// Title of the target.
    pub target: &'a str,
    /// Title of the anchor.
    pub anchor: &'a str,
    /// The job the target does.
    pub need: &'a str,
    /// Price of the target, such as `129.00 USD`.
    pub price: &'a str,
}

/// A checked template. Cheap to clone.
///
/// Only the source is kept: compiling is quicker than filling, and a compiled template takes kilobytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    source: Arc<str>,
}

impl Sentence {
    /// Checks a template by compiling and filling it once.
    ///
    /// # Errors
    /// Too long, bad syntax, unknown slot, renders to nothing or to too much, or runs out of fuel.
    pub fn new(source: &str) -> Result<Self, Violation> {
        check::text("", source, SOURCE_BYTES_MAX)?;
        check_tags(source)?;
        let template = compile(source).map_err(|error| refused(&error))?;
        check_slots(&template)?;
        let text = fill(&template, &SAMPLE).map_err(|error| refused(&error))?;
        check_text(&text)?;
        Ok(Self { source: source.into() })
    }

    /// The template as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The sentence with its slots filled. `None` when that fails with these values, or gives no sentence.
    pub fn render(&self, slots: &Slots<'_>) -> Option<String> {
        let text = fill(&compile(&self.source).ok()?, slots).ok()?;
        check_text(&text).is_ok().then_some(text)
    }
}

fn refused(error: &minijinja::Error) -> Violation {
    let detail = error.detail().map_or(String::new(), |detail| format!(": {detail}"));
    Violation::new("", format!("is not a usable template: {}{detail}", error.kind()))
}

fn compile(source: &str) -> Result<Template<'_, '_>, minijinja::Error> {
    static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL_MAX));
        environment
    });
    // Templates borrow their source, so the environment is seen with the lifetime of this one's.
    let environment: &Environment<'_> = &ENVIRONMENT;
    environment.template_from_str(source)
}

fn fill(template: &Template<'_, '_>, slots: &Slots<'_>) -> Result<String, minijinja::Error> {
    let Slots { target, anchor, need, price } = *slots;
    template.render(context! { target, anchor, need, price })
}

/// Refuses unknown slots, also in branches that the sample does not take.
fn check_slots(template: &Template<'_, '_>) -> Result<(), Violation> {
    let mut names: Vec<String> = template.undeclared_variables(false).into_iter().collect();
    names.retain(|name| !SLOTS.contains(&name.as_str()));
    match names.iter().min() {
        Some(name) => {
            Err(Violation::new("", format!("has no slot `{name}`: there are {}", SLOTS.join(", "))))
        }
        None => Ok(()),
    }
}

/// Refuses what is not a sentence.
fn check_text(text: &str) -> Result<(), Violation> {
    if text.trim().is_empty() {
        return Err(Violation::new("", "says nothing once filled"));
    }
    check::text("", text, TEXT_BYTES_MAX).map_err(|fault| Violation::new("", format!("once filled, {fault}")))
}

/// Refuses statements and operators that a sentence does not need, as far as the tags are well formed.
///
/// Reads tags as the template language does; what it takes for a tag's end otherwise is a syntax error there.
fn check_tags(source: &str) -> Result<(), Violation> {
    let mut rest = source;
    while let Some(start) = rest.find('{') {
        rest = &rest[start + 1..];
        rest = match rest.as_bytes().first() {
            Some(b'#') => rest.find("#}").map_or("", |end| &rest[end + 2..]),
            Some(b'{') => after_tag(&rest[1..], "}}")?,
            Some(b'%') => {
                check_statement(&rest[1..])?;
                after_tag(&rest[1..], "%}")?
            }
            _ => rest,
        };
    }
    Ok(())
}

fn check_statement(inside: &str) -> Result<(), Violation> {
    let inside = inside.trim_start_matches(['-', '+']).trim_start();
    let word = inside.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    if STATEMENTS.contains(&word) {
        return Ok(());
    }
    Err(Violation::new("", format!("uses `{{% {word} %}}`, allowed are {}", STATEMENTS.join(", "))))
}

/// What follows the end of a tag.
fn after_tag<'a>(inside: &'a str, end: &str) -> Result<&'a str, Violation> {
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if inside[at..].starts_with(end) => return Ok(&inside[at + end.len()..]),
            '*' | '{' => {
                return Err(Violation::new("", format!("uses `{c}` inside a tag, which is not allowed")));
            }
            '"' | '\'' => skip_string(&mut chars, c),
            _ => {}
        }
    }
    Ok("")
}

/// Moves behind the closing quote.
fn skip_string(chars: &mut CharIndices<'_>, quote: char) {
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            _ if c == quote => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
