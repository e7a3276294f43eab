//! What is refused, and what is said.

use super::*;

const SLOTS: Slots<'_> = Slots { target: "Card", anchor: "Camera", need: "", price: "9.00 USD" };

#[test]
fn slots_are_filled() {
    for (source, said) in [
        ("Add {{ target }} to your {{ anchor }} for {{price}}.", "Add Card to your Camera for 9.00 USD."),
        ("Get a {% if need %}{{ need }}{% else %}{{ target }}{% endif %}", "Get a Card"),
        ("{{ 'A good' if price == '9.00 USD' else 'A' }} {{ target ~ '!' }}", "A good Card!"),
        ("5* for {{ target }} {# * #} & <b>", "5* for Card  & <b>"),
        ("Say {% if target in ['Card', 'Case'] -%} {{ \"it's * {{\" }} {%- endif %}", "Say it's * {{"),
        ("{ {{ target }} }", "{ Card }"),
    ] {
        assert_eq!(Sentence::new(source).unwrap().render(&SLOTS).as_deref(), Some(said));
    }
}

#[test]
fn bad_templates_are_refused_with_the_reason() {
    let long = "x".repeat(SOURCE_BYTES_MAX + 1);
    let nested = "{".to_owned() + &"{(".repeat(300);
    for (source, reason) in [
        ("", "is empty"),
        (&*long, "is 1025 bytes, at most 1024"),
        ("two\nlines", "has a control character"),
        ("{{ target", "syntax error"),
        ("{{ target }", "syntax error"),
        ("{% if target %}", "syntax error"),
        ("{{ 1 +", "syntax error"),
        (&*nested, "`{` inside a tag"),
        ("{{ goal }}", "has no slot `goal`"),
        ("{% if need == 'never' %}{{ hidden }}{% endif %}x", "has no slot `hidden`"),
        ("{{ target.brand }}", "undefined value"),
        ("{{ target | upper }}", "unknown filter"),
        ("{{ target() }}", "not callable"),
        ("{# nothing #} ", "says nothing once filled"),
        ("{% if target == '' %}x{% endif %}", "says nothing once filled"),
        ("{{ \"a\\nb\" }}", "once filled, has a control character"),
        ("{{ target }}", ""),
        ("{% for a in [1, 2, 3] %}x{% endfor %}", "uses `{% for %}`"),
        ("{%- set a = target ~ target -%}x", "uses `{% set %}`"),
        ("{% with a = target %}x{% endwith %}", "uses `{% with %}`"),
        ("{% raw %}x{% endraw %}", "uses `{% raw %}`"),
        ("{% %}x", "uses `{%  %}`"),
        ("{{ 'x' * 1000 }}", "uses `*` inside a tag"),
        ("{{ '}}' * 1000 }}", "uses `*` inside a tag"),
        ("{{ '\\'' ~ 'x' * 1000 }}", "uses `*` inside a tag"),
        ("{{ {'a': 1}.a }}", "uses `{` inside a tag"),
    ] {
        let told = Sentence::new(source).err().map(|fault| fault.description).unwrap_or_default();
        assert!(told.contains(reason) && told.is_empty() == reason.is_empty(), "{source:?}: {told}");
    }
}

#[test]
fn fuel_and_length_are_bounded() {
    let costly = format!("x{}", "{% if 1 %}{% endif %}".repeat(45));
    let costlier = "{{1}}".repeat(200);
    let longest = "{{ target }}".to_owned() + &"x".repeat(TEXT_BYTES_MAX - SAMPLE.target.len());
    let longer = longest.clone() + "x";
    for (source, reason) in
        [(costly, ""), (costlier, "fuel"), (longest, ""), (longer, "once filled, is 513 bytes, at most 512")]
    {
        let told = Sentence::new(&source).err().map(|fault| fault.description).unwrap_or_default();
        assert!(told.contains(reason) && told.is_empty() == reason.is_empty(), "{told}");
    }
}

#[test]
fn what_cannot_be_said_with_these_values_is_not_said() {
    let sentence = Sentence::new("{{ target }}{% if need == 'odd' %}{{ target.brand }}{% endif %}").unwrap();
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    for (slots, is_said) in [
        (SLOTS, true),
        (Slots { need: "odd", ..SLOTS }, false),
        (Slots { target: " ", ..SLOTS }, false),
        (Slots { target: &long, ..SLOTS }, false),
    ] {
        assert_eq!(sentence.render(&slots).is_some(), is_said, "{slots:?}");
    }
}

#[test]
fn sentences_are_equal_when_their_sources_are() {
    let [one, same, other] = ["Add {{ target }}", "Add {{ target }}", "Add {{target}}"]
        .map(|source| Sentence::new(source).unwrap());
    assert_eq!(one, same);
    assert_ne!(one, other);
}
