//! Which requests a route takes: `match[]` of a VirtualService, held against what an Envoy runs.
//!
//! The rules are those of istiod, pilot/pkg/networking/core/route/route.go: `TranslateRouteMatch`. What
//! an Envoy has in another form than istiod writes is not compared.

use std::collections::BTreeMap;

use serde_json::Value;

use super::envoy::Matcher;
use crate::domain::snapshot::{list, text};

/// The conditions of a match that a request is held against, as the VirtualService writes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions(BTreeMap<String, Value>);

/// One condition on a text, Istio's `StringMatch`.
#[derive(Debug, PartialEq, Eq)]
enum TextMatch<'a> {
    Present,
    Exact(&'a str),
    Prefix(&'a str),
    Regex(&'a str),
}

/// A condition on a header: its name in lower case, whether it is turned around, and what it asks,
/// where that is known.
type HeaderMatch<'a> = (String, bool, Option<TextMatch<'a>>);

/// Conditions on one text.
const SINGLE: [&str; 4] = ["uri", "scheme", "method", "authority"];

/// Conditions by name.
const NAMED: [&str; 3] = ["headers", "withoutHeaders", "queryParams"];

impl Conditions {
    /// Returns none: every request meets them.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Reads the conditions of a match.
    #[must_use]
    pub fn read(json: &Value) -> Self {
        let fields = json.as_object().into_iter().flatten();
        let conditions = fields.filter(|(field, value)| {
            let known = SINGLE.iter().chain(&NAMED).chain(&["ignoreUriCase"]);
            known.into_iter().any(|each| each == field) && !value.is_null()
        });
        Self(conditions.map(|(field, value)| (field.clone(), value.clone())).collect())
    }

    /// Returns the conditions of a delegate's match below that of its root.
    #[must_use]
    pub fn below(&self, root: &Self) -> Self {
        let mut merged = root.0.clone();
        for (field, value) in &self.0 {
            match (merged.get_mut(field).and_then(Value::as_object_mut), value.as_object()) {
                (Some(values), Some(own)) if NAMED.contains(&field.as_str()) => {
                    values.extend(own.clone());
                }
                _ => drop(merged.insert(field.clone(), value.clone())),
            }
        }
        Self(merged)
    }

    /// Returns whether istiod drops a delegate's match with these below a root's: what it asks is not
    /// within what the root asks (pilot/pkg/model/virtualservice.go: `hasConflict`).
    #[must_use]
    pub fn conflict_with(&self, root: &Self) -> bool {
        let single = SINGLE.iter().map(|field| (root.0.get(*field), self.0.get(*field)));
        let named = NAMED.iter().flat_map(|field| {
            let of_root = root.0.get(*field);
            self.named(field)
                .map(move |(name, own)| (of_root.and_then(|all| all.get(name)), Some(own)))
        });
        let mut pairs = single.chain(named);
        self.ignores_case() != root.ignores_case()
            || pairs.any(|pair| matches!(pair, (Some(root), Some(own)) if are_apart(root, own)))
    }

    /// Returns whether every request meets them.
    #[must_use]
    pub fn are_met_by_all(&self) -> bool {
        let is_empty = |field: &&str| self.named(field).next().is_none();
        SINGLE[1..].iter().all(|field| !self.0.contains_key(*field))
            && NAMED.iter().all(is_empty)
            && match self.path() {
                TextMatch::Prefix(prefix) => prefix == "/",
                TextMatch::Regex(regex) => regex == ".*",
                TextMatch::Present | TextMatch::Exact(_) => false,
            }
    }

    /// Returns whether every request that meets others meets them, as far as that is easily told.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        let has_same = |of_other: Option<&Value>, own: &Value| of_other == Some(own);
        let mut single = SINGLE[1..].iter().filter_map(|field| Some((field, self.0.get(*field)?)));
        let mut named = NAMED.iter().flat_map(|field| {
            let of_other = other.0.get(*field);
            self.named(field).map(move |(name, own)| (of_other.and_then(|all| all.get(name)), own))
        });
        self.are_met_by_all()
            || (self.covers_path_of(other)
                && single.all(|(field, own)| has_same(other.0.get(*field), own))
                && named.all(|(of_other, own)| has_same(of_other, own)))
    }

    fn covers_path_of(&self, other: &Self) -> bool {
        let is_covered = match (self.path(), other.path()) {
            (TextMatch::Prefix("/"), _) => return true,
            (TextMatch::Prefix(own), TextMatch::Prefix(path) | TextMatch::Exact(path)) => {
                path.starts_with(own)
            }
            (own, path) => own == path,
        };
        is_covered && self.ignores_case() == other.ignores_case()
    }

    /// Returns whether an Envoy's route with this matcher can have been made of them.
    #[must_use]
    pub fn can_be(&self, matcher: &Matcher) -> bool {
        self.path_can_be(matcher)
            && (matcher.case_sensitive == Some(false)) == self.ignores_case()
            && are_alike(&self.headers(), &headers_of(matcher, "headers"))
            && are_alike(&self.query_parameters(), &headers_of(matcher, "query_parameters"))
    }

    fn ignores_case(&self) -> bool {
        self.0.get("ignoreUriCase") == Some(&Value::Bool(true))
    }

    fn path_can_be(&self, matcher: &Matcher) -> bool {
        let path = self.path();
        if let Some(prefix) = &matcher.prefix {
            return path == TextMatch::Prefix(prefix);
        }
        if let Some(exact) = &matcher.path {
            return path == TextMatch::Exact(exact);
        }
        if let Some(regex) = &matcher.safe_regex {
            return path == TextMatch::Regex(regex["regex"].as_str().unwrap_or_default());
        }
        // Istio writes a prefix so for the routes of an Ingress or an HTTPRoute only.
        matcher.path_separated_prefix.is_none()
            || matches!(path, TextMatch::Prefix(prefix)
                if Some(prefix.trim_end_matches('/')) == matcher.path_separated_prefix.as_deref())
    }

    fn path(&self) -> TextMatch<'_> {
        match self.0.get("uri").map(TextMatch::read) {
            None | Some(TextMatch::Present) => TextMatch::Prefix("/"),
            Some(path) => path,
        }
    }

    fn headers(&self) -> Vec<HeaderMatch<'_>> {
        let own = self.named("headers").map(|(name, value)| (name, false, value));
        let not = self.named("withoutHeaders").map(|(name, value)| (name, true, value));
        // Claims of a token are no headers in an Envoy.
        let named = own.chain(not).filter(|(name, ..)| !name.starts_with('@'));
        let named = named.map(|(name, is_inverted, value)| {
            (name.to_ascii_lowercase(), is_inverted, Some(TextMatch::read(value)))
        });
        let single = SINGLE[1..].iter().filter_map(|field| {
            Some((format!(":{field}"), false, Some(TextMatch::read(self.0.get(*field)?))))
        });
        named.chain(single).collect()
    }

    fn query_parameters(&self) -> Vec<HeaderMatch<'_>> {
        let named = self.named("queryParams");
        named.map(|(name, value)| (name.clone(), false, Some(TextMatch::read(value)))).collect()
    }

    fn named(&self, field: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.0.get(field).and_then(Value::as_object).into_iter().flatten()
    }
}

