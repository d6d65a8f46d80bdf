//! `gateway-url` on recorded clusters; see tests/fixtures/README.md.

use std::{fmt::Write as _, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

use crate::support::{FakeApi, kubia_in};

/// What a recorded cluster's `expected.yaml` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    about: String,
    source: String,
    arguments: Option<String>,
    exit: u8,
    stdout: Option<String>,
    url: Option<String>,
    env: String,
    json: Option<Value>,
    stderr: Vec<String>,
}

fn cluster(file: &Path) -> FakeApi {
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(&fs::read_to_string(file).unwrap()).unwrap();
    objects.iter().fold(FakeApi::with_istio(), |api, object| {
        let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
        api.object(&plural, object)
    })
}

/// Compares one format with what was expected, and says where they differ.
fn compare(what: &str, found: &str, expected: &str, differences: &mut String) {
    if found.trim_end() != expected.trim_end() {
        writeln!(differences, "  {what}: expected {expected:?}\n  {what}:    found {found:?}")
            .unwrap();
    }
}

fn check(folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("expected.yaml")).unwrap();
    let expected: Expected = serde_saphyr::from_str(&text).unwrap();
    assert!(!expected.about.is_empty() && !expected.source.is_empty(), "{}", folder.display());
    let api = cluster(&folder.join("cluster.yaml"));
    let arguments = expected.arguments.unwrap_or_default();
    let run =
        |format: &str| kubia_in("default", &api, &format!("gateway-url {arguments} {format}"));
    let mut differences = String::new();
    let plain = run("");
    compare("exit", &plain.code.to_string(), &expected.exit.to_string(), &mut differences);
    compare("stdout", &plain.stdout, expected.stdout.as_deref().unwrap_or(""), &mut differences);
    for line in expected.stderr.iter().filter(|line| !plain.stderr.contains(*line)) {
        writeln!(differences, "  stderr lacks {line:?}: {:?}", plain.stderr).unwrap();
    }
    compare("url", &run("-o url").stdout, expected.url.as_deref().unwrap_or(""), &mut differences);
    compare("env", &run("-o env").stdout, &expected.env, &mut differences);
    let json = run("-o json").stdout;
    let found = serde_json::from_str::<Value>(&json).ok();
    if found != expected.json {
        writeln!(
            differences,
            "  json: expected {:?}\n  json:    found {json}",
            expected.json.map(|json| json.to_string())
        )
        .unwrap();
    }
    differences
}

#[test]
fn gateway_url_is_right_on_every_recorded_cluster() {
    let entries = fs::read_dir("tests/fixtures").unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|path| path.join("expected.yaml").exists()).collect();
    folders.sort();
    assert!(folders.len() >= 40, "only {} recorded clusters", folders.len());
    let mut report = String::new();
    for folder in &folders {
        let differences = check(folder);
        if !differences.is_empty() {
            write!(report, "{}\n{differences}", folder.display()).unwrap();
        }
    }
    assert!(report.is_empty(), "{report}");
}
