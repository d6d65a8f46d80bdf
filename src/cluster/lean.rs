//! JSON without what nobody reads.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

/// What is left out, by the field it is in: of a real gateway pod three quarters of the text, and
/// four fifths of the values that would have to be built.
const UNREAD: [(&str, &str); 6] = [
    ("metadata", "managedFields"),
    ("spec", "affinity"),
    ("spec", "volumes"),
    ("containers", "env"),
    ("containers", "volumeMounts"),
    ("containers", "readinessProbe"),
];

/// A JSON value without what nobody reads in a list.
pub(super) struct Lean(pub(super) Value);

impl<'de> Deserialize<'de> for Lean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader { field: "" }.deserialize(deserializer).map(Self)
    }
}

/// Reads the value of a field, or of an item of the list that it is.
struct Reader<'a> {
    field: &'a str,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
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
        while let Some(item) = items.next_element_seed(Reader { field: self.field })? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if UNREAD.contains(&(self.field, name.as_str())) {
                fields.next_value::<IgnoredAny>()?;
            } else {
                let value = fields.next_value_seed(Reader { field: &name })?;
                object.insert(name, value);
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lean(text: &str) -> Value {
        serde_json::from_str::<Lean>(text).expect("it is JSON").0
    }

    #[test]
    fn what_is_read_is_as_it_was_sent() {
        let text = r#"{"items": [{"metadata": {"name": "a\u00e9\n", "labels": {"env": "prod", "managedFields": "b"}},
            "numbers": [0, -1, 18446744073709551615, 1.5], "flags": [true, false, null], "empty": [{}, [], ""]}]}"#;
        let whole: Value = serde_json::from_str(text).expect("it is JSON");
        assert_eq!(lean(text), whole);
    }

    #[test]
    fn what_nobody_reads_is_left_out_where_it_belongs() {
        let pod = r#"{"metadata": {"name": "a", "managedFields": [{"fieldsV1": {"f:a": {}}}]},
            "spec": {"volumes": [{}], "containers": [{"name": "d", "env": [{"name": "e"}]}], "env": 1}}"#;
        let left =
            r#"{"metadata": {"name": "a"}, "spec": {"containers": [{"name": "d"}], "env": 1}}"#;
        assert_eq!(lean(pod), serde_json::from_str::<Value>(left).expect("it is JSON"));
    }

    #[test]
    fn what_is_no_json_is_refused_also_where_it_is_not_read() {
        for text in ["{", r#"{"metadata": {"managedFields": [}}"#, "[1] 2", &"[".repeat(1000)] {
            assert!(serde_json::from_str::<Lean>(text).is_err(), "{text}");
        }
    }
}