impl<'a> TextMatch<'a> {
    /// Reads a condition of a VirtualService.
    fn read(json: &'a Value) -> Self {
        let text = |field| json.get(field).and_then(Value::as_str);
        if let Some(regex) = text("regex") {
            // Istio's own sign for a header that is there.
            return if regex == "*" { Self::Present } else { Self::Regex(regex) };
        }
        let prefix = || text("prefix").map(Self::Prefix);
        text("exact").map(Self::Exact).or_else(prefix).unwrap_or(Self::Present)
    }

    /// Reads a condition of an Envoy, as this and older releases of Istio write it.
    fn read_envoy(json: &'a Value) -> Option<Self> {
        let text = |pointers: [&str; 2]| {
            pointers.iter().find_map(|pointer| json.pointer(pointer)?.as_str())
        };
        if json["present_match"] == true {
            return Some(Self::Present);
        }
        let exact = text(["/string_match/exact", "/exact_match"]).map(Self::Exact);
        let prefix = || text(["/string_match/prefix", "/prefix_match"]).map(Self::Prefix);
        let regex =
            || text(["/string_match/safe_regex/regex", "/safe_regex_match/regex"]).map(Self::Regex);
        exact.or_else(prefix).or_else(regex)
    }
}

/// Whether a delegate's condition is not within that of its root.
fn are_apart(root: &Value, own: &Value) -> bool {
    let [exact, prefix, regex] = ["/exact", "/prefix", "/regex"].map(|field| text(root, field));
    let [own_exact, own_prefix, own_regex] =
        ["/exact", "/prefix", "/regex"].map(|field| text(own, field));
    if !regex.is_empty() || !own_regex.is_empty() {
        // istiod does not compare expressions, not even equal ones.
        return true;
    }
    if !exact.is_empty() {
        return own_exact != exact;
    }
    let literal = if own_prefix.is_empty() { own_exact } else { own_prefix };
    prefix.is_empty() || literal.is_empty() || !literal.starts_with(&prefix)
}

/// The conditions on headers or query parameters in an Envoy.
fn headers_of<'a>(matcher: &'a Matcher, field: &str) -> Vec<HeaderMatch<'a>> {
    let headers = matcher.conditions.get(field).map_or(&[][..], |headers| list(headers, ""));
    let headers = headers.iter().map(|header| {
        let mut name = text(header, "/name");
        if field == "headers" {
            name.make_ascii_lowercase();
        }
        (name, header["invert_match"] == true, TextMatch::read_envoy(header))
    });
    headers.collect()
}

