//! JSON and the wire's messages, both ways, by the descriptors that the wire crate carries.
//!
//! Reading is proto3 JSON with two kindnesses: enum names may leave out their prefix and be in lower case, and every
//! fault says at which path. No field is known here by name.

use std::{fmt, sync::LazyLock};

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    SerializeOptions,
};
use serde_json::{Map, Value};
use sidecart::v1 as pb;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(sidecart::FILE_DESCRIPTOR_SET)
        .expect("the descriptors are built with the messages")
});

/// A message that knows its name in the descriptors.
pub(crate) trait Named: Message + Default {
    /// Without the package.
    const NAME: &'static str;
}

macro_rules! named {
    ($($name:ident),* $(,)?) => { $(impl Named for pb::$name { const NAME: &'static str = stringify!($name); })* };
}

named!(
    Affinity,
    CompleteFollowUpsResponse,
    DeletePolicyResponse,
    DeleteProductsResponse,
    DeleteRulesResponse,
    DiffSnapshotsResponse,
    EraseShopperResponse,
    ExplainResponse,
    FollowUp,
    GetModelResponse,
    GetOrderResponse,
    GetProductResponse,
    ImportResponse,
    LearnAffinitiesResponse,
    LintRulesResponse,
    ListAffinitiesResponse,
    ListFollowUpsResponse,
    ListMerchantsResponse,
    ListPoliciesResponse,
    ListProductsResponse,
    ListRulesResponse,
    ListSnapshotsResponse,
    Policy,
    Product,
    RecommendRequest,
    RecommendResponse,
    RecordedOrder,
    RollBackResponse,
    Rule,
    SetOptOutResponse,
    SetPolicyResponse,
    Snapshot,
);

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Path from the top of the document. Empty: the document itself.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}

impl Fault {
    /// A fault of the field.
    pub(crate) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }

    fn within(mut self, outer: &str) -> Self {
        let dot = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        self.field = format!("{outer}{dot}{}", self.field);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return f.write_str(&self.reason);
        }
        write!(f, "{}: {}", self.field, self.reason)
    }
}

impl std::error::Error for Fault {}

/// Reads a message.
///
/// # Errors
/// The first field that is unknown, or does not hold what it should.
pub(crate) fn from_json<T: Named>(fields: Map<String, Value>) -> Result<T, Fault> {
    let descriptor = descriptor::<T>();
    let normal = normal_fields(&descriptor, fields)?;
    let whole = |error: &dyn fmt::Display| Fault::new("", error.to_string());
    let message = DynamicMessage::deserialize(descriptor, Value::Object(normal)).map_err(|e| whole(&e))?;
    message.transcode_to().map_err(|e| whole(&e))
}

/// Reads one line or file that holds a JSON object.
///
/// # Errors
/// It is not JSON, or not an object.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>, Fault> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Fault::new("", "is not a JSON object")),
        Err(error) => Err(Fault::new("", format!("is not JSON: {error}"))),
    }
}

/// The message in proto3 JSON by its proto field names, in their order, and keys of maps in theirs.
pub(crate) fn document<T: Named>(message: &T) -> Value {
    let mut dynamic = DynamicMessage::new(descriptor::<T>());
    dynamic.transcode_from(message).expect("a message decodes under its own descriptor");
    let options = SerializeOptions::new().use_proto_field_name(true).skip_default_fields(false);
    let document = dynamic.serialize_with_options(serde_json::value::Serializer, &options);
    let mut document = document.expect("a message has a JSON form");
    sort_maps(&descriptor::<T>(), &mut document);
    document
}

