//! Generates JSON by the shape of its objects.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

pub(crate) type Json = BoxedStrategy<Value>;

/// A field, and in how many of a hundred objects it is there.
type Field = (&'static str, u32, Json);

/// One of these strings.
pub(crate) fn text_of(texts: &[&str]) -> Json {
    select(texts.iter().map(|text| json!(text)).collect::<Vec<_>>()).boxed()
}

/// Always this value.
pub(crate) fn just(value: impl Into<Value>) -> Json {
    Just(value.into()).boxed()
}

/// One, or up to so many.
pub(crate) fn list(each: Json, most: usize) -> Json {
    prop_oneof![3 => vec(each.clone(), 1), 2 => vec(each, 2..=most)].prop_map(Value::from).boxed()
}

/// An object of these fields.
pub(crate) fn object(fields: Vec<Field>) -> Json {
    let (names, values): (Vec<_>, Vec<_>) = fields
        .into_iter()
        .map(|(name, percent, value)| match percent {
            // What is always there stays while a failing case is made smaller.
            100 => (name, value.prop_map(Some).boxed()),
            _ => (name, option::weighted(f64::from(percent) / 100.0, value).boxed()),
        })
        .unzip();
    let object = values.prop_map(move |values| {
        let fields = names.iter().zip(values);
        let fields = fields.filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        Value::from(fields.collect::<Map<_, _>>())
    });
    object.boxed()
}

/// The fields of both objects.
pub(crate) fn merged(one: Json, other: Json) -> Json {
    let merged = (one, other).prop_map(|(mut one, mut other)| {
        one.as_object_mut().unwrap().append(other.as_object_mut().unwrap());
        one
    });
    merged.boxed()
}