/// Whether each condition of the one stands in the other too, in any order.
fn are_alike(wanted: &[HeaderMatch<'_>], live: &[HeaderMatch<'_>]) -> bool {
    wanted.len() == live.len()
        && wanted.iter().all(|(name, is_inverted, asks)| {
            live.iter().any(|(other, other_inverted, other_asks)| {
                name == other
                    && is_inverted == other_inverted
                    && (other_asks.is_none() || asks == other_asks)
            })
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(conditions: &Value, matcher: &Value, expected: bool) {
        let read = serde_json::from_value(matcher.clone()).unwrap();
        let found = Conditions::read(conditions).can_be(&read);
        assert_eq!(found, expected, "{conditions} as {matcher}");
    }

    #[test]
    fn a_path_is_compared_in_each_form() {
        let forms = [
            (json!({}), json!({"prefix": "/"})),
            (json!({"uri": {"prefix": "/a"}}), json!({"prefix": "/a", "case_sensitive": true})),
            (json!({"uri": {"prefix": "/b"}}), json!({"path_separated_prefix": "/b"})),
            (json!({"uri": {"exact": "/a"}}), json!({"path": "/a"})),
            (json!({"uri": {"regex": "/a.*"}}), json!({"safe_regex": {"regex": "/a.*"}})),
            (
                json!({"uri": {"exact": "/a"}, "ignoreUriCase": true}),
                json!({"path": "/a", "case_sensitive": false}),
            ),
        ];
        for (one, (conditions, _)) in forms.iter().enumerate() {
            for (other, (_, matcher)) in forms.iter().enumerate() {
                check(conditions, matcher, one == other);
            }
        }
        // A form that istiod does not write is not held against anything.
        check(&json!({"uri": {"exact": "/a"}}), &json!({"path_match_policy": {}}), true);
    }

    #[test]
    fn headers_are_compared_by_name_and_where_it_is_known_by_value() {
        let conditions = json!({
            "headers": {"X-User": {"exact": "a"}, "y": {"regex": "*"}, "@request.auth.claims.g": {}},
            "withoutHeaders": {"z": {"prefix": "1"}},
            "method": {"exact": "GET"},
        });
        let live = |user: Value| {
            json!({"prefix": "/", "headers": [
                {"name": ":method", "string_match": {"exact": "GET"}},
                {"name": "y", "present_match": true}, user,
                {"name": "z", "string_match": {"prefix": "1"}, "invert_match": true},
            ]})
        };
        for (user, expected) in [
            (json!({"name": "x-user", "string_match": {"exact": "a"}}), true),
            (json!({"name": "x-user", "exact_match": "a"}), true),
            (json!({"name": "x-user", "range_match": {"start": 1}}), true),
            (json!({"name": "x-user", "string_match": {"exact": "b"}}), false),
            (json!({"name": "x-user", "string_match": {"prefix": "a"}}), false),
            (json!({"name": "x-user", "present_match": true}), false),
            (json!({"name": "x-other", "string_match": {"exact": "a"}}), false),
            (json!({"name": "x-user", "exact_match": "a", "invert_match": true}), false),
        ] {
            check(&conditions, &live(user), expected);
        }
        check(&conditions, &json!({"prefix": "/"}), false);
        check(&json!({}), &live(json!({"name": "x-user"})), false);
    }

    #[test]
    fn query_parameters_are_compared_too() {
        let conditions = json!({"queryParams": {"v": {"exact": "2"}}});
        let live = |value: &str| {
            json!({"prefix": "/", "query_parameters":
                   [{"name": "v", "string_match": {"exact": value}}]})
        };
        check(&conditions, &live("2"), true);
        check(&conditions, &live("3"), false);
        check(&conditions, &json!({"prefix": "/"}), false);
    }

    #[test]
    fn conditions_cover_what_asks_the_same_and_more() {
        let check = |one: Value, other: Value, expected: bool| {
            let covers = Conditions::read(&one).cover(&Conditions::read(&other));
            assert_eq!(covers, expected, "{one} {other}");
        };
        let prefix = |path: &str| json!({"uri": {"prefix": path}});
        let user = |value: &str| json!({"headers": {"user": {"exact": value}}});
        check(json!({}), user("a"), true);
        check(prefix("/"), json!({}), true);
        check(prefix("/b"), prefix("/b"), true);
        check(prefix("/b"), prefix("/b/c"), true);
        check(prefix("/b"), json!({"uri": {"exact": "/b"}, "method": {"exact": "GET"}}), true);
        check(json!({"uri": {"regex": "/a|/b"}}), json!({"uri": {"regex": "/a|/b"}}), true);
        check(
            user("a"),
            json!({"uri": {"prefix": "/b"}, "headers": {"user": {"exact": "a"}}}),
            true,
        );

        check(prefix("/b"), json!({}), false);
        check(prefix("/b/c"), prefix("/b"), false);
        check(json!({"uri": {"exact": "/b"}}), prefix("/b"), false);
        check(json!({"uri": {"regex": "/.*"}}), prefix("/b"), false);
        check(user("a"), user("b"), false);
        check(user("a"), json!({}), false);
        check(json!({"method": {"exact": "GET"}}), prefix("/b"), false);
        check(json!({"queryParams": {"v": {"exact": "2"}}}), user("a"), false);
        check(json!({"uri": {"prefix": "/b"}, "ignoreUriCase": true}), prefix("/b"), false);
    }
}