/// Sorts the maps in a message, which come in any order.
fn sort_maps(descriptor: &MessageDescriptor, document: &mut Value) {
    let Value::Object(fields) = document else { return };
    for field in descriptor.fields() {
        let Some(value) = fields.get_mut(field.name()) else { continue };
        let Kind::Message(message) = field.kind() else { continue };
        match value {
            Value::Object(entries) if field.is_map() => {
                entries.sort_keys();
                if let Kind::Message(message) = message.map_entry_value_field().kind() {
                    entries.values_mut().for_each(|value| sort_maps(&message, value));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| sort_maps(&message, item)),
            value => sort_maps(&message, value),
        }
    }
}

fn descriptor<T: Named>() -> MessageDescriptor {
    let name = format!("sidecart.v1.{}", T::NAME);
    POOL.get_message_by_name(&name).expect("a generated message has a descriptor")
}

/// The same fields under their proto names, with full enum names and without nulls.
fn normal_fields(
    descriptor: &MessageDescriptor,
    fields: Map<String, Value>,
) -> Result<Map<String, Value>, Fault> {
    let mut normal = Map::new();
    for (name, value) in fields {
        let field = descriptor.get_field_by_name(&name).or_else(|| descriptor.get_field_by_json_name(&name));
        let field = field.ok_or_else(|| Fault::new(&name, "is not a known field"))?;
        if value.is_null() {
            continue;
        }
        let value = normal_field(&field, value).map_err(|fault| fault.within(&name))?;
        normal.insert(field.name().to_owned(), value);
    }
    Ok(normal)
}

fn normal_field(field: &FieldDescriptor, value: Value) -> Result<Value, Fault> {
    if field.is_map() {
        let Value::Object(entries) = value else { return Err(Fault::new("", "is not an object")) };
        let Kind::Message(entry) = field.kind() else { unreachable!("a map field holds entries") };
        let kind = entry.map_entry_value_field().kind();
        let entries = entries.into_iter().map(|(key, value)| {
            let value = normal_value(&kind, value).map_err(|fault| fault.within(&key))?;
            Ok((key, value))
        });
        return Ok(Value::Object(entries.collect::<Result<_, _>>()?));
    }
    if field.is_list() {
        let Value::Array(items) = value else { return Err(Fault::new("", "is not a list")) };
        let items = items.into_iter().enumerate().map(|(at, value)| {
            normal_value(&field.kind(), value).map_err(|fault| fault.within(&format!("[{at}]")))
        });
        return Ok(Value::Array(items.collect::<Result<_, _>>()?));
    }
    normal_value(&field.kind(), value)
}

fn normal_value(kind: &Kind, value: Value) -> Result<Value, Fault> {
    let fits = match kind {
        Kind::Message(message) => return normal_message(message, value),
        Kind::Enum(of) => return normal_enum(of, value),
        Kind::String | Kind::Bytes => value.is_string(),
        Kind::Bool => value.is_boolean(),
        Kind::Double | Kind::Float => number::<f64>(&value).is_some_and(f64::is_finite),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => number::<i32>(&value).is_some(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => number::<i64>(&value).is_some(),
        Kind::Uint32 | Kind::Fixed32 => number::<u32>(&value).is_some(),
        Kind::Uint64 | Kind::Fixed64 => number::<u64>(&value).is_some(),
    };
    if fits {
        return Ok(value);
    }
    Err(Fault::new("", format!("is {value}, which is not a {}", kind_name(kind))))
}

/// A JSON number, or a string that holds one, as proto3 JSON allows.
fn number<N: std::str::FromStr>(value: &Value) -> Option<N> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::String | Kind::Bytes => "text",
        Kind::Bool => "true or false",
        Kind::Double | Kind::Float => "number",
        Kind::Uint32 | Kind::Fixed32 | Kind::Uint64 | Kind::Fixed64 => "whole number of 0 or more that fits",
        _ => "whole number that fits",
    }
}

fn normal_message(message: &MessageDescriptor, value: Value) -> Result<Value, Fault> {
    match message.full_name() {
        "google.protobuf.Timestamp" => normal_time(&value),
        "google.protobuf.Duration" => Ok(value),
        _ => {
            let Value::Object(fields) = value else { return Err(Fault::new("", "is not an object")) };
            normal_fields(message, fields).map(Value::Object)
        }
    }
}

fn normal_time(value: &Value) -> Result<Value, Fault> {
    let time = value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let time = time.ok_or_else(|| {
        Fault::new("", format!("is {value}, which is not a time such as \"2026-01-31T12:00:00Z\""))
    })?;
    Ok(Value::String(time.to_string()))
}

fn normal_enum(of: &EnumDescriptor, value: Value) -> Result<Value, Fault> {
    let Value::String(given) = value else { return Ok(value) };
    let prefix = enum_prefix(of);
    let name = given.to_ascii_uppercase().replace('-', "_");
    let known = of.get_value_by_name(&name).or_else(|| of.get_value_by_name(&format!("{prefix}{name}")));
    if let Some(known) = known {
        return Ok(Value::String(known.name().to_owned()));
    }
    let names: Vec<_> = of.values().skip(1).map(|it| it.name().replacen(&prefix, "", 1)).collect();
    Err(Fault::new("", format!("is `{given}`, which is none of {}", names.join(", "))))
}

