//! JSON without what nobody reads.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A JSON value without any `managedFields`: in a list of pods they are half of the text and most of
/// its objects, so that not to build them halves the time and the memory.
pub(super) struct Lean(pub(super) Value);

impl<'de> Deserialize<'de> for Lean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LeanVisitor).map(Self)
    }
}

struct LeanVisitor;

impl<'de> Visitor<'de> for LeanVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Lean(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            if key == "managedFields" {
                fields.next_value::<IgnoredAny>()?;
            } else {
                let Lean(value) = fields.next_value()?;
                object.insert(key, value);
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_managed_fields_is_as_it_was_sent() {
        let text = r#"{"items": [{"metadata": {"name": "a\u00e9\n", "managedFields": [{"fieldsV1": {"f:a": {}}}]},
            "numbers": [0, -1, 18446744073709551615, 1.5], "flags": [true, false, null], "empty": [{}, [], ""]}]}"#;
        let Lean(lean) = serde_json::from_str(text).expect("it is JSON");
        let mut whole: Value = serde_json::from_str(text).expect("it is JSON");
        let metadata = whole["items"][0]["metadata"].as_object_mut().expect("an object");
        assert!(metadata.remove("managedFields").is_some());
        assert_eq!(lean, whole);
    }

    #[test]
    fn what_is_no_json_is_refused_also_where_it_is_not_read() {
        for text in ["{", r#"{"managedFields": [}"#, "[1] 2", &"[".repeat(1000)] {
            assert!(serde_json::from_str::<Lean>(text).is_err(), "{text}");
        }
    }
}
