//! plugin.yaml, read more strictly than krew does: krew ignores fields that it does not know.

use std::{collections::BTreeSet, process::Command};

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::support::{VERSION, archive_name, in_repository, read, run};

const HOME: &str = "https://github.com/kubectl-kubia/kubectl-kubia";

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) metadata: Metadata,
    pub(crate) spec: Spec,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metadata {
    pub(crate) name: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) version: String,
    pub(crate) homepage: String,
    pub(crate) short_description: String,
    pub(crate) description: String,
    pub(crate) caveats: String,
    pub(crate) platforms: Vec<Platform>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Platform {
    pub(crate) selector: Selector,
    pub(crate) uri: String,
    pub(crate) sha256: String,
    pub(crate) bin: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Selector {
    pub(crate) match_labels: Labels,
}

#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(deny_unknown_fields)]
pub(crate) struct Labels {
    pub(crate) os: String,
    pub(crate) arch: String,
}

/// Parses a manifest.
#[track_caller]
pub(crate) fn parse(text: &str) -> Manifest {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn plugin() -> Manifest {
    parse(&read("plugin.yaml"))
}

#[test]
fn names_the_plugin_and_the_package_s_version() {
    let Manifest { api_version, kind, metadata, spec } = plugin();
    assert_eq!(api_version, "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!((kind.as_str(), metadata.name.as_str()), ("Plugin", "kubia"));
    assert_eq!(spec.version, format!("v{VERSION}"));
    assert_eq!(spec.homepage, HOME);
    assert_eq!(spec.homepage, env!("CARGO_PKG_REPOSITORY"));
    let printed = run(&mut Command::new(in_repository("packaging/version")));
    assert_eq!(printed.trim_end(), VERSION);
}

#[test]
fn its_texts_keep_to_the_index_s_style() {
    let Spec { short_description, description, caveats, .. } = plugin().spec;
    assert!(short_description.len() <= 50 && !short_description.ends_with('.'));
    assert_eq!(short_description, env!("CARGO_PKG_DESCRIPTION"));
    for line in description.lines().chain(caveats.lines()) {
        assert!(line.len() <= 80, "longer than 80 columns: {line}");
        assert!(!line.contains("--"), "options belong in --help: {line}");
    }
}

#[test]
fn every_platform_has_an_archive_of_its_own() {
    let platforms = plugin().spec.platforms;
    let mut seen = BTreeSet::new();
    for Platform { selector: Selector { match_labels }, uri, sha256, bin } in platforms {
        let Labels { os, arch } = match_labels.clone();
        let archive = archive_name(VERSION, &os, &arch);
        assert_eq!(uri, format!("{HOME}/releases/download/v{VERSION}/{archive}"));
        let executable = if os == "windows" { "kubectl-kubia.exe" } else { "kubectl-kubia" };
        assert_eq!(bin, executable);
        let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        assert!(sha256.len() == 64 && sha256.bytes().all(is_lower_hex), "{sha256}");
        assert!(seen.insert(match_labels), "{os}/{arch} twice");
    }
    let expected = ["linux", "darwin", "windows"].map(|os| ["amd64", "arm64"].map(|a| (os, a)));
    let expected = expected.as_flattened().iter();
    let expected = expected.map(|(os, arch)| Labels { os: (*os).into(), arch: (*arch).into() });
    assert_eq!(seen, expected.collect());
}

#[test]
fn a_field_that_krew_would_ignore_is_an_error() {
    let text = read("plugin.yaml");
    for (field, mistaken) in [
        ("  shortDescription:", "  shortDescrption:"),
        ("    bin: kubectl-kubia\n", "    bin: kubectl-kubia\n    binary: a\n"),
        ("        os: linux\n", "        os: linux\n        cpu: a\n"),
        ("metadata:\n", "metadata:\n  labels: {}\n"),
        ("kind: Plugin\n", "kind: Plugin\nstatus: {}\n"),
    ] {
        let changed = text.replacen(field, mistaken, 1);
        assert_ne!(changed, text, "{field}");
        assert!(serde_saphyr::from_str::<Manifest>(&changed).is_err(), "{mistaken}");
    }
}

#[test]
fn checksums_are_filled_in_for_the_archives_that_are_there() {
    let folder = TempDir::new().expect("a temporary folder");
    let sums = folder.path().join("SHA256SUMS");
    let known = "0123456789abcdef".repeat(4);
    let archive = archive_name(VERSION, "darwin", "arm64");
    std::fs::write(&sums, format!("{known}  {archive}\n")).unwrap();
    let mut command = Command::new(in_repository("packaging/manifest"));
    let filled = run(command.arg(in_repository("plugin.yaml")).arg(&sums));

    let mut expected = plugin();
    let mut platforms = expected.spec.platforms.iter_mut();
    platforms.find(|platform| platform.uri.ends_with(&archive)).unwrap().sha256 = known;
    assert_eq!(parse(&filled), expected);
}

#[test]
fn the_release_builds_every_platform_and_binstall_finds_it() {
    let workflow: Value = serde_saphyr::from_str(&read(".github/workflows/release.yml")).unwrap();
    let matrix = workflow["jobs"]["build"]["strategy"]["matrix"]["include"].as_array().unwrap();
    let cargo = read("Cargo.toml");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut built = BTreeSet::new();
    for build in matrix {
        let [target, os, arch] = ["target", "os", "arch"].map(|key| text(&build[key]));
        let archive = archive_name("{ version }", &os, &arch);
        let releases = "{ repo }/releases/download/v{ version }";
        let uri = format!("{target}.pkg-url = \"{releases}/{archive}\"");
        assert!(cargo.contains(&uri), "Cargo.toml lacks {uri}");
        built.insert(Labels { os, arch });
    }
    let platforms = plugin().spec.platforms.into_iter();
    assert_eq!(built, platforms.map(|platform| platform.selector.match_labels).collect());
}