/// What all names of an enum start with, such as `STAGE_`.
fn enum_prefix(of: &EnumDescriptor) -> String {
    of.default_value().name().trim_end_matches("UNSPECIFIED").to_owned()
}

/// The name of an enum's value without the prefix that all its names share, such as `OUT_OF_STOCK`.
pub(crate) fn short_name(enum_name: &str, number: i32) -> String {
    let of = POOL.get_enum_by_name(&format!("sidecart.v1.{enum_name}"));
    let of = of.expect("a generated enum has a descriptor");
    let Some(value) = of.get_value(number) else { return number.to_string() };
    value.name().replacen(&enum_prefix(&of), "", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Named>(text: &str) -> Result<T, String> {
        object(text).and_then(from_json).map_err(|fault| fault.to_string())
    }

    #[test]
    fn enum_names_may_leave_out_their_prefix() {
        for name in ["STAGE_ORDER_PLACED", "ORDER_PLACED", "order_placed", "order-placed"] {
            let request: pb::RecommendRequest = read(&format!(r#"{{"stage": "{name}"}}"#)).unwrap();
            assert_eq!(request.stage(), pb::Stage::OrderPlaced, "{name}");
        }
    }

    #[test]
    fn a_message_is_printed_the_same_each_time() {
        let attributes = (0..20).map(|nth| format!(r#""a{nth:02}": {{"text": ["x"]}}"#)).collect::<Vec<_>>();
        let text =
            format!(r#"{{"title": "Pen", "product_id": "pen", "attributes": {{{}}}}}"#, attributes.join(","));
        let product: pb::Product = read(&text).unwrap();
        let printed = document(&product);
        let Value::Object(fields) = &printed else { panic!("{printed}") };
        assert_eq!(fields.keys().next().map(String::as_str), Some("product_id"), "in the order of the proto");
        assert!(printed["attributes"].as_object().unwrap().keys().is_sorted(), "{printed}");
    }

    #[test]
    fn whole_messages_are_read() {
        let text = r#"{"rule_id": "r", "pairing": {"relation": "ACCESSORY", "mutual": true}, "note": null,
            "anchor": {"any_of": [{"category": {"path": ["A", "B"]}}]}, "stages": ["CART", 4],
            "windows": [{"from": "2026-01-01T00:00:00+01:00"}]}"#;
        let rule: pb::Rule = read(text).unwrap();
        assert_eq!(rule.stages, [3, 4]);
        assert_eq!(rule.windows[0].from.unwrap().seconds, 1_767_222_000);
        let Some(pb::rule::Says::Pairing(pairing)) = rule.says else { panic!("{rule:?}") };
        assert!(pairing.mutual && pairing.relation() == pb::Relation::Accessory);
    }

    #[test]
    fn faults_name_their_path() {
        let cases = [
            ("[]", "is not a JSON object"),
            (r#"{"nonsense": 1}"#, "nonsense: is not a known field"),
            (r#"{"pairing": {"relashun": 1}}"#, "pairing.relashun: is not a known field"),
            (
                r#"{"anchor": {"any_of": [{"tag": "a"}, {"tag": 3}]}}"#,
                "anchor.any_of[1].tag: is 3, which is not a text",
            ),
            (
                r#"{"stages": ["NOON"]}"#,
                "stages[0]: is `NOON`, which is none of BROWSE, PRODUCT, CART, CHECKOUT, ORDER_PLACED, DELIVERED, REPLENISH",
            ),
            (r#"{"stages": "CART"}"#, "stages: is not a list"),
            (
                r#"{"pairing": {"position": -1}}"#,
                "pairing.position: is -1, which is not a whole number of 0 or more that fits",
            ),
            (
                r#"{"windows": [{"until": "soon"}]}"#,
                "windows[0].until: is \"soon\", which is not a time such as \"2026-01-31T12:00:00Z\"",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read::<pb::Rule>(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn values_have_short_names() {
        assert_eq!(short_name("Availability", 2), "OUT_OF_STOCK");
        assert_eq!(short_name("Availability", 99), "99");
    }
}
