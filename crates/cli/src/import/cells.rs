//! What one cell of a table may hold.

use serde_json::Value;

/// Splits `a|b`. Empty parts are left out.
pub(super) fn split_list(text: &str) -> Vec<String> {
    text.split('|').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Splits `Cameras > Mirrorless`.
pub(crate) fn split_path(text: &str) -> Vec<String> {
    text.split('>').map(|name| name.trim().to_owned()).collect()
}

/// Reads a truth value as tables write it.
pub(super) fn truth(value: &Value) -> Result<bool, String> {
    match cell_text(value).unwrap_or_default().to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Ok(true),
        "false" | "no" | "n" | "0" => Ok(false),
        _ => Err(format!("is {value}, which is neither true nor false")),
    }
}

/// The text of a cell that holds one value.
pub(super) fn cell_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_split_and_trimmed() {
        assert_eq!(split_list(" a | b||"), ["a", "b"]);
        assert_eq!(split_list(""), [""; 0]);
        assert_eq!(split_path("Cameras > Mirrorless"), ["Cameras", "Mirrorless"]);
    }

    #[test]
    fn truth_has_many_spellings() {
        for value in [json!(true), json!("TRUE"), json!("yes"), json!(1), json!("1")] {
            assert_eq!(truth(&value), Ok(true), "{value}");
        }
        for value in [json!(false), json!("No"), json!(0)] {
            assert_eq!(truth(&value), Ok(false), "{value}");
        }
        for value in [json!("maybe"), json!([]), json!(2), json!(null)] {
            assert!(truth(&value).is_err(), "{value}");
        }
    }
}
