//! What the generated cases contain, counted.

use std::{collections::BTreeMap, fmt};

use kubia::domain::shift::RouteChoice;
use serde_json::Value;

use super::{
    Outcome,
    case::Case,
    reading::{list, routes, weighted},
};

/// How many of a thousand cases have each feature, at least.
const LEAST: usize = 50;

/// How many of a thousand cases end in each way, at least.
const LEAST_ENDED: usize = 5;

/// How a case can end; an argument that is offered leads on to another end.
const OUTCOMES: [Outcome; 16] = [
    "written",
    "written to a delegate",
    "written to tls",
    "written to tcp",
    "written to several routes",
    "written, not recorded",
    "unchanged",
    "refused: several routes",
    "refused: ambiguous version",
    "an offered argument used",
    "refused: unknown version",
    "refused: unknown route",
    "refused: no weighted route",
    "refused: named twice",
    "refused: --from differs",
    "refused: no such division",
];

type Feature = (&'static str, fn(&Case) -> bool);

/// Features of a case: what Istio offers, and what a command can ask.
const FEATURES: [Feature; 38] = [
    ("http routes", |case| has_routes(case, "http")),
    ("tls routes", |case| has_routes(case, "tls")),
    ("tcp routes", |case| has_routes(case, "tcp")),
    ("delegates", |case| any_route(case, |route| route["delegate"].is_object())),
    ("header matches", |case| any_match(case, "headers")),
    ("other matches", |case| any_match(case, "uri") || any_match(case, "method")),
    ("mirrors", |case| any_route(case, |route| route["mirror"].is_object())),
    ("retries", |case| any_route(case, |route| route["retries"].is_object())),
    ("unknown fields", |case| case.objects.iter().any(|each| has_field(each, "x-future"))),
    ("foreign destinations", |case| any_destination(case, is_foreign)),
    ("hosts instead of subsets", |case| any_destination(case, |to| to["subset"].is_null())),
    ("ports", |case| any_destination(case, |to| to["port"].is_object())),
    ("duplicate destinations", has_duplicates),
    ("more than two destinations", |case| any_weights(case, |weights| weights.len() > 2)),
    ("single destinations", |case| any_route(case, |route| list(route, "route").len() == 1)),
    ("omitted weights", has_omitted_weights),
    ("a sum other than 100", |case| any_weights(case, |all| all.iter().sum::<u64>() != 100)),
    ("a sum of 0", |case| any_weights(case, |all| all.iter().sum::<u64>() == 0)),
    ("weights of 32 bits", |case| any_weights(case, |all| all.contains(&0x7fff_ffff))),
    ("several weighted routes", |case| case.objects.iter().flat_map(weighted).count() > 1),
    ("route names", |case| any_route(case, |route| route["name"].is_string())),
    ("DestinationRules", |case| !case.rules.is_empty()),
    ("no annotations", |case| annotations(case).is_null()),
    ("annotations, no history", |case| annotations(case).is_object() && history(case).is_none()),
    ("a history", |case| history(case).is_some()),
    ("a full history", |case| history(case).is_some_and(|text| text.len() > 4000)),
    ("version v1", |case| case.objects[0]["apiVersion"] == "networking.istio.io/v1"),
    ("version v1beta1", |case| case.objects[0]["apiVersion"] == "networking.istio.io/v1beta1"),
    ("version v1alpha3", |case| case.objects[0]["apiVersion"] == "networking.istio.io/v1alpha3"),
    ("<, >, &, U+2028", |case| has_text(case, &['<', '>', '&', '\u{2028}'])),
    ("quotes, control characters", |case| has_text(case, &['"', '\'', '\u{1b}', '\n'])),
    ("not ASCII", |case| has_text(case, &['ü', '世', '🦀', 'é'])),
    ("several shares", |case| case.command.shares.len() > 1),
    ("decimals", |case| case.command.shares.iter().any(|(_, share)| share % 100 != 0)),
    ("--from", |case| !case.command.from.is_empty()),
    ("--route #N", |case| is_called(case, |route| route.contains('#'))),
    ("--route NAME", |case| is_called(case, |route| !route.contains('#'))),
    ("--route all", |case| case.command.route == RouteChoice::All),
];

fn any_route(case: &Case, is: impl Fn(&Value) -> bool) -> bool {
    case.objects.iter().any(|object| routes(object).any(|(_, _, route)| is(route)))
}

fn has_routes(case: &Case, protocol: &str) -> bool {
    case.objects.iter().any(|object| !list(&object["spec"], protocol).is_empty())
}

fn any_match(case: &Case, field: &str) -> bool {
    any_route(case, |route| list(route, "match").iter().any(|each| each[field].is_object()))
}

fn any_destination(case: &Case, is: impl Fn(&Value) -> bool) -> bool {
    any_route(case, |route| list(route, "route").iter().any(|each| is(&each["destination"])))
}

fn any_weights(case: &Case, is: impl Fn(&[u64]) -> bool) -> bool {
    case.objects.iter().flat_map(weighted).any(|route| is(&route.weights()))
}

fn is_foreign(destination: &Value) -> bool {
    destination["host"].as_str().is_some_and(|host| host.contains('.'))
}

fn has_duplicates(case: &Case) -> bool {
    case.objects.iter().flat_map(weighted).any(|route| {
        let all: Vec<_> = route.destinations.iter().map(|each| &each["destination"]).collect();
        (1..all.len()).any(|index| all[..index].contains(&all[index]))
    })
}

fn has_omitted_weights(case: &Case) -> bool {
    let mut all = case.objects.iter().flat_map(weighted).flat_map(|route| route.destinations);
    all.any(|each| each["weight"].is_null())
}

fn annotations(case: &Case) -> &Value {
    &case.objects[0]["metadata"]["annotations"]
}

fn history(case: &Case) -> Option<&str> {
    annotations(case)["kubectl-kubia/history"].as_str()
}

fn has_field(value: &Value, field: &str) -> bool {
    match value {
        Value::Object(fields) => {
            fields.contains_key(field) || fields.values().any(|each| has_field(each, field))
        }
        Value::Array(values) => values.iter().any(|each| has_field(each, field)),
        _ => false,
    }
}

/// Whether a name or a match of a route has one of these characters.
fn has_text(case: &Case, characters: &[char]) -> bool {
    any_route(case, |route| {
        ["name", "match"].iter().any(|field| contains(&route[*field], characters))
    })
}

fn contains(value: &Value, characters: &[char]) -> bool {
    match value {
        Value::String(text) => text.contains(characters),
        Value::Array(values) => values.iter().any(|each| contains(each, characters)),
        Value::Object(fields) => fields.values().any(|each| contains(each, characters)),
        _ => false,
    }
}

fn is_called(case: &Case, is: impl Fn(&str) -> bool) -> bool {
    matches!(&case.command.route, RouteChoice::Called(route) if is(route))
}

/// How many cases had what.
#[derive(Debug, Default)]
pub(crate) struct Table {
    cases: usize,
    counts: BTreeMap<&'static str, usize>,
}

impl Table {
    pub(crate) fn count(&mut self, case: &Case, outcomes: &[Outcome]) {
        self.cases += 1;
        let features = FEATURES.iter().filter(|(_, has)| has(case)).map(|(name, _)| *name);
        for name in features.chain(OUTCOMES.into_iter().filter(|each| outcomes.contains(each))) {
            *self.counts.entry(name).or_default() += 1;
        }
    }

    /// Returns what too few cases had.
    pub(crate) fn rare(&self) -> Vec<&'static str> {
        let features = FEATURES.iter().map(|(name, _)| (*name, LEAST));
        let all = features.chain(OUTCOMES.map(|name| (name, LEAST_ENDED)));
        let rare = all.filter(|(name, least)| self.of(name) * 1000 < self.cases * least);
        rare.map(|(name, _)| name).collect()
    }

    pub(crate) fn of(&self, name: &str) -> usize {
        self.counts.get(name).copied().unwrap_or(0)
    }

    fn rows(&self, names: &[&str], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in names.chunks(3) {
            for name in row {
                #[expect(clippy::cast_precision_loss, reason = "there are some thousands")]
                let percent = self.of(name) as f64 * 100.0 / self.cases.max(1) as f64;
                write!(formatter, "{percent:6.1} {name:<26}")?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} cases; of a hundred have", self.cases)?;
        self.rows(&FEATURES.map(|(name, _)| name), formatter)?;
        writeln!(formatter, "and end")?;
        self.rows(&OUTCOMES, formatter)
    }
}
